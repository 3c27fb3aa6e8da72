package io.github.pgendpoints.kubernetes;

import static org.apache.camel.component.kubernetes.KubernetesConstants.KUBERNETES_NAMESPACE_NAME;
import static org.apache.camel.component.kubernetes.KubernetesConstants.KUBERNETES_OPERATION;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.util.ArrayList;
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

/** How the component turns a message into requests, for both of its schemes. */
class ObjectProducerTest {
  private static final Endpoints PG = endpoints("pg", "10.0.0.1");

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final List<String> heard = new ArrayList<>();
  private ProducerTemplate template;

  @BeforeEach
  void start() {
    context.getRegistry().bind("client", api.client(config -> config.withRequestTimeout(10_000)));
    context
        .getRegistry()
        .bind(
            "requests",
            (RequestListener) (operation, kind, object, failure) -> heard.add(operation.of(kind)));
    context.start();
    template = context.createProducerTemplate();
  }

  @AfterEach
  void stop() {
    context.stop();
    api.close();
  }

  // --- each operation ---------------------------------------------------------------------------

  @Test
  void endpointsGoThroughEachOperation() {
    assertEquals(List.of(), body("listEndpoints", null));
    Endpoints created = (Endpoints) body("createEndpoints", PG);
    assertEquals(api.endpoints("pg"), created);
    assertEquals(List.of(created), body("listEndpoints", null));
    assertEquals(created, body("getEndpoints", "pg"));
    assertEquals(List.of(), body("listEndpoints", Map.of("app", "x")));

    assertEquals("10.0.0.2", ip(body("patchEndpoints", endpoints("pg", "10.0.0.2"))));
    assertEquals("10.0.0.3", ip(body("patchOrCreateEndpoints", endpoints("pg", "10.0.0.3"))));
    assertEquals(true, body("deleteEndpoints", PG));
    assertEquals(false, body("deleteEndpoints", PG));
    assertNull(body("getEndpoints", "pg"));
    assertTrue(heard.contains("patchEndpoints") && heard.contains("listEndpoints"), "" + heard);
  }

  @Test
  void slicesGoThroughEachOperation() {
    EndpointSlice created = (EndpointSlice) body("createEndpointSlice", slice("10.0.0.1"));
    assertEquals(List.of(created), body("listEndpointSlices", Map.of("app", "pg")));
    assertEquals(created, body("getEndpointSlice", "pg-1"));
    EndpointSlice patched = (EndpointSlice) body("patchEndpointSlice", slice("10.0.0.2"));
    assertEquals(List.of("10.0.0.2"), patched.getEndpoints().get(0).getAddresses());
    body("patchOrCreateEndpointSlice", slice("10.0.0.3"));
    assertEquals(true, body("deleteEndpointSlice", slice("10.0.0.1")));
  }

  @Test
  void theHeaderNamesTheOperationWhereTheUriDoesNot() {
    api.put(PG);

    Exchange answer =
        request(
            "kubernetes-endpoints:local?namespace=db",
            "pg",
            Map.of(KUBERNETES_OPERATION, "getEndpoints", "mine", "kept"));

    assertInstanceOf(Endpoints.class, answer.getMessage().getBody());
    assertEquals("kept", answer.getMessage().getHeader("mine"));
  }

  @Test
  void theHeaderOverridesTheNamespaceOfTheUri() {
    api.createNamespace("other").put(PG);

    assertEquals(List.of(), in("other", "listEndpoints", null).getMessage().getBody());
    in("other", "createEndpoints", PG);
    assertEquals(1, ((List<?>) in("other", "listEndpoints", null).getMessage().getBody()).size());
    assertEquals(1, ((List<?>) in("", "listEndpoints", null).getMessage().getBody()).size());
    assertEquals(
        2,
        ((List<?>)
                request("kubernetes-endpoints:local?operation=listEndpoints", null, Map.of())
                    .getMessage()
                    .getBody())
            .size(),
        "no namespace means all of them");
  }

  // --- patch or create --------------------------------------------------------------------------

  @Test
  void patchOrCreateCreatesAMissingObject() {
    body("patchOrCreateEndpoints", PG);
    body("patchOrCreateEndpoints", PG);

    assertEquals(
        List.of(
            "PATCH /api/v1/namespaces/db/endpoints/pg",
            "POST /api/v1/namespaces/db/endpoints",
            "PATCH /api/v1/namespaces/db/endpoints/pg"),
        api.calls());
  }

  @Test
  void patchOrCreateHandlesAConcurrentCreate() {
    api.beforeNext("POST", "endpoints", () -> api.put(endpoints("pg", "10.0.0.9")));

    body("patchOrCreateEndpoints", PG);

    assertEquals("10.0.0.1", ip(api.endpoints("pg")));
  }

  @Test
  void patchOrCreateHandlesAConcurrentDelete() {
    api.put(endpoints("pg", "10.0.0.9"));
    api.beforeNext("PATCH", "endpoints", () -> api.deleteEndpoints("pg"));

    body("patchOrCreateEndpoints", PG);

    assertEquals("10.0.0.1", ip(api.endpoints("pg")));
  }

  @Test
  void patchOrCreateWithAVersionKeepsANewObject() {
    api.beforeNext("POST", "endpoints", () -> api.put(endpoints("pg", "10.0.0.9")));

    KubernetesClientException e = failure("patchOrCreateEndpoints", at("1"));

    assertEquals("AlreadyExists", e.getStatus().getReason());
    assertEquals("10.0.0.9", ip(api.endpoints("pg")));
  }

  @Test
  void patchOrCreateWithAStaleVersionIsAConflict() {
    api.put(endpoints("pg", "10.0.0.9"));
    String version = api.endpoints("pg").getMetadata().getResourceVersion();
    body("patchOrCreateEndpoints", at(version));

    assertEquals(
        "Conflict", failure("patchOrCreateEndpoints", at(version)).getStatus().getReason());
  }

  @Test
  void patchOrCreateEndsAfterThreeRounds() {
    for (int i = 0; i < ObjectProducer.PATCH_OR_CREATE_ATTEMPTS; i++) {
      api.beforeNext("PATCH", "endpoints", () -> api.deleteEndpoints("pg"));
      api.beforeNext("POST", "endpoints", () -> api.put(endpoints("pg", "10.0.0.9")));
    }

    assertEquals(409, failure("patchOrCreateEndpoints", PG).getCode());
    assertEquals(6, api.calls().size());
  }

  @Test
  void patchOrCreateFailsForAMissingNamespace() {
    KubernetesClientException e =
        assertInstanceOf(
            KubernetesClientException.class,
            in("none", "patchOrCreateEndpoints", PG).getException());

    assertEquals("namespaces", e.getStatus().getDetails().getKind());
    assertEquals(2, api.calls().size());
  }

  // --- wrong messages ---------------------------------------------------------------------------

  static Stream<Arguments> wrongMessages() {
    Endpoints nameless = new EndpointsBuilder().withNewMetadata().endMetadata().build();
    return Stream.of(
        Arguments.of("getEndpoints", null, "must be the name of an object, not null"),
        Arguments.of("getEndpoints", PG, "must be the name of an object, not io.fabric8"),
        Arguments.of("getEndpoints", "", "requires a name"),
        Arguments.of("createEndpoints", nameless, "requires a name"),
        Arguments.of("createEndpoints", new Endpoints(), "requires a name"),
        Arguments.of("patchOrCreateEndpoints", new Endpoints(), "requires a name"),
        Arguments.of("patchEndpoints", null, "must be an object of kind Endpoints, not null"),
        Arguments.of("patchEndpoints", "pg", "Endpoints, not java.lang.String"),
        Arguments.of("patchEndpoints", slice("10.0.0.1"), "EndpointSlice"),
        Arguments.of("patchOrCreateEndpoints", Map.of(), "must be an object of kind Endpoints"),
        Arguments.of("deleteEndpoints", "pg", "must be an object of kind Endpoints"),
        Arguments.of("createEndpointSlice", PG, "must be an object of kind EndpointSlice"),
        Arguments.of("listEndpoints", "app=x", "must be a Map of labels"));
  }

  @ParameterizedTest(name = "{0} of {1}")
  @MethodSource("wrongMessages")
  void aWrongBodyIsNotSent(String operation, Object body, String message) {
    refused(uri(operation) + "&namespace=db", body, Map.of(), message);
  }

  @Test
  void anIncompleteMessageIsNotSent() {
    refused(uri("getEndpoints"), "pg", Map.of(), "requires a namespace");
    refused(uri("patchEndpoints"), PG, Map.of(), "requires a namespace");
    refused("kubernetes-endpoints:local?namespace=db", PG, Map.of(), "requires a operation");
    refused(
        "kubernetes-endpoints:local?namespace=db",
        PG,
        Map.of(KUBERNETES_OPERATION, "patchEndpointSlice"),
        "Unsupported operation patchEndpointSlice");
  }

  private void refused(String uri, Object body, Map<String, Object> headers, String message) {
    Exception e = request(uri, body, headers).getException();

    assertInstanceOf(IllegalArgumentException.class, e);
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertEquals(List.of(), api.calls(), "nothing was sent");
  }

  private Object body(String operation, Object body) {
    Exchange answer = in("db", operation, body);
    if (answer.getException() != null) {
      throw new AssertionError(answer.getException());
    }
    return answer.getMessage().getBody();
  }

  private KubernetesClientException failure(String operation, Object body) {
    return assertInstanceOf(
        KubernetesClientException.class, in("db", operation, body).getException());
  }

  private Exchange in(String namespace, String operation, Object body) {
    return request(
        uri(operation) + "&namespace=db", body, Map.of(KUBERNETES_NAMESPACE_NAME, namespace));
  }

  private Exchange request(String uri, Object body, Map<String, Object> headers) {
    return template.request(
        uri,
        exchange -> {
          exchange.getMessage().setBody(body);
          headers.forEach(exchange.getMessage()::setHeader);
        });
  }

  private static String uri(String operation) {
    return "kubernetes-endpoint%s:local?operation=%s"
        .formatted(operation.contains("Slice") ? "-slices" : "s", operation);
  }

  private static Endpoints endpoints(String name, String ip) {
    return new EndpointsBuilder()
        .withNewMetadata()
        .withName(name)
        .endMetadata()
        .addNewSubset()
        .addNewAddress()
        .withIp(ip)
        .endAddress()
        .endSubset()
        .build();
  }

  private static Endpoints at(String version) {
    return PG.edit().editMetadata().withResourceVersion(version).endMetadata().build();
  }

  private static String ip(Object endpoints) {
    return ((Endpoints) endpoints).getSubsets().get(0).getAddresses().get(0).getIp();
  }

  private static EndpointSlice slice(String address) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName("pg-1")
        .addToLabels("app", "pg")
        .endMetadata()
        .withAddressType("IPv4")
        .addNewEndpoint()
        .withAddresses(address)
        .endEndpoint()
        .addNewPort()
        .withName("postgresql")
        .withPort(5432)
        .endPort()
        .build();
  }
}
