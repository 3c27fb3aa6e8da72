package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every file of the routes folder keeps to, so that people and tools can read and edit it. */
class RoutesYamlTest {
  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
  private static final JsonSchema SCHEMA = schema("camelYamlDsl.json");
  private static final JsonSchema CANONICAL = schema("camelYamlDsl-canonical.json");

  /** Steps and clauses that hold a condition. */
  private static final Set<String> CONDITIONS =
      Set.of("when", "onWhen", "retryWhile", "filter", "loop", "validate");

  /**
   * Conditions that ask a bean, since what they depend on is no property of the message: when a
   * cycle is due, the time it has left, and what earlier cycles have looked at. Decisions about the
   * topology are not of that kind.
   */
  private static final Set<String> ASK_A_BEAN =
      Set.of(
          "00-errors.camel.yaml: allowsRetry(${exception}, ${headers})",
          "10-discover.camel.yaml: ${bean:watched?method=areKnown(${exchangeProperty.service})}",
          // Leadership may have been lost since the cycle began.
          "10-discover.camel.yaml: ${exchangeProperty.leads} == true && ${bean:leadership?method=isHeld} == true",
          "05-tick.camel.yaml: isDue",
          "10-discover.camel.yaml: ${bean:slices?method=isDue(${exchangeProperty.service}, ${exchangeProperty.endpoints})}",
          "10-discover.camel.yaml: ${bean:absent?method=isAbsent(${body})}",
          "10-discover.camel.yaml: ${bean:absent?method=begins(${exchangeProperty.node})}",
          "40-publish.camel.yaml: ${bean:services?method=isCheckDue(${exchangeProperty.plan})}");

  static Stream<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("routes"))) {
      List<Path> yaml =
          files.filter(file -> file.toString().endsWith(".camel.yaml")).sorted().toList();
      assertFalse(yaml.isEmpty());
      return yaml.stream();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void isWhatCamelCanLoad(Path file) {
    assertEquals(Set.of(), faults(SCHEMA, read(file)));
  }

  @ParameterizedTest
  @MethodSource("files")
  void isCanonical(Path file) {
    assertEquals(Set.of(), faults(CANONICAL, read(file)));
  }

  @Test
  void aSchemaKnowsAFault() throws IOException {
    JsonNode wrong = YAML.readTree("- route: { id: a, from: { uri: direct, stepz: [] } }");
    JsonNode shorthand =
        YAML.readTree("- route: { id: a, from: { uri: direct, steps: [ { to: \"log:a\" } ] } }");

    assertFalse(faults(SCHEMA, wrong).isEmpty());
    assertFalse(faults(CANONICAL, wrong).isEmpty());
    assertTrue(faults(SCHEMA, shorthand).isEmpty());
    assertFalse(faults(CANONICAL, shorthand).isEmpty());
  }

  @Test
  void everyRouteHasAnIdOfItsOwnAndADescription() throws IOException {
    Set<String> ids = new HashSet<>();
    for (Path file : files().toList()) {
      for (JsonNode item : read(file)) {
        String kind = item.fieldNames().next();
        JsonNode definition = item.get(kind);
        String id = definition.path("id").asText();
        assertFalse(id.isBlank(), file + ": " + item);
        assertTrue(ids.add(kind + id), file + ": another %s has the id %s".formatted(kind, id));
        assertFalse(definition.path("description").asText().isBlank(), file + ": " + id);
      }
    }
  }

  @Test
  void everyDirectThatIsSentToExistsOnceAndIsUsed() throws IOException {
    List<String> from = new ArrayList<>();
    Set<String> sentTo = new TreeSet<>();
    for (Path file : files().toList()) {
      visit(
          read(file),
          (key, node) -> {
            if (direct(node) != null && key.equals("from")) {
              from.add(direct(node));
            } else if (direct(node) != null) {
              sentTo.add(direct(node));
            }
          });
    }

    assertEquals(new TreeSet<>(from).size(), from.size(), "two routes from one direct: " + from);
    assertEquals(new TreeSet<>(from), sentTo);
  }

  @Test
  void everyRouteSaysWhereItsErrorsGo() throws IOException {
    Set<String> configurations = new HashSet<>();
    List<JsonNode> routes = new ArrayList<>();
    for (Path file : files().toList()) {
      for (JsonNode item : read(file)) {
        if (item.has("routeConfiguration")) {
          configurations.add(item.path("routeConfiguration").path("id").asText());
        } else {
          routes.add(item.path("route"));
        }
      }
    }

    for (JsonNode route : routes) {
      if (route.has("routeConfigurationId")) {
        assertTrue(configurations.contains(route.get("routeConfigurationId").asText()), "" + route);
      }
    }
  }

  /** The component has the guard of each write, and each try of one; WriteGuardTest shows it. */
  @Test
  void nothingIsPublishedButByTheComponentsThatAreGuarded() throws IOException {
    Set<String> writes = new TreeSet<>();
    for (Path file : files().toList()) {
      visit(
          read(file),
          (key, node) -> {
            String operation = node.path("parameters").path("operation").asText();
            if (key.equals("to")
                && !operation.isEmpty()
                && !operation.startsWith("get")
                && !operation.startsWith("list")) {
              writes.add(node.path("uri").asText() + " " + operation);
            }
          });
    }
    assertEquals(
        Set.of(
            "kubernetes-endpoints:local createEndpoints",
            "kubernetes-endpoints:local patchOrCreateEndpoints",
            "kubernetes-endpoints:local deleteEndpoints",
            "kubernetes-endpoint-slices:local createEndpointSlice",
            "kubernetes-endpoint-slices:local patchOrCreateEndpointSlice",
            "kubernetes-endpoint-slices:local deleteEndpointSlice"),
        writes);
  }

  @Test
  void noConditionAsksABeanButWhereItSaysWhy() throws IOException {
    Set<String> asking = new TreeSet<>();
    for (Path file : files().toList()) {
      visit(
          read(file),
          (key, node) -> {
            if (CONDITIONS.contains(key)) {
              // Of 'when' a list of clauses, each with steps that are no part of the condition.
              (node.isArray() ? node : List.of(node))
                  .forEach(clause -> beanCalls(file, clause, asking));
            }
          });
    }

    assertEquals(new TreeSet<>(ASK_A_BEAN), asking);
  }

  private static void beanCalls(Path file, JsonNode clause, Set<String> found) {
    JsonNode expression = clause.has("expression") ? clause.get("expression") : clause;
    JsonNode method = expression.path("method");
    String simple = expression.path("simple").path("expression").asText();
    if (!method.isMissingNode()) {
      found.add(file.getFileName() + ": " + method.path("method").asText());
    } else if (simple.contains("bean:")) {
      found.add(file.getFileName() + ": " + simple);
    }
  }

  /** The name of the direct endpoint that a step names, or null. */
  private static String direct(JsonNode step) {
    String uri = step.path("uri").asText();
    if (uri.equals("direct")) {
      return step.path("parameters").path("name").asText();
    }
    return uri.startsWith("direct:") ? uri.substring("direct:".length()) : null;
  }

  private static void visit(JsonNode node, BiConsumer<String, JsonNode> visitor) {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      visitor.accept(field.getKey(), field.getValue());
      visit(field.getValue(), visitor);
    }
    if (node.isArray()) {
      node.forEach(item -> visit(item, visitor));
    }
  }

  private static Set<String> faults(JsonSchema schema, JsonNode yaml) {
    Set<String> faults = new TreeSet<>();
    for (ValidationMessage message : schema.validate(yaml)) {
      faults.add(message.getMessage());
    }
    return faults;
  }

  private static JsonNode read(Path file) {
    try {
      return YAML.readTree(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonSchema schema(String name) {
    try (InputStream in = RoutesYamlTest.class.getResourceAsStream("/schema/" + name)) {
      assertNotNull(in, name);
      return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V4).getSchema(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
