package io.github.pgendpoints.kubernetes;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RawFault;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the client handles an API server that misbehaves, and what its error messages report. */
class ApiFailuresTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Duration SHORT = Duration.ofSeconds(1);

  private final FakeApiServer api = new FakeApiServer("db");

  @AfterEach
  void stop() {
    api.close();
  }

  static Stream<Arguments> broken() {
    String none = " returned something other than the requested Kubernetes object";
    return Stream.of(
        Arguments.of(
            "cut", RawFault.cut(), " closed the connection before the end of its response"),
        Arguments.of(
            "hung up", RawFault.hangUp(), " closed the connection before the end of its response"),
        Arguments.of("flood", RawFault.flood(), " cannot be reached: an answer of more than 4 MiB"),
        Arguments.of("a page", RawFault.body(200, "<html>Sign in"), none),
        Arguments.of("a list", RawFault.body(200, "[1]"), none),
        Arguments.of("half a JSON", RawFault.body(200, "{\"kind\": "), none),
        Arguments.of("nothing", RawFault.body(200, ""), ": the answer is not Endpoints x"),
        Arguments.of("null", RawFault.body(200, "null"), ": the answer is not Endpoints x"),
        Arguments.of("no object", RawFault.body(200, "{}"), ": the answer is not Endpoints x"),
        Arguments.of(
            "another kind",
            RawFault.body(200, named("Pod", "x")),
            ": the answer is not Endpoints x"),
        Arguments.of(
            "another name",
            RawFault.body(200, named("Endpoints", "y")),
            ": the answer is not Endpoints x"),
        Arguments.of(
            "a proxy's 404", RawFault.body(404, "<html>Not here"), " refused the request (404): "),
        Arguments.of(
            "404 of the namespace",
            RawFault.body(
                404,
                "{\"kind\": \"Status\", \"code\": 404,"
                    + " \"details\": {\"kind\": \"namespaces\", \"name\": \"db\"}}"),
            " has no namespace db (404)"),
        Arguments.of(
            "a proxy's 502", RawFault.body(502, "<html>Oh"), " refused the request (502): "),
        Arguments.of("a redirect", RawFault.body(302, ""), " refused the request (302): "),
        Arguments.of("403 of a proxy", RawFault.body(403, "No"), " refused the request (403): "),
        Arguments.of(
            "binary",
            RawFault.body(
                500, "{\"message\": \"\\u0000\\u0007\\u001b[2J" + "x".repeat(99_999) + "\"}"),
            " refused the request (500): [2Jxxx"));
  }

  private static String named(String kind, String name) {
    return """
        {"kind": "%s", "apiVersion": "v1", "metadata":
          {"name": "%s", "namespace": "db", "resourceVersion": "1"}}"""
        .formatted(kind, name);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("broken")
  void reportsWhatIsWrongWithAnAnswer(String what, RawFault fault, String sentence) {
    api.start().misbehave(1, fault);

    String said = failure(api.config());

    assertTrue(said.startsWith("the Kubernetes API at 127.0.0.1:" + api.port() + sentence), said);
    assertTrue(said.length() < 450 && said.indexOf('\n') < 0, said);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void reportsThatNoServerListens(boolean tls) {
    Config config = (tls ? api.withTls() : api).start().config();
    api.stop();

    assertEquals(
        "the Kubernetes API at 127.0.0.1:%d cannot be reached: Connection refused"
            .formatted(api.port()),
        failure(config));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void endsInTimeWithoutACompleteAnswer(boolean dripping) {
    if (dripping) {
      api.start().misbehave(1, RawFault.drip());
    } else {
      api.start().hang();
    }
    long start = System.nanoTime();

    String said = failure(api.config(), SHORT);

    Duration took = Duration.ofNanos(System.nanoTime() - start);
    assertEquals(
        "the Kubernetes API at 127.0.0.1:%d cannot be reached: no answer within 1 s"
            .formatted(api.port()),
        said);
    assertTrue(took.compareTo(SHORT.multipliedBy(5)) < 0, took.toString());
  }

  @Test
  void reportsThatSomethingElseListens() {
    api.withTls().start();

    assertTrue(failure(at("http://127.0.0.1:" + api.port())).contains(" sent invalid HTTP: "));
  }

  @Test
  void reportsThatTheHostIsUnknown() {
    assertEquals(
        "the Kubernetes API at no-such-host.invalid:6443 cannot be reached: unknown host",
        failure(at("https://no-such-host.invalid:6443")));
  }

  @Test
  void acceptsACertificateTrustedByTheKubeconfig() {
    api.withTls().start();
    try (KubernetesClient client = KubernetesAccess.client(api.config(), TIMEOUT)) {
      assertEquals("1", client.getKubernetesVersion().getMajor());
    }
  }

  @Test
  void reportsThatACertificateIsNotTrusted() {
    api.withTls().start();

    String said = failure(at(api.url()));

    assertTrue(
        said.endsWith(
            " cannot be trusted: its TLS certificate is not signed by the configured CA"
                + " (unable to find valid certification path to requested target)"),
        said);
  }

  @Test
  void reportsThatACertificateIsForAnotherHost() {
    api.withTls().start();
    Config config = api.config();
    config.setMasterUrl(api.url().replace("127.0.0.1", "localhost"));

    String said = failure(config);

    assertTrue(said.endsWith(" its TLS certificate is for other host names"), said);
  }

  @Test
  void reportsThatTheTokenIsNotAccepted() {
    api.start();
    Config config = api.config();
    api.requireToken("another");

    assertEquals(
        "the Kubernetes API at 127.0.0.1:%d does not accept our token (401): Unauthorized"
            .formatted(api.port()),
        failure(config));
  }

  @ParameterizedTest
  @CsvSource({"200,false", "429,true", "503,true"})
  void readsRetryAfterOfAPlainTextAnswer(int code, boolean found) {
    api.start()
        .misbehave(
            1,
            client ->
                client.write(
                    ("HTTP/1.1 %d x\r\nRetry-After: 7\r\nContent-Length: 18\r\n\r\nToo many requests."
                            .formatted(code))
                        .getBytes(StandardCharsets.US_ASCII)));

    try (KubernetesClient client = KubernetesAccess.client(api.config(), TIMEOUT)) {
      KubernetesClientException e = get(client);
      assertEquals(found, e.getStatus() != null);
      if (found) {
        assertEquals(code, e.getCode());
        assertEquals(7, e.getStatus().getDetails().getRetryAfterSeconds());
        assertEquals("Too many requests.", e.getStatus().getMessage());
      }
    }
  }

  @Test
  void leavesNoThreadAndNoConnectionBehind() throws Exception {
    api.start();
    try (KubernetesClient client = KubernetesAccess.client(api.config(), Duration.ofMillis(200))) {
      fail(client, 20);
      int threads = Thread.activeCount();

      fail(client, 300);

      // The front end of the fake server also has one thread for each connection.
      await().until(() -> api.connections() <= 1);
      assertTrue(Thread.activeCount() <= threads + 8, "threads: " + Thread.activeCount());
    }
  }

  private void fail(KubernetesClient client, int times) {
    RawFault[] faults = {
      RawFault.cut(), RawFault.hangUp(), RawFault.body(200, "<"), RawFault.body(500, "x")
    };
    for (int i = 0; i < times; i++) {
      // An answer that drips takes the whole timeout of 200 ms, so it is rarer.
      api.misbehave(1, i % 20 == 0 ? RawFault.drip() : faults[i % faults.length]);
      assertThrows(
          KubernetesClientException.class,
          () -> client.endpoints().inNamespace("db").withName("x").get());
    }
  }

  private static Config at(String url) {
    return new ConfigBuilder(Config.empty()).withMasterUrl(url).build();
  }

  private static String failure(Config config) {
    return failure(config, TIMEOUT);
  }

  private static String failure(Config config, Duration timeout) {
    try (KubernetesClient client = KubernetesAccess.client(config, timeout)) {
      return new KubernetesErrors(client.getConfiguration()).describe(get(client));
    }
  }

  private static KubernetesClientException get(KubernetesClient client) {
    ObjectClient<Endpoints> endpoints =
        new ObjectClient<>(client, ObjectKind.ENDPOINTS, "db", RequestListener.NONE);
    return assertThrows(KubernetesClientException.class, () -> endpoints.get("x"));
  }
}
