package io.github.pgendpoints.support;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A copy of the routes folder that a test edits, as a user may. */
public final class RouteFiles {
  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
  private static final Path SHIPPED = Path.of("routes");

  private final Path folder;

  /** The list that contains an item, such as the steps of a route, and the item's index in it. */
  private record Place(Path file, JsonNode content, ArrayNode list, int index) {}

  private RouteFiles(Path folder) {
    this.folder = folder;
  }

  /** Copies the routes into the folder {@code routes} of {@code home}, but without the sinks. */
  public static RouteFiles copiedTo(Path home) throws IOException {
    return copied(home, 1);
  }

  /** Copies the routes and the sinks into the folder {@code routes} of {@code home}. */
  public static RouteFiles copiedWithSinksTo(Path home) throws IOException {
    return copied(home, Integer.MAX_VALUE);
  }

  private static RouteFiles copied(Path home, int depth) throws IOException {
    for (Path file : files(SHIPPED, depth)) {
      Path copy = home.resolve(file);
      Files.createDirectories(copy.getParent());
      Files.copy(file, copy);
    }
    return new RouteFiles(home.resolve(SHIPPED));
  }

  /** Returns the path of a file. */
  public Path file(String name) {
    return folder.resolve(name);
  }

  /** Adds a step before the one with this id. */
  public RouteFiles addBefore(String id, String step) throws IOException {
    JsonNode added = YAML.readTree(step);
    return edit(id, (steps, index) -> steps.insert(index, added));
  }

  /** Adds a step after the one with this id. */
  public RouteFiles addAfter(String id, String step) throws IOException {
    JsonNode added = YAML.readTree(step);
    return edit(id, (steps, index) -> steps.insert(index + 1, added));
  }

  /** Adds a list of rules after the shipped ones. */
  public RouteFiles addRules(String rules) throws IOException {
    ArrayNode added = (ArrayNode) YAML.readTree(rules);
    return edit(
        "match-rule",
        (steps, index) ->
            ((ArrayNode) definition(steps.get(index)).required("when")).addAll(added));
  }

  /**
   * Sets a parameter that the route, the step or the rule with this id has already.
   *
   * @param pointer the JSON Pointer from what has the id to the parameter
   */
  public RouteFiles set(String id, String pointer, String value) throws IOException {
    JsonPointer path = JsonPointer.compile(pointer);
    return edit(
        id,
        (list, index) -> {
          JsonNode definition = definition(list.get(index));
          definition.requiredAt(path);
          ((ObjectNode) definition.at(path.head())).put(path.last().getMatchingProperty(), value);
        });
  }

  /** Adds a suffix to the id of each route. */
  public RouteFiles renameRoutes(String suffix) throws IOException {
    for (Path file : files(folder, Integer.MAX_VALUE)) {
      JsonNode content = YAML.readTree(file.toFile());
      for (JsonNode route : content.findValues("route")) {
        ((ObjectNode) route).put("id", route.required("id").asText() + suffix);
      }
      YAML.writeValue(file.toFile(), content);
    }
    return this;
  }

  private RouteFiles edit(String id, ObjIntConsumer<ArrayNode> editing) throws IOException {
    List<Place> places = new ArrayList<>();
    for (Path file : files(folder, Integer.MAX_VALUE)) {
      JsonNode content = YAML.readTree(file.toFile());
      all(content)
          .filter(ArrayNode.class::isInstance)
          .map(ArrayNode.class::cast)
          .forEach(
              list -> {
                for (int index = 0; index < list.size(); index++) {
                  if (definition(list.get(index)).path("id").asText().equals(id)) {
                    places.add(new Place(file, content, list, index));
                  }
                }
              });
    }
    if (places.size() != 1) {
      throw new IllegalArgumentException(
          "the id %s is that of %d routes, steps and rules of %s, not of one"
              .formatted(id, places.size(), folder));
    }
    Place place = places.get(0);
    editing.accept(place.list(), place.index());
    YAML.writeValue(place.file().toFile(), place.content());
    return this;
  }

  /** Returns what has the id: a rule itself, but the value of the only key of a step or a route. */
  private static JsonNode definition(JsonNode item) {
    return item.has("id") || item.isEmpty() ? item : item.iterator().next();
  }

  private static Stream<JsonNode> all(JsonNode node) {
    return Stream.concat(
        Stream.of(node), StreamSupport.stream(node.spliterator(), false).flatMap(RouteFiles::all));
  }

  private static List<Path> files(Path folder, int depth) throws IOException {
    try (Stream<Path> files = Files.walk(folder, depth)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
