package io.github.pgendpoints.alert;

import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Protection;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.UnreadValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The rights that our role lacks on some nodes, the protection that is off without them, and the
 * SQL that grants them. docs/rules.md describes what each right adds.
 *
 * @param role PGUSER
 * @param database PGDATABASE
 */
public record MissingRights(String role, String database) {
  private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_$]*");

  /**
   * Finds the missing rights.
   *
   * @return one sentence per right, for people; its key does not depend on the nodes that lack it
   */
  Map<String, String> in(Topology topology) {
    Map<String, String> missing = new LinkedHashMap<>();
    for (Protection protection : Protection.values()) {
      Map<UnreadValue, List<String>> nodes = new LinkedHashMap<>();
      for (NodeState node : topology.reachable()) {
        UnreadValue unread = node.server().unread().get(protection);
        if (unread != null) {
          nodes.computeIfAbsent(unread, first -> new ArrayList<>()).add(node.node().name());
        }
      }
      nodes.forEach(
          (unread, names) ->
              missing.put(protection.name() + " " + unread, sentence(protection, unread, names)));
    }
    String monitor = without(topology, node -> !node.server().rights().contains(Right.MONITOR));
    if (monitor != null) {
      missing.put(
          "pg_monitor",
          "pg_monitor is not granted to our role on %s: the program cannot determine which primary a standby streams from, nor always its timeline; GRANT pg_monitor TO %s"
              .formatted(monitor, sql(role)));
    }
    String history = without(topology, node -> !node.server().rights().contains(Right.HISTORY));
    if (history != null) {
      missing.put(
          "history",
          "timeline histories are not granted to our role on %s: a fork with a higher timeline is treated as a promotion, and a standby that left the line may stay in the read-only Service; ALTER ROLE %s REPLICATION, or in database %s create the function pgendpoints_history of docs/rules.md, or GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text, bigint, bigint, boolean) TO %s"
              .formatted(history, sql(role), sql(database), sql(role)));
    }
    return missing;
  }

  private String sentence(Protection protection, UnreadValue unread, List<String> nodes) {
    String off = "%s is off on %s".formatted(protection, String.join(", ", nodes));
    return unread.reason().equals(UnreadValue.NOT_GRANTED)
        ? "%s: %s is not granted to our role; %s"
            .formatted(
                off,
                String.join(" and ", unread.needs()),
                unread.needs().stream()
                    .map(right -> "GRANT %s TO %s".formatted(right, sql(role)))
                    .collect(Collectors.joining("; ")))
        : "%s: the server answers '%s'".formatted(off, unread.reason());
  }

  /** Returns the nodes that lack a right, for people; null if none does. */
  private static String without(Topology topology, Predicate<NodeState> lacks) {
    List<NodeState> found = topology.reachable().stream().filter(lacks).toList();
    return found.isEmpty()
        ? null
        : found.stream().map(state -> state.node().toString()).collect(Collectors.joining(", "));
  }

  /** Quotes a name for SQL unless it is plain lower case. */
  private static String sql(String name) {
    return PLAIN.matcher(name).matches() ? name : "\"" + name.replace("\"", "\"\"") + "\"";
  }
}
