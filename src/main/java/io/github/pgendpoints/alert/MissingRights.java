package io.github.pgendpoints.alert;

import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What our role may not do on some nodes, the protection that is off for it, and the SQL that
 * grants it. docs/rules.md tells what each right adds.
 *
 * @param role PGUSER
 * @param database PGDATABASE
 */
public record MissingRights(String role, String database) {
  private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_$]*");

  /**
   * Finds what is missing.
   *
   * @return one sentence a right, for people; its key is the same whatever nodes lack the right
   */
  Map<String, String> in(Topology topology) {
    Map<String, String> missing = new LinkedHashMap<>();
    String identifiers = without(topology, node -> node.server().systemIdentifier() == null);
    if (identifiers != null) {
      missing.put(
          "pg_control_system",
          "pg_control_system() is not granted to our role on %s: foreign nodes are not recognised"
              .formatted(identifiers));
    }
    String timelines =
        without(
            topology, node -> node.state() == State.PRIMARY && node.server().timeline() == null);
    if (timelines != null) {
      missing.put(
          "pg_walfile_name",
          "pg_walfile_name() is not granted to our role on %s: a stale primary is not recognised"
              .formatted(timelines));
    }
    String monitor = without(topology, node -> !node.server().rights().contains(Right.MONITOR));
    if (monitor != null) {
      missing.put(
          "pg_monitor",
          "pg_monitor is not granted to our role on %s: which primary a standby streams from is not known, nor always on which timeline; GRANT pg_monitor TO %s"
              .formatted(monitor, sql(role)));
    }
    String history = without(topology, node -> !node.server().rights().contains(Right.HISTORY));
    if (history != null) {
      missing.put(
          "history",
          "timeline histories are not granted to our role on %s: a fork with a higher timeline is taken for a promotion, and a standby that left the line may still be read from; ALTER ROLE %s REPLICATION, or in database %s create the function pgendpoints_history of docs/rules.md, or GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text, bigint, bigint, boolean) TO %s"
              .formatted(history, sql(role), sql(database), sql(role)));
    }
    return missing;
  }

  /** The nodes that lack something, for people; null when none does. */
  private static String without(Topology topology, Predicate<NodeState> lacks) {
    List<NodeState> found = topology.reachable().stream().filter(lacks).toList();
    return found.isEmpty()
        ? null
        : found.stream().map(state -> state.node().toString()).collect(Collectors.joining(", "));
  }

  /** As SQL wants a name: quoted where it is not plain lower case. */
  private static String sql(String name) {
    return PLAIN.matcher(name).matches() ? name : "\"" + name.replace("\"", "\"\"") + "\"";
  }
}
