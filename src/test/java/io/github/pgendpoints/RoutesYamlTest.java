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
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rules for each file in the routes folder, so that people and tools can read and edit it. */
class RoutesYamlTest {
  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
  private static final Path BEANS = Path.of("src/main/java/io/github/pgendpoints/cycle");
  private static final JsonSchema SCHEMA = schema("camelYamlDsl.json");
  private static final JsonSchema CANONICAL = schema("camelYamlDsl-canonical.json");

  private static final int MAX_ROUTES = 24;
  private static final int MAX_LINES = 750;

  /** The most routes that a write may pass through, from the timer to the API. */
  private static final int MAX_PATH = 7;

  /** Steps and clauses that hold a condition. */
  private static final Set<String> CONDITIONS =
      Set.of("when", "onWhen", "retryWhile", "filter", "loop", "validate");

  /**
   * What conditions query besides the values that the routes carry: when a cycle is due, and
   * whether it has time for another attempt. Decisions about the topology must not be among them.
   */
  private static final Set<String> ASK_A_BEAN =
      Set.of(
          "00-errors.camel.yaml: probeSteps.shouldRetry",
          "00-errors.camel.yaml: retries.prepareRetry",
          // A pure function of the topology, of what is published, and of the mode.
          "10-cycle.camel.yaml: probeSteps.needsRecheck",
          // A setting.
          "30-verify.camel.yaml: cluster.clearsOnSplitBrain",
          // It depends only on the exception and the cycle.
          "40-publish.camel.yaml: concernsOneService");

  /** A property of the cluster that a condition reads: the parts of a cluster are beans. */
  private static final Pattern CLUSTER = Pattern.compile("variable\\.(cluster\\.[\\w.]+)");

  /** A diagram in Hawtio truncates longer labels. */
  private static final int MAX_LABEL = 17;

  /** The target of each rule of the verification. A diagram is clearer with it than with an id. */
  private static final String REFUSE = "direct:refuse";

  private static final Pattern READ_VARIABLE = Pattern.compile("\\$\\{variable\\.(\\w+)");
  private static final Pattern VARIABLE = Pattern.compile("@Variable\\(\"(\\w+)\"\\)");

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
    Map<String, List<String>> preconditions = new TreeMap<>();
    for (JsonNode route : routes()) {
      if (direct(route.path("from")) != null) {
        preconditions
            .computeIfAbsent(direct(route.path("from")), name -> new ArrayList<>())
            .add(route.path("precondition").asText());
      }
    }
    Set<String> sentTo = new TreeSet<>();
    for (Path file : files().toList()) {
      visit(
          read(file),
          (key, node) -> {
            if (!key.equals("from") && direct(node) != null) {
              sentTo.add(direct(node));
            }
          });
    }

    // The subcommand overrule decides instead of the rules.
    assertEquals(List.of("{{overrule}} == false", "{{overrule}}"), preconditions.get("verify"));
    preconditions.forEach(
        (name, of) -> assertTrue(of.size() == 1 || name.equals("verify"), "two direct:" + name));
    assertEquals(preconditions.keySet(), sentTo);
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

  /** The components guard each write, and each attempt of a write. */
  @Test
  void onlyGuardedComponentsPublish() throws IOException {
    List<String> writes = new ArrayList<>();
    for (JsonNode route : routes()) {
      visit(
          route,
          (key, node) -> {
            String uri = node.path("uri").asText();
            if (uri.startsWith("kubernetes")) {
              writes.add("%s %s %s".formatted(route.get("id").asText(), key, uri));
            }
          });
    }

    assertEquals(
        List.of("write to kubernetes-endpoint-slices:local", "write to kubernetes-endpoints:local"),
        writes);
  }

  @Test
  void areFewAndShort() throws IOException {
    long lines = 0;
    for (Path file : files().toList()) {
      lines += Files.readAllLines(file).size();
    }

    assertTrue(routes().size() <= MAX_ROUTES, routes().size() + " routes");
    assertTrue(lines <= MAX_LINES, lines + " lines");
  }

  @Test
  void carryVariablesAndNoExchangeProperties() throws IOException {
    Set<String> set = new TreeSet<>();
    Set<String> used = variablesOfBeans();
    for (Path file : files().toList()) {
      String text = Files.readString(file);
      assertFalse(text.contains("exchangeProperty"), file.toString());
      visit(
          read(file),
          (key, node) -> {
            assertFalse(key.equals("setProperty") || key.equals("setProperties"), file.toString());
            if (key.equals("setVariable")) {
              set.add(node.path("name").asText());
            }
            Matcher read = READ_VARIABLE.matcher(node.path("simple").path("expression").asText());
            while (read.find()) {
              used.add(read.group(1));
            }
          });
    }

    assertEquals(set, used);
  }

  /** The variables that the beans of the cycle are bound to. */
  private static Set<String> variablesOfBeans() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> sources = Files.list(BEANS)) {
      for (Path source : sources.toList()) {
        Matcher variable = VARIABLE.matcher(Files.readString(source));
        while (variable.find()) {
          names.add(variable.group(1));
        }
      }
    }
    return names;
  }

  /** The log, JMX, and Hawtio show the steps by their ids. */
  @Test
  void everyStepHasAnIdOfItsOwnThatFitsADiagram() throws IOException {
    Set<String> ids = new HashSet<>();
    for (JsonNode route : routes()) {
      ids.add(route.get("id").asText());
    }
    List<String> faults = new ArrayList<>();
    for (JsonNode route : routes()) {
      for (JsonNode step : steps(route.get("from"))) {
        String id = step.path("id").asText();
        if (id.isEmpty() ? !REFUSE.equals(step.path("uri").asText()) : id.length() > MAX_LABEL) {
          faults.add("%s in %s".formatted(step, route.get("id").asText()));
        }
        assertTrue(id.isEmpty() || ids.add(id), "another route or step has the id " + id);
      }
    }

    assertEquals(List.of(), faults);
  }

  @Test
  void everyBranchSaysWhenItIsTaken() throws IOException {
    List<String> without = new ArrayList<>();
    for (JsonNode route : routes()) {
      for (JsonNode choice : route.findValues("choice")) {
        for (JsonNode when : choice.get("when")) {
          if (when.path("description").asText().isBlank()) {
            without.add(when.path("id").asText());
          }
        }
      }
    }

    assertEquals(List.of(), without);
  }

  /** Returns the steps and the 'when' clauses of a route, including nested ones. */
  private static List<JsonNode> steps(JsonNode from) {
    List<JsonNode> found = new ArrayList<>();
    visit(
        from,
        (key, node) -> {
          if (key.equals("steps")) {
            node.forEach(step -> found.add(step.get(step.fieldNames().next())));
          } else if (key.equals("when")) {
            node.forEach(found::add);
          }
        });
    return found;
  }

  @Test
  void aWritePassesFewRoutes() throws IOException {
    Map<String, List<JsonNode>> byInput = new TreeMap<>();
    for (JsonNode route : routes()) {
      byInput
          .computeIfAbsent(route.path("from").path("uri").asText(), uri -> new ArrayList<>())
          .add(route);
    }

    List<String> longest = longestPathToAWrite("timer:cycle", byInput, List.of());

    assertEquals("direct:write", longest.get(longest.size() - 1));
    assertTrue(longest.size() <= MAX_PATH, longest.toString());
  }

  /** Returns an empty list if no write can be reached. */
  private static List<String> longestPathToAWrite(
      String input, Map<String, List<JsonNode>> byInput, List<String> before) {
    assertFalse(before.contains(input), "a loop: " + before + " " + input);
    List<String> path = Stream.concat(before.stream(), Stream.of(input)).toList();
    List<List<String>> found = new ArrayList<>();
    for (JsonNode route : byInput.get(input)) {
      visit(
          route.path("from").path("steps"),
          (key, node) -> {
            String uri = node.path("uri").asText();
            if (uri.startsWith("kubernetes-endpoints:")) {
              found.add(path);
            } else if (uri.startsWith("direct:")) {
              found.add(longestPathToAWrite(uri, byInput, path));
            }
          });
    }
    return found.stream().max(Comparator.comparing(List::size)).orElse(List.of());
  }

  @Test
  void onlyListedConditionsCallBeans() throws IOException {
    Set<String> asking = new TreeSet<>();
    for (Path file : files().toList()) {
      visit(
          read(file),
          (key, node) -> {
            if (CONDITIONS.contains(key)) {
              // 'when' is a list of clauses, each with steps that do not belong to the condition.
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
    JsonNode predicate = expression.path("ref").path("expression");
    String simple = expression.path("simple").path("expression").asText();
    if (!method.isMissingNode()) {
      found.add(
          "%s: %s.%s"
              .formatted(
                  file.getFileName(), method.path("ref").asText(), method.path("method").asText()));
    }
    if (!predicate.isMissingNode()) {
      found.add(file.getFileName() + ": " + predicate.asText());
    }
    if (simple.contains("bean:") || simple.contains("ref:")) {
      found.add(file.getFileName() + ": " + simple);
    }
    Matcher asked = CLUSTER.matcher(simple);
    while (asked.find()) {
      found.add(file.getFileName() + ": " + asked.group(1));
    }
  }

  private static List<JsonNode> routes() throws IOException {
    List<JsonNode> routes = new ArrayList<>();
    for (Path file : files().toList()) {
      for (JsonNode item : read(file)) {
        if (item.has("route")) {
          routes.add(item.get("route"));
        }
      }
    }
    return routes;
  }

  /** Returns the name of the direct endpoint in the URI of a step; null if there is none. */
  private static String direct(JsonNode step) {
    String uri = step.path("uri").asText();
    assertFalse(uri.equals("direct"), "the name is no part of the URI: " + step);
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
