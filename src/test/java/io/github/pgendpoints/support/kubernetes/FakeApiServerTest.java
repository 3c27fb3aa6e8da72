package io.github.pgendpoints.support.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The answers of kube-apiserver 1.36 to the requests this project makes, as recorded, over bare
 * HTTP: no client of Kubernetes is to smooth them. Where the fake server differs its users' tests
 * prove nothing.
 */
@Timeout(60)
class FakeApiServerTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String COLLECTION = "/api/v1/namespaces/db/endpoints";
  private static final String PG = COLLECTION + "/pg";
  private static final String MERGE = "application/merge-patch+json";
  private static final String STRATEGIC = "application/strategic-merge-patch+json";
  private static final String JSON_PATCH = "application/json-patch+json";

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @AfterEach
  void stop() {
    api.close();
  }

  /** The status and the body of an answer. */
  private record Answer(int code, JsonNode body, Map<String, List<String>> headers) {
    String reason() {
      return body.path("reason").asText();
    }

    String message() {
      return body.path("message").asText();
    }

    String about() {
      return body.path("details").path("kind").asText()
          + "/"
          + body.path("details").path("name").asText();
    }

    String version() {
      return body.path("metadata").path("resourceVersion").asText();
    }
  }

  // --- what is not there, and what is there already ---------------------------------------------

  @ParameterizedTest
  @CsvSource({"GET,", "DELETE,", "PATCH," + MERGE, "PATCH," + STRATEGIC, "PATCH," + JSON_PATCH})
  void answers404ForEndpointsThatDoNotExist(String method, String type) throws Exception {
    Answer answer = send(method, PG, JSON_PATCH.equals(type) ? "[]" : "{}", type);

    assertStatus(answer, 404, "NotFound", "endpoints \"pg\" not found");
    assertEquals("endpoints/pg", answer.about());
  }

  @Test
  void answers404ForANamespaceThatDoesNotExist() throws Exception {
    Answer answer = post("/api/v1/namespaces/nope/endpoints", endpoints("[]"));

    assertStatus(answer, 404, "NotFound", "namespaces \"nope\" not found");
    assertEquals("namespaces/nope", answer.about());
  }

  @Test
  void answers409ForEndpointsThatExist() throws Exception {
    assertEquals(201, post(COLLECTION, endpoints("[]")).code());

    Answer answer = post(COLLECTION, endpoints("[]"));

    assertStatus(answer, 409, "AlreadyExists", "endpoints \"pg\" already exists");
  }

  // --- patches ----------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {MERGE, STRATEGIC})
  void replacesListsAndRemovesWhatIsNull(String type) throws Exception {
    exists();
    send("PATCH", PG, patch("null", "[%s]".formatted(subset("10.0.0.1"))), type);
    send(
        "PATCH",
        PG,
        patch("{\"a\": \"1\", \"b\": \"2\"}", "[%s]".formatted(subset("10.0.0.2"))),
        type);

    Answer answer = send("PATCH", PG, "{\"metadata\": {\"annotations\": {\"a\": null}}}", type);

    Endpoints patched = api.endpoints("pg");
    assertEquals(200, answer.code());
    assertEquals(Map.of("b", "2"), patched.getMetadata().getAnnotations());
    assertEquals(1, patched.getSubsets().size());
    assertEquals("10.0.0.2", patched.getSubsets().get(0).getAddresses().get(0).getIp());
  }

  @Test
  void emptiesSubsets() throws Exception {
    exists();
    send("PATCH", PG, patch("null", "[%s]".formatted(subset("10.0.0.1"))), MERGE);

    send("PATCH", PG, "{\"subsets\": []}", MERGE);

    assertEquals(List.of(), api.endpoints("pg").getSubsets());
  }

  @Test
  void leavesTheVersionWhenAPatchChangesNothing() throws Exception {
    exists();
    String body = patch("{\"a\": \"1\"}", "[%s]".formatted(subset("10.0.0.1")));
    Answer first = send("PATCH", PG, body, MERGE);

    assertEquals(first.version(), send("PATCH", PG, body, MERGE).version());
    assertFalse(
        first.version().equals(send("PATCH", PG, patch("{\"a\": \"2\"}", "[]"), MERGE).version()));
  }

  @Test
  void answers409ForAStaleVersion() throws Exception {
    exists();
    String stale = api.endpoints("pg").getMetadata().getResourceVersion();
    send("PATCH", PG, patch("{\"a\": \"1\"}", "[]"), MERGE);

    Answer answer =
        send("PATCH", PG, "{\"metadata\": {\"resourceVersion\": \"%s\"}}".formatted(stale), MERGE);

    assertStatus(
        answer,
        409,
        "Conflict",
        "Operation cannot be fulfilled on endpoints \"pg\": the object has been modified; please"
            + " apply your changes to the latest version and try again");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{\"op\": \"test\", \"path\": \"/metadata/name\", \"value\": \"other\"}]",
        "[{\"op\": \"add\", \"path\": \"/metadata/annotations/a\", \"value\": \"1\"}]"
      })
  void answers422ForAJsonPatchThatDoesNotApply(String patch) throws Exception {
    exists();

    assertStatus(
        send("PATCH", PG, patch, JSON_PATCH),
        422,
        "Invalid",
        "the server rejected our request due to an error in our request");
  }

  // --- what Endpoints may hold ------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "127.0.0.1|may not be in the loopback range (127.0.0.0/8, ::1/128)",
        "::1|may not be in the loopback range (127.0.0.0/8, ::1/128)",
        "169.254.1.1|may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        "fe80::1|may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        "224.0.0.1|may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        "0.0.0.0|may not be unspecified (0.0.0.0 or ::)",
        "db.example|must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
      })
  void answers422ForAnInvalidAddress(String ip, String fault) throws Exception {
    assertStatus(
        post(COLLECTION, endpoints("[%s]".formatted(subset(ip)))),
        422,
        "Invalid",
        "Endpoints \"pg\" is invalid: subsets[0].addresses[0].ip: Invalid value: \"%s\": %s"
            .formatted(ip, fault));
    assertNull(api.endpoints("pg"));
  }

  @Test
  void answers422ForASubsetWithoutAnAddress() throws Exception {
    exists();

    Answer answer = send("PATCH", PG, "{\"subsets\": [{\"ports\": [{\"port\": 5432}]}]}", MERGE);

    assertStatus(
        answer,
        422,
        "Invalid",
        "Endpoints \"pg\" is invalid: subsets[0]: Required value: must specify addresses or"
            + " notReadyAddresses");
  }

  @Test
  void storesDuplicatesAndBothFamiliesAsTheyAre() throws Exception {
    String subset =
        "{\"addresses\": [{\"ip\": \"10.0.0.1\"}, {\"ip\": \"fd00::1\"}, {\"ip\": \"10.0.0.1\"}],"
            + " \"ports\": [{\"port\": 5432}]}";

    assertEquals(201, post(COLLECTION, endpoints("[%s]".formatted(subset))).code());
    assertEquals(3, api.endpoints("pg").getSubsets().get(0).getAddresses().size());
  }

  // --- who may do what --------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "GET,/pg,get, \"pg\"",
    "PATCH,/pg,patch, \"pg\"",
    "DELETE,/pg,delete, \"pg\"",
    "GET,'',list,",
    "GET,?watch=true,watch,",
    "GET,?watch=true&fieldSelector=metadata.name%3Dpg,watch, \"pg\"",
    "POST,'',create,"
  })
  void answers403ForAVerbThatIsNotGranted(String method, String rest, String verb, String name)
      throws Exception {
    api.deny(verb, "endpoints");

    Answer answer = send(method, COLLECTION + rest, endpoints("[]"), MERGE);

    assertStatus(
        answer,
        403,
        "Forbidden",
        ("endpoints%s is forbidden: User \"system:serviceaccount:db:postgres-endpoint-manager\""
                + " cannot %s resource \"endpoints\" in API group \"\" in the namespace \"db\"")
            .formatted(name == null ? "" : " " + name, verb));
  }

  @ParameterizedTest
  @CsvSource({
    "GET,/pg,200",
    "GET,/other,403",
    "PATCH,/pg,200",
    "PATCH,/other,403",
    "GET,'',403",
    "GET,?fieldSelector=metadata.name%3Dpg,200",
    "GET,?fieldSelector=metadata.name%3Dother,403",
    "GET,?watch=true,403",
    "GET,?watch=true&fieldSelector=metadata.name%3Dother,403",
    "POST,'',409"
  })
  void limitsARoleToNames(String method, String rest, int code) throws Exception {
    exists();
    api.grantOnly("endpoints", "pg");

    assertEquals(code, send(method, COLLECTION + rest, endpoints("[]"), MERGE).code());
  }

  @Test
  void answers401ForAnotherToken() throws Exception {
    api.requireToken("right");

    assertStatus(send("GET", PG, "", null), 401, "Unauthorized", "Unauthorized");
  }

  // --- watches ----------------------------------------------------------------------------------

  @Test
  void sendsAWatchOnlyItsObject() throws Exception {
    exists();
    String exists = api.endpoints("pg").getMetadata().getResourceVersion();
    try (Watching pg = watch("?watch=true&fieldSelector=metadata.name%3Dpg")) {
      assertEquals("ADDED pg " + exists, pg.next());
      api.put(new EndpointsBuilder().withNewMetadata().withName("other").endMetadata().build());
      String patched = send("PATCH", PG, patch("{\"a\": \"1\"}", "[]"), MERGE).version();
      assertEquals("MODIFIED pg " + patched, pg.next());
      send("PATCH", PG, patch("{\"a\": \"1\"}", "[]"), MERGE);

      send("DELETE", PG, "", null);

      String deleted = pg.next();
      assertTrue(deleted.startsWith("DELETED pg "), deleted);
      assertTrue(
          Long.parseLong(deleted.split(" ")[2]) > Long.parseLong(patched), "its own version");
      assertEquals("ADDED pg " + post(COLLECTION, endpoints("[]")).version(), pg.next());
    }
  }

  @Test
  void sendsAWatchByLabelWhatComesAndGoes() throws Exception {
    exists();
    try (Watching labelled = watch("?watch=true&labelSelector=a%3Db")) {
      String is = send("PATCH", PG, labels("\"b\""), MERGE).version();
      assertEquals("ADDED pg " + is, labelled.next());

      send("PATCH", PG, labels("null"), MERGE);

      assertEquals("DELETED pg " + is, labelled.next());
    }
  }

  @Test
  void goesOnFromAVersionAsLongAsItRemembers() throws Exception {
    exists();
    String first = api.endpoints("pg").getMetadata().getResourceVersion();
    String second = send("PATCH", PG, labels("\"b\""), MERGE).version();
    try (Watching from = watch("?watch=true&resourceVersion=" + first)) {
      assertEquals("MODIFIED pg " + second, from.next());
    }
    api.forgetHistory();
    try (Watching from = watch("?watch=true&resourceVersion=" + second)) {
      assertEquals("nothing", from.nothingOr("nothing"));
    }

    try (Watching from = watch("?watch=true&resourceVersion=" + first)) {
      assertEquals(
          "ERROR 410 Expired too old resource version: %s (%s)".formatted(first, second),
          from.next());
      assertEquals("closed 1000", from.next());
    }
  }

  @Test
  void endsWatchesAsConfigured() throws Exception {
    try (Watching one = watch("?watch=true");
        Watching two = watch("?watch=true&resourceVersion=0")) {
      assertEquals(2, api.watches());
      api.endWatches();
      assertEquals("closed 1000", one.next());
      assertEquals("closed 1000", two.next());
    }
    try (Watching watching = watch("?watch=true")) {
      api.expireWatches();
      assertTrue(watching.next().startsWith("ERROR 410 Expired "));
      assertEquals("closed 1000", watching.next());
    }
    assertEquals(0, api.watches());
  }

  @Test
  void reportsNothingOnASilentConnection() throws Exception {
    try (Watching mute = watch("?watch=true")) {
      api.muteWatches();
      exists();
      assertEquals("nothing", mute.nothingOr("nothing"));
      api.heal();
      api.deleteEndpoints("pg");
      assertTrue(mute.next().startsWith("DELETED pg "));
    }
    try (Watching silent = watch("?watch=true")) {
      api.silenceConnections();
      exists();
      api.endWatches();
      assertEquals("nothing", silent.nothingOr("nothing"));
    }
    assertEquals(200, send("GET", PG, "", null).code(), "a connection of today");
  }

  /** What a watch was told, in order. */
  private record Watching(BlockingQueue<String> told, WebSocket socket) implements AutoCloseable {
    String next() throws InterruptedException {
      return String.valueOf(told.poll(10, TimeUnit.SECONDS));
    }

    String nothingOr(String nothing) throws InterruptedException {
      String next = told.poll(300, TimeUnit.MILLISECONDS);
      return next == null ? nothing : next;
    }

    @Override
    public void close() {
      socket.abort();
    }
  }

  private Watching watch(String query) {
    BlockingQueue<String> told = new LinkedBlockingQueue<>();
    WebSocket.Listener listener =
        new WebSocket.Listener() {
          private final StringBuilder text = new StringBuilder();

          @Override
          public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
              told.add(event(text.toString()));
              text.setLength(0);
            }
            socket.request(1);
            return null;
          }

          @Override
          public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            told.add("closed " + code);
            return null;
          }
        };
    URI uri = URI.create(api.url().replace("http:", "ws:") + COLLECTION + query);
    return new Watching(told, http.newWebSocketBuilder().buildAsync(uri, listener).join());
  }

  private static String event(String text) {
    try {
      JsonNode event = JSON.readTree(text);
      JsonNode object = event.path("object");
      return event.path("type").asText()
          + " "
          + (object.path("kind").asText().equals("Status")
              ? "%d %s %s"
                  .formatted(
                      object.path("code").asInt(),
                      object.path("reason").asText(),
                      object.path("message").asText())
              : object.path("metadata").path("name").asText()
                  + " "
                  + object.path("metadata").path("resourceVersion").asText());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String labels(String value) {
    return "{\"metadata\": {\"labels\": {\"a\": %s}}}".formatted(value);
  }

  // --- headers ----------------------------------------------------------------------------------

  @Test
  void warnsOfEndpointsAndOfNothingElse() throws Exception {
    exists();
    api.createService("pg", "postgresql", 5432);

    assertEquals(
        List.of(
            "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\""),
        send("GET", PG, "", null).headers().get("warning"));
    Answer service = send("GET", "/api/v1/namespaces/db/services/pg", "", null);
    assertEquals(200, service.code());
    assertNull(service.headers().get("warning"));
  }

  // --- faults -----------------------------------------------------------------------------------

  @Test
  void isBusyAsLongAsItWasTold() throws Exception {
    exists();
    api.failWithRetryAfter(1, 429, 7).fail(1, 503);

    Answer busy = send("GET", PG, "", null);
    assertStatus(busy, 429, "TooManyRequests", "Too many requests, please try again later.");
    assertEquals(List.of("7"), busy.headers().get("retry-after"));
    assertStatus(
        send("GET", PG, "", null),
        503,
        "ServiceUnavailable",
        "the server is currently unable to handle the request");
    assertEquals(200, send("GET", PG, "", null).code());
  }

  @Test
  void misbehavesOnlyTowardsTheRequestsItWasToldOf() throws Exception {
    exists();
    api.misbehave(1, RawFault.body(200, "\"x\""), "PATCH " + PG);

    assertEquals(200, send("GET", PG, "", null).code());
    assertEquals("\"x\"", send("PATCH", PG, "{}", MERGE).body().toString());
    assertEquals(
        "pg", send("PATCH", PG, "{}", MERGE).body().path("metadata").path("name").asText());
    assertEquals(2, api.calls().size(), "the raw fault never came to the server");
  }

  private void exists() {
    api.put(new EndpointsBuilder().withNewMetadata().withName("pg").endMetadata().build());
  }

  private static void assertStatus(Answer answer, int code, String reason, String message) {
    assertEquals(message, answer.message());
    assertEquals(code, answer.code());
    assertEquals(reason, answer.reason());
    assertEquals("Status", answer.body().path("kind").asText());
    assertEquals("Failure", answer.body().path("status").asText());
    assertEquals(code, answer.body().path("code").asInt());
    assertTrue(answer.headers().get("content-type").contains("application/json"));
  }

  private static String endpoints(String subsets) {
    return "{\"kind\": \"Endpoints\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"pg\"}, \"subsets\": %s}"
        .formatted(subsets);
  }

  private static String patch(String annotations, String subsets) {
    return "{\"metadata\": {\"annotations\": %s}, \"subsets\": %s}".formatted(annotations, subsets);
  }

  private static String subset(String ip) {
    return "{\"addresses\": [{\"ip\": \"%s\"}], \"ports\": [{\"port\": 5432}]}".formatted(ip);
  }

  private Answer post(String path, String body) throws Exception {
    return send("POST", path, body, "application/json");
  }

  private Answer send(String method, String path, String body, String type) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(api.url() + path)).timeout(Duration.ofSeconds(20));
    if (method.equals("GET") || method.equals("DELETE")) {
      request.method(method, BodyPublishers.noBody());
    } else {
      request.method(method, BodyPublishers.ofString(body)).header("Content-Type", type);
    }
    HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
    return new Answer(
        response.statusCode(), JSON.readTree(response.body()), response.headers().map());
  }
}
