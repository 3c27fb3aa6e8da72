package io.github.pgendpoints.alert;

import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.StandbyClass;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Finds the standbys that cannot be placed on the primary's line although no right is missing.
 * {@link MissingRights} reports missing rights.
 */
final class UnplacedStandbys {
  /** A standby that changes its source has no timeline for a moment. */
  private static final Duration SETTLED = Duration.ofSeconds(30);

  private final Map<Node, Instant> since = new LinkedHashMap<>();

  /**
   * Checks one more cycle.
   *
   * @return the standbys that have not been placed for 30 s, each with a sentence
   */
  Map<Node, String> observe(Topology topology, Verdict verdict, Instant now) {
    Map<Node, String> reasons = new LinkedHashMap<>();
    for (NodeState standby : topology.standbys()) {
      String reason = reason(standby, verdict);
      if (reason != null) {
        reasons.put(
            standby.node(),
            "standby %s cannot be placed on the primary's line, so only its position is compared: %s"
                .formatted(standby.node(), reason));
      }
    }
    since.keySet().retainAll(reasons.keySet());
    reasons
        .keySet()
        .removeIf(node -> now.isBefore(since.computeIfAbsent(node, first -> now).plus(SETTLED)));
    return reasons;
  }

  private static String reason(NodeState standby, Verdict verdict) {
    NodeState primary = verdict.primary();
    if (verdict.standbys().get(standby.node()) != StandbyClass.UNDETERMINED
        || primary.server() == null) {
      return null;
    }
    if (standby.server().timeline() == null) {
      return standby.server().rights().contains(Right.MONITOR)
          ? "it does not report its timeline, and has no WAL receiver"
          : null;
    }
    HistoryAnswer history = primary.server().history();
    return history != null && history.outcome() == HistoryAnswer.Outcome.FAILED
        ? "the history of the timeline of %s could not be read (%s)"
            .formatted(primary.node(), history.reason())
        : null;
  }
}
