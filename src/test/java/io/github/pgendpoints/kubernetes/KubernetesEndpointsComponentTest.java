package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_NAME;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.camel.Endpoint;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.ResolveEndpointFailedException;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kubernetes.KubernetesConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.UriEndpoint;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The options of a {@code kubernetes-endpoints} URI: what is wrong with them is said at start. */
class KubernetesEndpointsComponentTest {
  private static final FakeApiServer API = new FakeApiServer("db").start();

  private final DefaultCamelContext context = new DefaultCamelContext();

  @AfterEach
  void stop() {
    context.stop();
  }

  @AfterAll
  static void stopApi() {
    API.close();
  }

  @Test
  void isFoundByItsScheme() {
    assertInstanceOf(
        KubernetesEndpointsComponent.class, context.getComponent("kubernetes-endpoints"));
  }

  @Test
  void takesItsOptions() {
    bind("a");

    KubernetesEndpointsEndpoint endpoint = endpoint("local?operation=patchEndpoints&namespace=db");

    assertEquals("patchEndpoints", endpoint.getConfiguration().getOperation());
    assertEquals("db", endpoint.getConfiguration().getNamespace());
    assertNull(endpoint("local").getConfiguration().getOperation());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "local?operation=patchEndpoint",
        "local?operation=getendpoints",
        "local?operation=dropEndpoints"
      })
  void refusesAnUnknownOperation(String uri) {
    bind("a");

    String message = cause(uri).getMessage();

    assertTrue(
        message.endsWith(
            "it is one of listEndpoints, listEndpointsByLabels, getEndpoints, createEndpoints,"
                + " patchEndpoints, patchOrCreateEndpoints, deleteEndpoints"),
        message);
  }

  @Test
  void refusesAnUnknownOptionWhenTheRouteStarts() throws Exception {
    bind("a");
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:a").to("kubernetes-endpoints:local?operation=getEndpoints&nmespace=db");
          }
        });

    Exception e = assertThrows(FailedToCreateRouteException.class, context::start);

    assertTrue(e.getMessage().contains("Unknown parameters=[{nmespace=db}]"), e.getMessage());
  }

  @Test
  void refusesToConsume() {
    bind("a");
    KubernetesEndpointsEndpoint endpoint = endpoint("local?operation=getEndpoints");

    assertThrows(
        UnsupportedOperationException.class, () -> endpoint.createConsumer(exchange -> {}));
  }

  @Test
  void takesTheOnlyClientOfTheRegistry() {
    KubernetesClient client = bind("a");

    assertSame(client, endpoint("local").getConfiguration().getKubernetesClient());
    assertSame(client, endpoint("client").getConfiguration().getKubernetesClient());
  }

  @Test
  void takesTheClientThatIsNamedOrTheComponents() {
    bind("a");
    KubernetesClient b = bind("b");

    assertSame(b, endpoint("local?kubernetesClient=#b").getConfiguration().getKubernetesClient());
    context
        .getComponent("kubernetes-endpoints", KubernetesEndpointsComponent.class)
        .setKubernetesClient(b);
    assertSame(b, endpoint("local").getConfiguration().getKubernetesClient());
  }

  @Test
  void refusesToMakeAClientOfItsOwnOrToGuess() {
    String none = cause("local?operation=getEndpoints").getMessage();
    bind("a");
    bind("b");
    String two = cause("local?operation=getEndpoints").getMessage();

    assertEquals(none, two);
    assertTrue(two.startsWith("The registry has no KubernetesClient, or more than one"), two);
  }

  @Test
  void makesAClientForAMasterUrlAsTheOtherComponentsDo() {
    context.start();
    Object body =
        context
            .createProducerTemplate()
            .requestBodyAndHeaders(
                "kubernetes-endpoints:%s?operation=getEndpoints&namespace=db".formatted(API.url()),
                null,
                Map.of(KUBERNETES_ENDPOINTS_NAME, "x"));

    assertNull(body);
  }

  @Test
  void documentsEachHeaderAndItself() throws IllegalAccessException {
    Map<String, Metadata> headers = new HashMap<>();
    for (var field : KubernetesEndpointsConstants.class.getFields()) {
      if (field.getName().startsWith("KUBERNETES_")) {
        headers.put((String) field.get(null), field.getAnnotation(Metadata.class));
      }
    }

    assertEquals(
        new TreeSet<>(
            Stream.of("Name", "Labels", "Annotations", "Subsets", "ResourceVersion")
                .map(suffix -> "CamelKubernetesEndpoints" + suffix)
                .toList()),
        new TreeSet<>(headers.keySet()));
    headers.forEach((name, metadata) -> assertEquals("producer", metadata.label(), name));
    UriEndpoint uri = KubernetesEndpointsEndpoint.class.getAnnotation(UriEndpoint.class);
    assertTrue(uri.producerOnly());
    assertEquals("kubernetes-endpoints:masterUrl", uri.syntax());
    assertEquals("CamelKubernetesNamespaceName", KubernetesConstants.KUBERNETES_NAMESPACE_NAME);
  }

  @Test
  void hasAPageThatNamesEachOperationAndHeader() throws IOException, IllegalAccessException {
    String page = Files.readString(Path.of("docs", "kubernetes-endpoints.md"));

    for (String operation : KubernetesEndpointsOperations.ALL) {
      assertTrue(page.contains("| `" + operation + "` |"), operation);
    }
    for (var field : KubernetesEndpointsConstants.class.getFields()) {
      assertTrue(page.contains("`" + field.get(null) + "`"), field.getName());
    }
  }

  @Test
  void runsTheExamplesOfItsPage() throws Exception {
    bind("a");
    String page = Files.readString(Path.of("docs", "kubernetes-endpoints.md"));
    String[] blocks = page.split("```yaml\n|```\n");
    int loaded = 0;
    for (String block : blocks) {
      if (block.startsWith("- route:")) {
        PluginHelper.getRoutesLoader(context)
            .loadRoutes(ResourceHelper.fromString("example-%d.yaml".formatted(loaded++), block));
      }
    }
    context.start();

    assertEquals(2, loaded);
    assertEquals(2, context.getRoutes().size());
  }

  private KubernetesClient bind(String name) {
    KubernetesClient client = API.client();
    context.getRegistry().bind(name, client);
    return client;
  }

  private KubernetesEndpointsEndpoint endpoint(String rest) {
    Endpoint endpoint = context.getEndpoint("kubernetes-endpoints:" + rest);
    return assertInstanceOf(KubernetesEndpointsEndpoint.class, endpoint);
  }

  private Throwable cause(String rest) {
    return assertThrows(ResolveEndpointFailedException.class, () -> endpoint(rest)).getCause();
  }
}
