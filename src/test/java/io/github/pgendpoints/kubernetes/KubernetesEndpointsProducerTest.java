package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_ANNOTATIONS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_LABELS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_NAME;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_RESOURCE_VERSION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_SUBSETS;
import static org.apache.camel.component.kubernetes.KubernetesConstants.KUBERNETES_NAMESPACE_NAME;
import static org.apache.camel.component.kubernetes.KubernetesConstants.KUBERNETES_OPERATION;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.EndpointSubsetBuilder;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The operations of {@code kubernetes-endpoints} against an API server. */
class KubernetesEndpointsProducerTest {
  private static final List<EndpointSubset> SUBSETS = List.of(subset("10.0.0.1"));

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private ProducerTemplate template;

  @BeforeEach
  void start() {
    context.getRegistry().bind("client", api.client(config -> config.withRequestTimeout(10_000)));
    context.start();
    template = context.createProducerTemplate();
  }

  @AfterEach
  void stop() {
    context.stop();
    api.close();
  }

  @Test
  void listsANamespaceOrAll() {
    exists("a");
    api.createNamespace("other");
    api.put(
        new EndpointsBuilder(endpoints("b"))
            .editMetadata()
            .withNamespace("other")
            .endMetadata()
            .build());

    assertEquals(List.of("a"), names(body("listEndpoints&namespace=db", Map.of())));
    assertEquals(
        List.of("b"),
        names(body("listEndpoints&namespace=db", Map.of(KUBERNETES_NAMESPACE_NAME, "other"))),
        "the header goes before the option");
    assertEquals(List.of("a", "b"), names(body("listEndpoints", Map.of())));
    assertEquals(List.of(), names(body("listEndpoints&namespace=none", Map.of())));
  }

  @Test
  void listsByLabels() {
    exists("a");
    api.put(endpoints("b").edit().editMetadata().addToLabels("app", "x").endMetadata().build());

    assertEquals(
        List.of("b"),
        names(
            body(
                "listEndpointsByLabels&namespace=db",
                Map.of(KUBERNETES_ENDPOINTS_LABELS, Map.of("app", "x")))));
  }

  @Test
  void getsOneOrNone() {
    exists("pg");

    assertEquals("pg", ((Endpoints) body("getEndpoints", name("pg"))).getMetadata().getName());
    assertNull(body("getEndpoints", name("none")));
  }

  @Test
  void createsWithLabelsAnnotationsAndSubsets() {
    Map<String, Object> headers = new HashMap<>(name("pg"));
    headers.put(KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS);
    headers.put(KUBERNETES_ENDPOINTS_LABELS, Map.of("app", "x"));
    headers.put(KUBERNETES_ENDPOINTS_ANNOTATIONS, nullable("a", "b", "gone", null));

    Endpoints created = (Endpoints) body("createEndpoints", headers);

    assertEquals(api.endpoints("pg"), created);
    assertEquals(SUBSETS.get(0).getAddresses(), created.getSubsets().get(0).getAddresses());
    assertEquals(Map.of("app", "x"), created.getMetadata().getLabels());
    assertEquals(Map.of("a", "b"), created.getMetadata().getAnnotations());
  }

  @Test
  void doesNotCreateTwice() {
    exists("pg");

    assertEquals(409, failure("createEndpoints", name("pg")).getCode());
  }

  @Test
  void patchesOnlyWhatTheHeadersName() {
    api.put(
        endpoints("pg")
            .edit()
            .editMetadata()
            .addToLabels("team", "blue")
            .addToAnnotations("keep", "1")
            .addToAnnotations("gone", "1")
            .endMetadata()
            .withSubsets(subset("10.0.0.9"), subset("10.0.0.8"))
            .build());
    Map<String, Object> headers = new HashMap<>(name("pg"));
    headers.put(KUBERNETES_ENDPOINTS_ANNOTATIONS, nullable("new", "2", "gone", null));

    body("patchEndpoints", headers);
    assertEquals(
        Map.of("keep", "1", "new", "2"), api.endpoints("pg").getMetadata().getAnnotations());
    assertEquals(Map.of("team", "blue"), api.endpoints("pg").getMetadata().getLabels());
    assertEquals(2, api.endpoints("pg").getSubsets().size());

    body("patchEndpoints", with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS));
    assertEquals(1, api.endpoints("pg").getSubsets().size(), "subsets are replaced, not added");
    body("patchEndpoints", with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, List.of()));
    assertEquals(List.of(), api.endpoints("pg").getSubsets());
    assertEquals(2, api.endpoints("pg").getMetadata().getAnnotations().size());
  }

  @Test
  void patchesWithoutReadingFirst() {
    exists("pg");

    body("patchEndpoints", with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS));

    assertEquals(List.of("PATCH /api/v1/namespaces/db/endpoints/pg"), api.calls());
  }

  @ParameterizedTest
  @ValueSource(strings = {"patchEndpoints", "patchOrCreateEndpoints"})
  void comparesAndSwaps(String operation) {
    exists("pg");
    String version = api.endpoints("pg").getMetadata().getResourceVersion();
    Map<String, Object> headers =
        with(
            with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS),
            KUBERNETES_ENDPOINTS_RESOURCE_VERSION,
            version);

    body(operation, headers);
    KubernetesClientException stale =
        failure(operation, with(headers, KUBERNETES_ENDPOINTS_SUBSETS, List.of()));

    assertEquals(409, stale.getCode());
    assertEquals("Conflict", stale.getStatus().getReason());
    assertEquals(1, api.endpoints("pg").getSubsets().size());
  }

  @Test
  void failsToPatchWhatIsNotThere() {
    assertEquals(
        404,
        failure("patchEndpoints", with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS))
            .getCode());
    assertNull(api.endpoints("pg"));
  }

  @Test
  void patchesOrCreates() {
    Map<String, Object> headers = with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS);

    body("patchOrCreateEndpoints", headers);
    body("patchOrCreateEndpoints", headers);

    assertEquals(
        List.of(
            "PATCH /api/v1/namespaces/db/endpoints/pg",
            "POST /api/v1/namespaces/db/endpoints",
            "PATCH /api/v1/namespaces/db/endpoints/pg"),
        api.calls());
  }

  @Test
  void patchesWhatSomebodyElseCreatedMeanwhile() {
    api.beforeNext("POST", "endpoints", () -> exists("pg"));

    body("patchOrCreateEndpoints", with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS));

    assertEquals(1, api.endpoints("pg").getSubsets().size());
  }

  @Test
  void doesNotPatchAStrangersEndpointsUnderAnOldVersion() {
    api.beforeNext("POST", "endpoints", () -> exists("pg"));

    KubernetesClientException e =
        failure(
            "patchOrCreateEndpoints",
            with(
                with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS),
                KUBERNETES_ENDPOINTS_RESOURCE_VERSION,
                "1"));

    assertEquals("AlreadyExists", e.getStatus().getReason());
    assertEquals(List.of(), api.endpoints("pg").getSubsets());
  }

  @Test
  void createsWhatSomebodyElseDeletedMeanwhile() {
    exists("pg");
    api.beforeNext("PATCH", "endpoints", () -> api.deleteEndpoints("pg"));

    body("patchOrCreateEndpoints", with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS));

    assertEquals(1, api.endpoints("pg").getSubsets().size());
  }

  @Test
  void doesNotGoRoundForEver() {
    for (int i = 0; i < PatchingProducer.PATCH_OR_CREATE_ATTEMPTS; i++) {
      api.beforeNext("PATCH", "endpoints", () -> api.deleteEndpoints("pg"));
      api.beforeNext("POST", "endpoints", () -> exists("pg"));
    }

    assertEquals(
        409,
        failure("patchOrCreateEndpoints", with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS))
            .getCode());
    assertEquals(2 * PatchingProducer.PATCH_OR_CREATE_ATTEMPTS, api.calls().size());
  }

  @Test
  void knowsAMissingNamespaceFromMissingEndpoints() {
    Map<String, Object> headers =
        with(
            with(name("pg"), KUBERNETES_ENDPOINTS_SUBSETS, SUBSETS),
            KUBERNETES_NAMESPACE_NAME,
            "nope");

    KubernetesClientException e = failure("patchOrCreateEndpoints", headers);

    assertEquals(404, e.getCode());
    assertEquals("namespaces", e.getStatus().getDetails().getKind());
    assertEquals(2, api.calls().size());
  }

  @Test
  void takesTheOperationFromTheHeaderToo() {
    exists("pg");

    Exchange answer =
        request(
            "kubernetes-endpoints:local?namespace=db",
            with(name("pg"), KUBERNETES_OPERATION, "getEndpoints"));

    assertInstanceOf(Endpoints.class, answer.getMessage().getBody());
    assertEquals(
        "pg",
        answer.getMessage().getHeader(KUBERNETES_ENDPOINTS_NAME),
        "headers are kept, as by the other components");
  }

  static Stream<Arguments> wrongMessages() {
    Map<String, Object> pg = name("pg");
    String subsets = KUBERNETES_ENDPOINTS_SUBSETS;
    return Stream.of(
        Arguments.of("getEndpoints", Map.of(), "requires the header " + KUBERNETES_ENDPOINTS_NAME),
        Arguments.of("createEndpoints", with(pg, KUBERNETES_ENDPOINTS_NAME, ""), "Name"),
        Arguments.of("listEndpointsByLabels", Map.of(), KUBERNETES_ENDPOINTS_LABELS),
        Arguments.of(
            "listEndpointsByLabels", Map.of(KUBERNETES_ENDPOINTS_LABELS, Map.of()), "Labels"),
        Arguments.of(
            "patchEndpoints",
            pg,
            "requires the header CamelKubernetesEndpointsSubsets, CamelKubernetesEndpointsLabels"
                + " or CamelKubernetesEndpointsAnnotations"),
        Arguments.of("patchEndpoints", with(pg, subsets, "10.0.0.1"), "not java.lang.String"),
        Arguments.of("patchEndpoints", with(pg, subsets, List.of("x")), "a List of EndpointSubset"),
        Arguments.of("createEndpoints", with(pg, subsets, Map.of()), "a List of EndpointSubset"),
        Arguments.of(
            "patchEndpoints",
            with(pg, KUBERNETES_ENDPOINTS_ANNOTATIONS, Map.of("a", 1)),
            "The header CamelKubernetesEndpointsAnnotations must be a Map of String to String"),
        Arguments.of(
            "createEndpoints",
            with(pg, KUBERNETES_ENDPOINTS_LABELS, "a=b"),
            "The header CamelKubernetesEndpointsLabels must be a Map of String to String"));
  }

  @ParameterizedTest
  @MethodSource("wrongMessages")
  void refusesAMessageThatLacksWhatItNeedsOrIsWrong(
      String operation, Map<String, Object> headers, String message) {
    refused(uri(operation + "&namespace=db"), headers, message);
  }

  @Test
  void refusesAMessageWithoutNamespaceOrOperation() {
    refused(uri("getEndpoints"), Map.of(KUBERNETES_ENDPOINTS_NAME, "pg"), "option namespace");
    refused("kubernetes-endpoints:local", name("pg"), "requires a operation");
    refused(
        "kubernetes-endpoints:local",
        with(name("pg"), KUBERNETES_OPERATION, "dropEndpoints"),
        "Unsupported operation dropEndpoints");
  }

  private void refused(String uri, Map<String, Object> headers, String message) {
    Exception e = request(uri, headers).getException();

    assertInstanceOf(IllegalArgumentException.class, e);
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertEquals(List.of(), api.calls(), "nothing was sent");
  }

  private Object body(String operation, Map<String, Object> headers) {
    Exchange answer = request(uri(operation), headers);
    if (answer.getException() != null) {
      throw new AssertionError(answer.getException());
    }
    return answer.getMessage().getBody();
  }

  private KubernetesClientException failure(String operation, Map<String, Object> headers) {
    return assertInstanceOf(
        KubernetesClientException.class, request(uri(operation), headers).getException());
  }

  private Exchange request(String uri, Map<String, Object> headers) {
    return template.request(uri, exchange -> exchange.getIn().setHeaders(new HashMap<>(headers)));
  }

  private static String uri(String operation) {
    return "kubernetes-endpoints:local?operation=" + operation;
  }

  private void exists(String name) {
    api.put(endpoints(name));
  }

  private static Endpoints endpoints(String name) {
    return new EndpointsBuilder()
        .withNewMetadata()
        .withNamespace("db")
        .withName(name)
        .endMetadata()
        .build();
  }

  private static EndpointSubset subset(String ip) {
    return new EndpointSubsetBuilder()
        .addNewAddress()
        .withIp(ip)
        .endAddress()
        .addNewPort()
        .withPort(5432)
        .endPort()
        .build();
  }

  private static Map<String, Object> name(String name) {
    return Map.of(KUBERNETES_ENDPOINTS_NAME, name, KUBERNETES_NAMESPACE_NAME, "db");
  }

  private static Map<String, Object> with(Map<String, Object> headers, String key, Object value) {
    Map<String, Object> all = new HashMap<>(headers);
    all.put(key, value);
    return all;
  }

  private static Map<String, String> nullable(String k1, String v1, String k2, String v2) {
    Map<String, String> map = new HashMap<>();
    map.put(k1, v1);
    map.put(k2, v2);
    return map;
  }

  private static List<String> names(Object list) {
    return ((List<?>) list)
        .stream().map(item -> ((Endpoints) item).getMetadata().getName()).sorted().toList();
  }
}
