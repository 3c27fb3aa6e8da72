package io.github.pgendpoints.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.ResolveEndpointFailedException;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kubernetes.AbstractKubernetesEndpoint;
import org.apache.camel.component.kubernetes.KubernetesConfiguration;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.UriEndpoint;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The options of both schemes, which Camel checks when a route starts, and their documentation. */
class ObjectComponentTest {
  private static final FakeApiServer API = new FakeApiServer("db").start();
  private static final Path PAGE = Path.of("docs", "kubernetes-endpoints.md");
  private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

  private final DefaultCamelContext context = new DefaultCamelContext();

  @AfterEach
  void stop() {
    context.stop();
  }

  @AfterAll
  static void stopApi() {
    API.close();
  }

  @ParameterizedTest
  @CsvSource({
    "kubernetes-endpoints, patchEndpoints",
    "kubernetes-endpoint-slices, patchEndpointSlice"
  })
  void eachSchemeIsFoundAndTakesItsOptions(String scheme, String operation) {
    bind("a");

    KubernetesConfiguration configuration =
        configuration(scheme + ":local?namespace=db&operation=" + operation);

    assertEquals(operation, configuration.getOperation());
    assertEquals("db", configuration.getNamespace());
    assertNull(configuration(scheme + ":local").getOperation());
  }

  @ParameterizedTest
  @ValueSource(strings = {"patchEndpoint", "getendpoints", "patchEndpointSlice", "PATCH"})
  void anUnknownOperationIsRefused(String operation) {
    bind("a");

    assertEquals(
        "Unsupported operation "
            + operation
            + ": it is one of listEndpoints, getEndpoints, createEndpoints, patchEndpoints,"
            + " patchOrCreateEndpoints, deleteEndpoints",
        refusal("kubernetes-endpoints:local?operation=" + operation));
  }

  @Test
  void anUnknownOptionIsRefusedWhenTheRouteStarts() throws Exception {
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
  void thereIsNoConsumer() {
    bind("a");
    var endpoint = context.getEndpoint("kubernetes-endpoints:local?operation=getEndpoints");

    assertThrows(
        UnsupportedOperationException.class, () -> endpoint.createConsumer(exchange -> {}));
    assertTrue(ObjectEndpoint.class.getAnnotation(UriEndpoint.class).producerOnly());
  }

  // --- the client -------------------------------------------------------------------------------

  @Test
  void theOnlyClientOfTheRegistryIsUsed() {
    KubernetesClient client = bind("a");

    assertSame(client, configuration("kubernetes-endpoints:local").getKubernetesClient());
    assertSame(client, configuration("kubernetes-endpoints:client").getKubernetesClient());
  }

  @Test
  void theClientOfTheUriOrOfTheComponentIsUsedFirst() {
    bind("a");
    KubernetesClient b = bind("b");

    assertSame(
        b, configuration("kubernetes-endpoints:local?kubernetesClient=#b").getKubernetesClient());
    context
        .getComponent("kubernetes-endpoints", KubernetesEndpointsComponent.class)
        .setKubernetesClient(b);
    assertSame(b, configuration("kubernetes-endpoints:local").getKubernetesClient());
  }

  @Test
  void aRegistryWithoutAClientOrWithTwoIsRefused() {
    String none = refusal("kubernetes-endpoints:local?operation=getEndpoints");
    bind("a");
    bind("b");
    String two = refusal("kubernetes-endpoints:local?operation=getEndpoints");

    assertEquals(none, two);
    assertTrue(two.startsWith("The registry has no KubernetesClient, or more than one"), two);
  }

  @Test
  void aMasterUrlGetsAClientOfItsOwn() {
    context.start();

    assertNull(
        context
            .createProducerTemplate()
            .requestBody(
                "kubernetes-endpoints:%s?operation=getEndpoints&namespace=db".formatted(API.url()),
                "x"));
    assertEquals(1, API.calls().size());
  }

  // --- docs/kubernetes-endpoints.md -------------------------------------------------------------

  @Test
  void thePageNamesEachOperation() throws IOException {
    String page = Files.readString(PAGE);

    for (ObjectOperation operation : ObjectOperation.values()) {
      for (ObjectKind<?> kind : List.of(ObjectKind.ENDPOINTS, ObjectKind.ENDPOINT_SLICES)) {
        assertTrue(page.contains("`" + operation.of(kind) + "`"), operation.of(kind));
      }
    }
  }

  @Test
  void theExamplesOfThePageAreCanonicalAndStart() throws Exception {
    bind("a");
    List<String> examples =
        EXAMPLE
            .matcher(Files.readString(PAGE))
            .results()
            .map((MatchResult example) -> example.group(1))
            .toList();
    for (String example : examples) {
      PluginHelper.getRoutesLoader(context)
          .loadRoutes(
              ResourceHelper.fromString("example%d.yaml".formatted(example.hashCode()), example));
      assertEquals(Set.of(), faults(example));
    }
    context.start();

    assertTrue(!examples.isEmpty() && examples.size() == context.getRoutes().size());
  }

  private static Set<?> faults(String yaml) throws IOException {
    try (InputStream schema =
        ObjectComponentTest.class.getResourceAsStream("/schema/camelYamlDsl-canonical.json")) {
      return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V4)
          .getSchema(schema)
          .validate(new ObjectMapper(new YAMLFactory()).readTree(yaml));
    }
  }

  private KubernetesClient bind(String name) {
    KubernetesClient client = API.client();
    context.getRegistry().bind(name, client);
    return client;
  }

  private KubernetesConfiguration configuration(String uri) {
    return assertInstanceOf(AbstractKubernetesEndpoint.class, context.getEndpoint(uri))
        .getConfiguration();
  }

  private String refusal(String uri) {
    return assertThrows(ResolveEndpointFailedException.class, () -> context.getEndpoint(uri))
        .getCause()
        .getMessage();
  }
}
