package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * What has lasted at nodes from cycle to cycle: no WAL receiver, no answer that shows what they
 * are, a lag that grows. A value: each cycle makes the next one. It ages with {@link
 * StandbyHysteresis}.
 *
 * @param gaps the standbys without a WAL receiver
 * @param unknown the nodes that are UNKNOWN, with the first cycle
 * @param growths the standbys whose lag has not fallen
 */
record Trends(Map<Node, Gap> gaps, Map<Node, Instant> unknown, Map<Node, Growth> growths) {
  /** A restart, a switch of timeline or a long checkpoint takes less. */
  static final Duration SETTLED = Duration.ofMinutes(5);

  /** One segment of WAL: a standby that is less behind than that is not left behind. */
  static final long MIN_GROWTH = 16L * 1024 * 1024;

  /**
   * Cycles in which a standby had no WAL receiver.
   *
   * @param since the first of them
   * @param contested whether the last probe found otherwise. A receiver that fails to stream starts
   *     every few seconds, so one such probe ends nothing, and two in a row do.
   */
  record Gap(Instant since, boolean contested) {}

  /**
   * Measurements of a lag, none of them below the one before.
   *
   * @param since the last of those that were like the first
   * @param from bytes then
   * @param to bytes in the latest
   */
  record Growth(Instant since, long from, long to) {
    /** Null when the lag has fallen. */
    private Growth with(long lag, Instant at) {
      if (lag < to) {
        return null;
      }
      return lag == from ? new Growth(at, lag, lag) : new Growth(since, from, lag);
    }

    boolean isSettled(Instant at) {
      return to - from >= MIN_GROWTH && Trends.isSettled(since, at);
    }
  }

  static Trends none() {
    return new Trends(Map.of(), Map.of(), Map.of());
  }

  /** Whether what began then has lasted. */
  static boolean isSettled(Instant since, Instant at) {
    return Duration.between(since, at).compareTo(SETTLED) >= 0;
  }

  /**
   * What has lasted after one more cycle. A node that is UNKNOWN may still be what it was.
   *
   * @param primary the candidate; null when there is none, and no lag can be measured
   */
  Trends observing(Topology topology, NodeState primary) {
    Trends next = new Trends(new HashMap<>(), new HashMap<>(), new HashMap<>());
    for (NodeState node : topology.nodes()) {
      next.putIfKnown(next.gaps, node, gapAfter(node, topology.at()));
      next.putIfKnown(next.growths, node, growthAfter(node, primary, topology.at()));
      if (node.state() == State.UNKNOWN) {
        next.unknown.put(node.node(), unknown.getOrDefault(node.node(), topology.at()));
      }
    }
    return next;
  }

  private <T> void putIfKnown(Map<Node, T> map, NodeState node, T value) {
    if (value != null) {
      map.put(node.node(), value);
    }
  }

  private Gap gapAfter(NodeState node, Instant at) {
    Gap gap = gaps.get(node.node());
    if (node.state() == State.STANDBY && !node.server().streaming()) {
      return new Gap(gap == null ? at : gap.since(), false);
    }
    boolean ends =
        gap == null
            || switch (node.state()) {
              case PRIMARY, FOREIGN -> true;
              case STANDBY, DOWN -> gap.contested();
              case UNKNOWN -> false;
            };
    return ends ? null : new Gap(gap.since(), gap.contested() || node.state() != State.UNKNOWN);
  }

  private Growth growthAfter(NodeState node, NodeState primary, Instant at) {
    Growth growth = growths.get(node.node());
    Long lag = Topology.lag(node, primary);
    if (lag != null) {
      return growth == null ? new Growth(at, lag, lag) : growth.with(lag, at);
    }
    return node.state() == State.STANDBY || node.state() == State.UNKNOWN ? growth : null;
  }
}
