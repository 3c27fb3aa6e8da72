package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_ADDRESS_TYPE;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_ENDPOINTS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_LABELS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_NAME;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_PORTS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_RESOURCE_VERSION;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code kubernetes-endpoint-slices} does besides what it shares with its sibling. */
class KubernetesEndpointSlicesTest {
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
  void createsListsPatchesAndDeletes() {
    EndpointSlice created = (EndpointSlice) body("createEndpointSlice", slice("IPv4", "10.0.0.1"));
    assertEquals("IPv4", created.getAddressType());
    assertEquals(5432, created.getPorts().get(0).getPort());
    assertEquals(true, created.getEndpoints().get(0).getConditions().getServing());

    Map<String, Object> labels =
        Map.of(KUBERNETES_ENDPOINT_SLICES_LABELS, Map.of("kubernetes.io/service-name", "pg"));
    assertEquals(List.of(created), body("listEndpointSlicesByLabels", labels));
    assertEquals(List.of(created), body("listEndpointSlices", Map.of()));
    assertEquals(created, body("getEndpointSlice", slice("IPv4", "10.0.0.1")));

    EndpointSlice emptied =
        (EndpointSlice)
            body(
                "patchEndpointSlice",
                Map.of(
                    KUBERNETES_ENDPOINT_SLICES_NAME,
                    "pg-1",
                    KUBERNETES_ENDPOINT_SLICES_ENDPOINTS,
                    List.of()));
    assertNull(emptied.getEndpoints());
    assertEquals(created.getPorts(), emptied.getPorts());
    assertEquals("pg", emptied.getMetadata().getLabels().get("kubernetes.io/service-name"));

    body("patchOrCreateEndpointSlice", slice("IPv4", "10.0.0.2"));
    assertEquals(true, body("deleteEndpointSlice", slice("IPv4", "10.0.0.1")));
    assertEquals(false, body("deleteEndpointSlice", slice("IPv4", "10.0.0.1")));
    assertNull(body("getEndpointSlice", slice("IPv4", "10.0.0.1")));
  }

  @ParameterizedTest
  @CsvSource({
    "IPv6, 10.0.0.1",
    "IPv4, 2001:db8::1",
    "IPv4, 127.0.0.1",
    "IPv6, ::1",
    "IPv4, db.example.com",
  })
  void isRefusedWhatNoSliceMayHold(String family, String address) {
    assertEquals(422, failure("createEndpointSlice", slice(family, address)).getCode());
  }

  @Test
  void isRefusedAnotherFamily() {
    body("createEndpointSlice", slice("IPv4", "10.0.0.1"));

    assertEquals(422, failure("patchEndpointSlice", slice("IPv6", "2001:db8::1")).getCode());
  }

  @Test
  void deletesOnlyWhatItHasSeen() {
    EndpointSlice created = (EndpointSlice) body("createEndpointSlice", slice("IPv4", "10.0.0.1"));
    body("patchEndpointSlice", slice("IPv4", "10.0.0.2"));
    Map<String, Object> stale = new HashMap<>(slice("IPv4", "10.0.0.2"));
    stale.put(
        KUBERNETES_ENDPOINT_SLICES_RESOURCE_VERSION, created.getMetadata().getResourceVersion());

    assertEquals(409, failure("deleteEndpointSlice", stale).getCode());
    assertEquals(1, api.slices("pg").size());
  }

  @Test
  void refusesHeadersOfAWrongType() {
    Map<String, Object> wrong = new HashMap<>(slice("IPv4", "10.0.0.1"));
    wrong.put(KUBERNETES_ENDPOINT_SLICES_ENDPOINTS, List.of("10.0.0.1"));

    Exception e = request("createEndpointSlice", wrong).getException();

    assertInstanceOf(IllegalArgumentException.class, e);
    assertTrue(e.getMessage().contains("a List of Endpoint"), e.getMessage());
    assertEquals(List.of(), api.calls());
  }

  @Test
  void hasAPageThatNamesEachOperationAndHeaderAndRuns() throws Exception {
    String page = Files.readString(Path.of("docs", "kubernetes-endpoint-slices.md"));

    for (String operation : KubernetesEndpointSlicesOperations.ALL) {
      assertTrue(page.contains("| `" + operation + "` |"), operation);
    }
    for (var field : KubernetesEndpointSlicesConstants.class.getFields()) {
      assertTrue(page.contains("`" + field.get(null) + "`"), field.getName());
    }
    String yaml = page.split("```yaml\n|```\n")[3];
    PluginHelper.getRoutesLoader(context)
        .loadRoutes(ResourceHelper.fromString("example.yaml", yaml));
    assertEquals(1, context.getRoutes().size());
  }

  private static Map<String, Object> slice(String family, String address) {
    Endpoint endpoint =
        new EndpointBuilder()
            .withAddresses(address)
            .withNewConditions()
            .withServing(true)
            .endConditions()
            .build();
    return Map.of(
        KUBERNETES_ENDPOINT_SLICES_NAME,
        "pg-1",
        KUBERNETES_ENDPOINT_SLICES_ADDRESS_TYPE,
        family,
        KUBERNETES_ENDPOINT_SLICES_LABELS,
        Map.of("kubernetes.io/service-name", "pg"),
        KUBERNETES_ENDPOINT_SLICES_ENDPOINTS,
        List.of(endpoint),
        KUBERNETES_ENDPOINT_SLICES_PORTS,
        List.of(new EndpointPortBuilder().withName("postgresql").withPort(5432).build()));
  }

  private Object body(String operation, Map<String, Object> headers) {
    Exchange answer = request(operation, headers);
    if (answer.getException() != null) {
      throw new AssertionError(answer.getException());
    }
    return answer.getMessage().getBody();
  }

  private KubernetesClientException failure(String operation, Map<String, Object> headers) {
    return assertInstanceOf(
        KubernetesClientException.class, request(operation, headers).getException());
  }

  private Exchange request(String operation, Map<String, Object> headers) {
    return template.request(
        "kubernetes-endpoint-slices:local?namespace=db&operation=" + operation,
        exchange -> exchange.getIn().setHeaders(new HashMap<>(headers)));
  }
}
