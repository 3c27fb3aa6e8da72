package io.github.pgendpoints.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RawFault;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The requests of each operation to an API server, and the answers that it accepts. */
class ObjectClientTest {
  private static final String PATH = "/api/v1/namespaces/db/endpoints";

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final List<String> requests = new ArrayList<>();
  private final ObjectClient<Endpoints> endpoints = client(ObjectKind.ENDPOINTS, "db");
  private final ObjectClient<EndpointSlice> slices = client(ObjectKind.ENDPOINT_SLICES, "db");

  private <T extends HasMetadata> ObjectClient<T> client(ObjectKind<T> kind, String namespace) {
    return new ObjectClient<>(
        api.client(config -> config.withRequestTimeout(10_000)), kind, namespace, this::ended);
  }

  private void ended(
      ObjectOperation operation,
      ObjectKind<?> kind,
      HasMetadata object,
      KubernetesClientException failure) {
    requests.add(
        "%s %s %s"
            .formatted(
                operation.of(kind),
                object == null ? "-" : object.getMetadata().getName(),
                failure == null ? "granted" : failure.getCode()));
  }

  @AfterEach
  void stop() {
    api.close();
  }

  // --- reading ----------------------------------------------------------------------------------

  @Test
  void listReturnsTheObjectsOfOneNamespaceOrOfAll() {
    api.createNamespace("other").put(named("a").build());
    api.put(named("b").editMetadata().withNamespace("other").endMetadata().build());

    assertEquals(List.of("a"), names(endpoints.list(Map.of())));
    assertEquals(List.of("b"), names(client(ObjectKind.ENDPOINTS, "other").list(Map.of())));
    assertEquals(List.of("a", "b"), names(client(ObjectKind.ENDPOINTS, null).list(Map.of())));
    assertEquals(List.of(), names(client(ObjectKind.ENDPOINTS, "none").list(Map.of())));
  }

  @Test
  void listSelectsByAllLabels() {
    api.put(named("a").editMetadata().addToLabels("app", "x").endMetadata().build());
    api.put(
        named("b")
            .editMetadata()
            .addToLabels("app", "x")
            .addToLabels("tier", "y")
            .endMetadata()
            .build());

    assertEquals(List.of("b"), names(endpoints.list(Map.of("app", "x", "tier", "y"))));
  }

  @Test
  void getReturnsTheObjectOrNull() {
    api.put(named("pg").build());

    assertEquals(api.endpoints("pg"), endpoints.get("pg"));
    assertNull(endpoints.get("none"));
  }

  @Test
  void aMissingNamespaceIsNotAMissingObject() {
    KubernetesClientException e =
        failure(() -> client(ObjectKind.ENDPOINTS, "none").create(named("pg").build()));

    assertEquals(404, e.getCode());
    assertEquals("namespaces", e.getStatus().getDetails().getKind());
  }

  // --- which answers are accepted ---------------------------------------------------------------

  static Stream<Arguments> answersThatDoNotCount() {
    return Stream.of(
        Arguments.of("empty", 200, ""),
        Arguments.of("null", 200, "null"),
        Arguments.of("no object", 200, "{}"),
        Arguments.of("another kind", 200, object("Pod", "pg", "db", "\"1\"")),
        Arguments.of("another name", 200, object("Endpoints", "other", "db", "\"1\"")),
        Arguments.of("another namespace", 200, object("Endpoints", "pg", "other", "\"1\"")),
        Arguments.of("no version", 200, object("Endpoints", "pg", "db", "null")),
        Arguments.of("a proxy's 404", 404, "<html>Not here"),
        Arguments.of("a 404 without details", 404, "{\"kind\": \"Status\", \"code\": 404}"),
        Arguments.of(
            "404 of the namespace",
            404,
            "{\"kind\": \"Status\", \"code\": 404, \"details\": {\"kind\": \"namespaces\"}}"));
  }

  private static String object(String kind, String name, String namespace, String version) {
    return """
        {"kind": "%s", "apiVersion": "v1", "metadata":
          {"name": "%s", "namespace": "%s", "resourceVersion": %s}}"""
        .formatted(kind, name, namespace, version);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("answersThatDoNotCount")
  void anAnswerThatIsNotTheObjectIsAFailure(String what, int code, String body) {
    Endpoints pg = named("pg").build();
    for (Executable request :
        List.<Executable>of(
            () -> endpoints.get("pg"), () -> endpoints.create(pg), () -> endpoints.patch(pg))) {
      api.misbehave(1, RawFault.body(code, body));

      failure(request);
    }
  }

  @Test
  void onlyA404OfTheObjectMeansItIsMissing() {
    api.misbehave(
        1,
        RawFault.body(
            404, "{\"kind\": \"Status\", \"code\": 404, \"details\": {\"kind\": \"endpoints\"}}"));

    assertNull(endpoints.get("pg"));
  }

  // --- writing ----------------------------------------------------------------------------------

  @Test
  void createSendsLabelsAnnotationsAndSubsets() {
    Endpoints created =
        endpoints.create(
            withSubset("10.0.0.1")
                .editMetadata()
                .withLabels(Map.of("app", "x"))
                .withAnnotations(nullable("a", "b", "gone", null))
                .endMetadata()
                .build());

    assertEquals(api.endpoints("pg"), created);
    assertEquals("10.0.0.1", created.getSubsets().get(0).getAddresses().get(0).getIp());
    assertEquals(Map.of("app", "x"), created.getMetadata().getLabels());
    assertEquals(Map.of("a", "b"), created.getMetadata().getAnnotations());
  }

  @Test
  void createFailsForAnObjectThatExists() {
    api.put(named("pg").build());

    assertEquals(
        "AlreadyExists",
        failure(() -> endpoints.create(named("pg").build())).getStatus().getReason());
  }

  @Test
  void patchChangesOnlyTheGivenFields() {
    api.put(
        withSubset("10.0.0.9")
            .editMetadata()
            .addToLabels("team", "blue")
            .addToAnnotations("keep", "1")
            .addToAnnotations("gone", "1")
            .endMetadata()
            .build());

    Endpoints change =
        named("pg")
            .editMetadata()
            .withAnnotations(nullable("new", "2", "gone", null))
            .withLabels(null)
            .endMetadata()
            .build();
    change.setSubsets(null);
    endpoints.patch(change);

    Endpoints patched = api.endpoints("pg");
    assertEquals(Map.of("keep", "1", "new", "2"), patched.getMetadata().getAnnotations());
    assertEquals(Map.of("team", "blue"), patched.getMetadata().getLabels());
    assertEquals(1, patched.getSubsets().size());
    assertEquals("{\"metadata\":{\"annotations\":{\"new\":\"2\",\"gone\":null}}}", sent());
  }

  @Test
  void patchReplacesSubsetsAndAnEmptyListRemovesThem() {
    api.put(withSubset("10.0.0.9").build());

    endpoints.patch(withSubset("10.0.0.1").build());
    assertEquals(1, api.endpoints("pg").getSubsets().size());
    endpoints.patch(named("pg").withSubsets(List.of()).build());

    assertEquals(List.of(), api.endpoints("pg").getSubsets());
  }

  @Test
  void patchIsOneRequest() {
    api.put(named("pg").build());

    endpoints.patch(withSubset("10.0.0.1").build());

    assertEquals(List.of("PATCH " + PATH + "/pg"), api.calls());
    assertTrue(api.requests().get(0).contentType().startsWith("application/merge-patch+json"));
  }

  @Test
  void patchFailsForAnObjectThatDoesNotExist() {
    assertEquals(404, failure(() -> endpoints.patch(withSubset("10.0.0.1").build())).getCode());
    assertNull(api.endpoints("pg"));
  }

  @Test
  void patchWithAVersionIsACompareAndSwap() {
    api.put(named("pg").build());
    String version = api.endpoints("pg").getMetadata().getResourceVersion();

    endpoints.patch(at(version, withSubset("10.0.0.1").build()));
    KubernetesClientException stale =
        failure(() -> endpoints.patch(at(version, named("pg").withSubsets(List.of()).build())));

    assertEquals("Conflict", stale.getStatus().getReason());
    assertEquals(1, api.endpoints("pg").getSubsets().size());
  }

  @Test
  void deleteSaysWhetherTheObjectExisted() {
    api.put(named("pg").build());

    assertTrue(endpoints.delete(named("pg").build()));
    assertFalse(endpoints.delete(named("pg").build()));
  }

  @Test
  void deleteWithAVersionIsACompareAndSwap() {
    api.put(named("pg").build());
    String version = api.endpoints("pg").getMetadata().getResourceVersion();
    api.put(withSubset("10.0.0.1").build());

    assertEquals(409, failure(() -> endpoints.delete(at(version, named("pg").build()))).getCode());
    assertTrue(
        endpoints.delete(
            at(api.endpoints("pg").getMetadata().getResourceVersion(), named("pg").build())));
  }

  // --- other kinds ------------------------------------------------------------------------------

  @Test
  void slicesAreCreatedListedPatchedAndDeleted() {
    EndpointSlice created = slices.create(slice("IPv4", "10.0.0.1"));
    assertEquals("IPv4", created.getAddressType());
    assertEquals(5432, created.getPorts().get(0).getPort());
    assertEquals(true, created.getEndpoints().get(0).getConditions().getServing());
    assertEquals(List.of(created), slices.list(Map.of("kubernetes.io/service-name", "pg")));
    assertEquals(created, slices.get("pg-1"));

    EndpointSlice change =
        new EndpointSliceBuilder().withNewMetadata().withName("pg-1").endMetadata().build();
    change.setPorts(null);
    EndpointSlice emptied = slices.patch(change);
    assertNull(emptied.getEndpoints());
    assertEquals(created.getPorts(), emptied.getPorts());
    assertEquals("pg", emptied.getMetadata().getLabels().get("kubernetes.io/service-name"));

    assertTrue(slices.delete(slice("IPv4", "10.0.0.1")));
    assertNull(slices.get("pg-1"));
  }

  @ParameterizedTest
  @CsvSource({
    "IPv6, 10.0.0.1",
    "IPv4, 2001:db8::1",
    "IPv4, 127.0.0.1",
    "IPv6, ::1",
    "IPv4, db.example.com",
  })
  void aSliceWithAnInvalidAddressIsRefused(String family, String address) {
    assertEquals(422, failure(() -> slices.create(slice(family, address))).getCode());
  }

  @Test
  void aSliceKeepsItsAddressFamily() {
    slices.create(slice("IPv4", "10.0.0.1"));

    assertEquals(422, failure(() -> slices.patch(slice("IPv6", "2001:db8::1"))).getCode());
  }

  @Test
  void aNullRemovesAKeyOfAConfigMap() {
    ObjectClient<ConfigMap> maps = client(ObjectKind.CONFIG_MAPS, "db");
    maps.create(map(Map.of("a", "1", "b", "2")));

    maps.patch(map(nullable("a", null, "c", "3")));

    assertEquals(Map.of("b", "2", "c", "3"), maps.get("state").getData());
  }

  // --- what is wrong with a request -------------------------------------------------------------

  @Test
  void aRequestWithoutANameOrANamespaceIsNotSent() {
    ObjectClient<Endpoints> anywhere = client(ObjectKind.ENDPOINTS, null);

    for (Executable request :
        List.<Executable>of(
            () -> anywhere.get("pg"),
            () -> anywhere.patch(named("pg").build()),
            () -> endpoints.get(null),
            () -> endpoints.create(named("").build()),
            () -> endpoints.delete(named(null).build()))) {
      assertThrows(IllegalArgumentException.class, request);
    }
    assertEquals(List.of(), api.calls());
  }

  @Test
  void theListenerHearsOfEachRequest() {
    api.deny("list", "endpoints");
    endpoints.get("pg");
    failure(() -> endpoints.list(Map.of()));
    failure(() -> endpoints.patch(withSubset("10.0.0.1").build()));
    endpoints.create(named("pg").build());
    slices.create(slice("IPv4", "10.0.0.1"));
    endpoints.delete(named("pg").build());

    assertEquals(
        List.of(
            "getEndpoints - granted",
            "listEndpoints - 403",
            "patchEndpoints pg 404",
            "createEndpoints pg granted",
            "createEndpointSlice pg-1 granted",
            "deleteEndpoints pg granted"),
        requests);
  }

  private static KubernetesClientException failure(Executable request) {
    return assertThrows(KubernetesClientException.class, request);
  }

  private String sent() {
    return api.requests().get(api.requests().size() - 1).body();
  }

  private static List<String> names(List<Endpoints> list) {
    return list.stream().map(item -> item.getMetadata().getName()).sorted().toList();
  }

  private static EndpointsBuilder named(String name) {
    return new EndpointsBuilder().withNewMetadata().withName(name).endMetadata();
  }

  private static EndpointsBuilder withSubset(String ip) {
    return named("pg")
        .addNewSubset()
        .addNewAddress()
        .withIp(ip)
        .endAddress()
        .addNewPort()
        .withPort(5432)
        .endPort()
        .endSubset();
  }

  private static <T extends HasMetadata> T at(String version, T object) {
    object.getMetadata().setResourceVersion(version);
    return object;
  }

  private static EndpointSlice slice(String family, String address) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName("pg-1")
        .addToLabels("kubernetes.io/service-name", "pg")
        .endMetadata()
        .withAddressType(family)
        .addNewEndpoint()
        .withAddresses(address)
        .withNewConditions()
        .withServing(true)
        .endConditions()
        .endEndpoint()
        .addNewPort()
        .withName("postgresql")
        .withPort(5432)
        .endPort()
        .build();
  }

  private static ConfigMap map(Map<String, String> data) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName("state")
        .endMetadata()
        .withData(data)
        .build();
  }

  private static Map<String, String> nullable(String k1, String v1, String k2, String v2) {
    Map<String, String> map = new HashMap<>();
    map.put(k1, v1);
    map.put(k2, v2);
    return map;
  }
}
