package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Which standbys are worth reading from. A standby that is behind may serve; one that is on another
 * history than the primary may not.
 *
 * @param maxLag bytes a standby may be behind the primary; null when that does not count. One that
 *     left for it comes back below half of it.
 * @param requireStreaming whether a standby needs a WAL receiver
 * @param fallBackToPrimary whether the primary stands in when no standby is left
 */
public record ReadOnlyRules(Long maxLag, boolean requireStreaming, boolean fallBackToPrimary) {

  /**
   * Picks from a topology with one primary, which was verified.
   *
   * @param published tells which standbys are in now: a standby nobody can verify keeps its place
   * @param damping of the same cycle
   */
  public ReadOnly pick(Topology topology, Published published, Damping damping) {
    damping.compare(topology);
    NodeState primary = topology.primary();
    List<NodeState> picked = new ArrayList<>();
    List<NodeState> behind = new ArrayList<>();
    Map<Node, String> leftOut = new HashMap<>();
    for (NodeState node : topology.standbys()) {
      String unfit = unfit(node, primary, published, damping);
      if (unfit != null) {
        leftOut.put(node.node(), unfit);
      } else if (isTooFarBehind(node, primary, published)) {
        behind.add(node);
        leftOut.put(node.node(), Topology.lag(node, primary) + " bytes behind the primary");
      } else {
        picked.add(node);
      }
    }
    if (picked.isEmpty()) {
      // Lag alone never empties the Service.
      behind.stream()
          .min(Comparator.comparing(node -> Topology.lag(node, primary)))
          .ifPresent(
              nearest -> {
                picked.add(nearest);
                leftOut.remove(nearest.node());
              });
    }
    for (NodeState node : topology.nodes()) {
      NodeState located = damping.located(node);
      if (keepsItsPlace(located, published, damping)
          && topology.reachable().stream().noneMatch(isAt(located))
          && picked.stream().noneMatch(isAt(located))) {
        picked.add(located);
      }
    }
    boolean standsIn = picked.isEmpty() && fallBackToPrimary;
    return new ReadOnly(picked, standsIn ? primary : null, leftOut);
  }

  private static Predicate<NodeState> isAt(NodeState other) {
    return node -> node.endpoint().equals(other.endpoint());
  }

  /** Why a standby must not serve, whatever its lag; null when it may. */
  private String unfit(NodeState node, NodeState primary, Published published, Damping damping) {
    if (Topology.isAhead(node, primary)) {
      return "diverged: it replayed %s, and the primary has written %s"
          .formatted(node.server().lsn(), primary.server().lsn());
    }
    if (streamsFromLowerTimeline(node, primary)) {
      return "diverged: it streams timeline %d, and the primary's is %d"
          .formatted(node.server().timeline(), primary.server().timeline());
    }
    if (damping.isDiverged(node)) {
      return "diverged, and not restarted since";
    }
    if (requireStreaming && !node.server().streaming()) {
      return "it has no WAL receiver";
    }
    if (!published.isReadOnly(node) && damping.isSeenBriefly(node)) {
      return "not seen often enough yet";
    }
    return null;
  }

  private static boolean streamsFromLowerTimeline(NodeState node, NodeState primary) {
    return node.server().streaming()
        && node.server().timeline() != null
        && primary.server().timeline() != null
        && node.server().timeline() < primary.server().timeline();
  }

  private boolean isTooFarBehind(NodeState node, NodeState primary, Published published) {
    if (maxLag == null || Topology.lag(node, primary) == null) {
      return false;
    }
    long lag = Topology.lag(node, primary);
    return published.isReadOnly(node) ? lag > maxLag : lag >= maxLag / 2.0;
  }

  /**
   * One probe that failed, or one that could not verify, takes no standby from its readers. The
   * last primary, which stood in for the standbys, is none.
   */
  private static boolean keepsItsPlace(NodeState node, Published published, Damping damping) {
    return published.isReadOnly(node)
        && !node.endpoint().equals(published.primaryEndpoint())
        && (node.state() == State.UNKNOWN
            || node.state() == State.DOWN && damping.isMissedBriefly(node));
  }
}
