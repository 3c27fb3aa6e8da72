package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Selects the standbys that serve reads. A standby that lags may serve; a standby on another branch
 * than the primary may not.
 *
 * @param maxLag bytes a standby may be behind the primary; null for no limit. A standby that left
 *     for its lag returns when the lag is below half of the limit.
 * @param requireStreaming whether a standby needs a WAL receiver
 * @param fallBackToPrimary whether the primary serves reads when no standby is left
 */
public record ReadOnlyRules(Long maxLag, boolean requireStreaming, boolean fallBackToPrimary) {
  /** How long a node may refuse our role, while other nodes accept it, and still serve reads. */
  static final Duration MAX_REFUSED = Duration.ofMinutes(5);

  /**
   * Selects the nodes to read from in a verified topology.
   *
   * @param primary the candidate
   * @param classes the classes of all standbys
   * @param published shows which standbys are published now: an unverified standby keeps its place
   * @param hysteresis the hysteresis of the same cycle
   */
  ReadOnly pick(
      Topology topology,
      NodeState primary,
      Map<Node, StandbyClass> classes,
      LastPublished published,
      StandbyHysteresis hysteresis) {
    List<NodeState> picked = new ArrayList<>();
    List<NodeState> behind = new ArrayList<>();
    Map<Node, String> leftOut = new HashMap<>();
    for (NodeState node : topology.standbys()) {
      StandbyCase standby = new StandbyCase(node, primary, topology);
      StandbyClass is = classes.get(node.node());
      String unfit = unfit(standby, is, published, hysteresis);
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
      NodeState located = hysteresis.located(node);
      if (isIn(located, published)
          && topology.reachable().stream().noneMatch(isAt(located))
          && picked.stream().noneMatch(isAt(located))) {
        String gone = whyItLeaves(located, topology.at(), hysteresis);
        if (gone == null) {
          picked.add(located);
        } else if (located.state() == State.UNKNOWN) {
          leftOut.put(located.node(), gone);
        }
      }
    }
    picked.addAll(unresolved(topology, published, hysteresis));
    boolean standsIn = picked.isEmpty() && fallBackToPrimary;
    return new ReadOnly(picked, standsIn ? primary : null, leftOut);
  }

  /**
   * The published entries that belong to no node while some names do not resolve. An entry may
   * belong to one of those names, so it keeps its place.
   */
  private static List<NodeState> unresolved(
      Topology topology, LastPublished published, StandbyHysteresis hysteresis) {
    List<NodeState> nodes = topology.nodes().stream().map(hysteresis::located).toList();
    List<NodeState> lost = nodes.stream().filter(node -> node.endpoint() == null).toList();
    List<NodeState> kept = new ArrayList<>();
    for (String entry : published.readOnly()) {
      if (nodes.stream().noneMatch(node -> entry.equals(node.endpoint()))
          && !published.primary().entries().contains(entry)) {
        String address = Addresses.withoutPort(entry);
        lost.stream()
            .map(node -> node.at(address))
            .filter(node -> entry.equals(node.endpoint()))
            .findFirst()
            .ifPresent(kept::add);
      }
    }
    return kept;
  }

  private static Predicate<NodeState> isAt(NodeState other) {
    return node -> node.endpoint().equals(other.endpoint());
  }

  /** Why a standby must not serve reads, regardless of its lag; null when it may. */
  private String unfit(
      StandbyCase standby, StandbyClass is, LastPublished published, StandbyHysteresis hysteresis) {
    NodeState node = standby.standby();
    switch (is) {
      case OFF_LINE:
        return standby.why(is);
      case AHEAD:
      case UNPLACED:
        // Nothing shows which of the two is wrong, so the standby keeps its place.
        return published.isReadOnly(node) ? null : standby.why(is);
      case UNDETERMINED:
        if (Topology.isAhead(node, standby.primary())) {
          return "diverged: it replayed %s, and the primary has written %s"
              .formatted(node.server().lsn(), standby.primary().server().lsn());
        }
        if (standby.streamsLowerTimeline()) {
          return "diverged: it streams timeline %d, and the primary's is %d"
              .formatted(node.server().timeline(), standby.primary().server().timeline());
        }
        if (hysteresis.isDiverged(node)) {
          return "diverged, and not restarted since";
        }
        break;
      default:
        break;
    }
    if (requireStreaming && !node.server().streaming()) {
      return "it has no WAL receiver";
    }
    if (!published.isReadOnly(node) && hysteresis.isSeenBriefly(node)) {
      return "not seen often enough yet";
    }
    return null;
  }

  private boolean isTooFarBehind(NodeState node, NodeState primary, LastPublished published) {
    if (maxLag == null || Topology.lag(node, primary) == null) {
      return false;
    }
    long lag = Topology.lag(node, primary);
    return published.isReadOnly(node) ? lag > maxLag : lag >= maxLag / 2.0;
  }

  /** Excludes the last primary: it has a place here only as the fallback for the standbys. */
  private static boolean isIn(NodeState node, LastPublished published) {
    return (node.state() == State.UNKNOWN || node.state() == State.DOWN)
        && published.isReadOnly(node)
        && !published.primary().entries().contains(node.endpoint());
  }

  /**
   * Why a node leaves; null when it stays. One failed or unverified probe removes no standby, but a
   * node that refuses only our role for minutes is no longer the verified server.
   */
  private static String whyItLeaves(NodeState node, Instant at, StandbyHysteresis hysteresis) {
    if (node.state() == State.DOWN) {
      return hysteresis.isMissedBriefly(node) ? null : "it is DOWN";
    }
    return hysteresis.refusedFor(node, at).compareTo(MAX_REFUSED) < 0
        ? null
        : "it has refused our login for %d minutes, and other nodes accept it"
            .formatted(MAX_REFUSED.toMinutes());
  }
}
