package io.github.pgendpoints.state;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Rival;
import io.github.pgendpoints.topology.StandbyHysteresis;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The contents of STATE for one cluster, as JSON.
 *
 * @param memory the memory of the decision
 * @param conditions the reported conditions, as JSON; null when they are not stored
 */
record StateDocument(Memory memory, String conditions) {
  /** Half of the size limit of a ConfigMap. */
  static final int MAX_BYTES = 512 * 1024;

  private static final int VERSION = 1;

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  static StateDocument empty() {
    return new StateDocument(Memory.empty(StandbyHysteresis.none()), null);
  }

  // --- reading ----------------------------------------------------------------------------------

  /**
   * Parses the output of {@link #json}.
   *
   * @return empty when it is of another version
   * @throws IllegalArgumentException when it is invalid; the message does not repeat the text
   */
  static Optional<StateDocument> of(String json) {
    try {
      JsonNode root = JSON.readTree(json);
      if (root == null || !root.isObject()) {
        throw new IllegalArgumentException("it is not a JSON object");
      }
      if (integer(root, "version", 0, Integer.MAX_VALUE) != VERSION) {
        return Optional.empty();
      }
      JsonNode conditions = root.path("conditions");
      return Optional.of(
          new StateDocument(
              Memory.stored(
                  integer(root, "generation", 0, Long.MAX_VALUE),
                  primary(root.path("primary")),
                  rivals(array(root, "rivals")),
                  aliases(array(root, "aliases"))),
              conditions.isMissingNode() ? null : JSON.writeValueAsString(conditions)));
    } catch (JsonProcessingException e) {
      // The message of the parser may repeat the text.
      throw new IllegalArgumentException("it is not JSON", e);
    }
  }

  private static PublishedPrimary primary(JsonNode node) {
    if (node.isMissingNode()) {
      return PublishedPrimary.none();
    }
    String identifier = node.has("systemIdentifier") ? text(node, "systemIdentifier") : null;
    if (identifier != null && !Line.isSystemIdentifier(identifier)) {
      throw new IllegalArgumentException("its systemIdentifier is invalid");
    }
    Line line =
        node.has("timeline")
            ? new Line(
                identifier,
                integer(node, "timeline", 1, Line.MAX_TIMELINE),
                node.has("begin") ? lsn(text(node, "begin")) : null)
            : null;
    return new PublishedPrimary(
        line,
        entries(array(node, "entries")),
        node.has("name") ? text(node, "name") : null,
        node.has("startedAt") ? integer(node, "startedAt", 1, Long.MAX_VALUE) : null);
  }

  private static List<Rival> rivals(JsonNode array) {
    List<Rival> rivals = new ArrayList<>();
    for (JsonNode node : array) {
      try {
        rivals.add(
            new Rival(
                entry(text(node, "entry")),
                text(node, "name"),
                Instant.parse(text(node, "since")),
                null,
                node.path("outlived").asBoolean()));
      } catch (DateTimeException e) {
        throw new IllegalArgumentException("since of a rival is not a time", e);
      }
    }
    return rivals;
  }

  private static List<Set<String>> aliases(JsonNode array) {
    List<Set<String>> groups = new ArrayList<>();
    for (JsonNode group : array) {
      if (!group.isArray() || group.isEmpty()) {
        throw new IllegalArgumentException("an alias is not a list of entries");
      }
      groups.add(Set.copyOf(entries(group)));
    }
    return groups;
  }

  private static List<String> entries(JsonNode array) {
    List<String> entries = new ArrayList<>();
    for (JsonNode entry : array) {
      entries.add(entry(entry.isTextual() ? entry.textValue() : ""));
    }
    return entries;
  }

  /** Accepts only an address and a port, because a name from STATE must never be probed. */
  private static String entry(String text) {
    try {
      Node node = NodeList.parse(text, 1, true).nodes().get(0);
      if (Addresses.isAddress(node.host()) && node.hostAndPort().equals(text)) {
        return text;
      }
    } catch (IllegalArgumentException e) {
      // Rejected below, like any other text.
    }
    throw new IllegalArgumentException("one of its entries is not an ip:port");
  }

  private static Lsn lsn(String text) {
    try {
      return Lsn.of(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("its begin is not an LSN", e);
    }
  }

  private static String text(JsonNode node, String field) {
    if (!node.path(field).isTextual()) {
      throw new IllegalArgumentException("its " + field + " is not text");
    }
    return node.path(field).textValue();
  }

  private static long integer(JsonNode node, String field, long min, long max) {
    JsonNode value = node.path(field);
    if (!value.canConvertToExactIntegral()
        || !value.canConvertToLong()
        || value.longValue() < min
        || value.longValue() > max) {
      throw new IllegalArgumentException("its " + field + " is not a number from " + min);
    }
    return value.longValue();
  }

  private static JsonNode array(JsonNode node, String field) {
    JsonNode array = node.path(field);
    if (!array.isArray()) {
      throw new IllegalArgumentException("its " + field + " are not a list");
    }
    return array;
  }

  // --- writing ----------------------------------------------------------------------------------

  /** Whether the conditions must be left out, so that the rest has room. */
  boolean isTooLarge() {
    return conditions != null && json().getBytes(StandardCharsets.UTF_8).length > MAX_BYTES;
  }

  /** Returns the JSON. Equal contents give equal text. */
  String json() {
    ObjectNode root = JSON.createObjectNode();
    root.put("version", VERSION);
    root.put("generation", memory.generation());
    PublishedPrimary primary = memory.primary();
    if (!primary.equals(PublishedPrimary.none())) {
      ObjectNode node = root.putObject("primary");
      if (primary.line() != null) {
        putIfKnown(node, "systemIdentifier", primary.line().systemIdentifier());
        node.put("timeline", primary.line().timeline());
        putIfKnown(node, "begin", primary.line().begin());
      }
      putAll(node.putArray("entries"), primary.entries());
      putIfKnown(node, "name", primary.name());
      if (primary.startedAt() != null) {
        node.put("startedAt", primary.startedAt());
      }
    }
    ArrayNode rivals = root.putArray("rivals");
    for (Rival rival : memory.rivals()) {
      ObjectNode node =
          rivals
              .addObject()
              .put("entry", rival.entry())
              .put("name", rival.name())
              .put("since", rival.since().toString());
      if (rival.isOutlived()) {
        node.put("outlived", true);
      }
    }
    ArrayNode aliases = root.putArray("aliases");
    memory.aliases().stream()
        .map(TreeSet::new)
        .sorted((a, b) -> a.first().compareTo(b.first()))
        .forEach(group -> putAll(aliases.addArray(), group));
    try {
      if (conditions != null) {
        root.set("conditions", JSON.readTree(conditions));
      }
      return JSON.writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void putIfKnown(ObjectNode node, String field, Object value) {
    if (value != null) {
      node.put(field, value.toString());
    }
  }

  private static void putAll(ArrayNode array, Collection<String> values) {
    values.forEach(array::add);
  }
}
