package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * Conditions that last at nodes from cycle to cycle: no WAL receiver, state UNKNOWN, a growing lag.
 * Immutable: each cycle creates the next one. Trends expire together with {@link
 * StandbyHysteresis}.
 *
 * @param gaps the standbys without a WAL receiver
 * @param unknown the nodes that are UNKNOWN, with the time of the first cycle
 * @param growths the standbys whose lag has not fallen
 */
record Trends(Map<Node, Gap> gaps, Map<Node, Instant> unknown, Map<Node, Growth> growths) {
  /** A restart, a switch of timeline or a long checkpoint takes less time. */
  static final Duration SETTLED = Duration.ofMinutes(5);

  /** One WAL segment: a lag that grew by less is not reported. */
  static final long MIN_GROWTH = 16L * 1024 * 1024;

  /**
   * Consecutive cycles in which a standby had no WAL receiver.
   *
   * @param since the time of the first cycle
   * @param contested whether the last probe found otherwise. A receiver that fails to stream starts
   *     every few seconds, so one contrary probe ends nothing, but two in a row end the gap.
   */
  record Gap(Instant since, boolean contested) {}

  /**
   * Measurements of a lag, none of them below the one before.
   *
   * @param since the time of the last measurement that equals the first
   * @param from the bytes at that time
   * @param to the bytes in the latest measurement
   */
  record Growth(Instant since, long from, long to) {
    /** Returns the growth with one more measurement; null when the lag has fallen. */
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

  /** Whether a condition that began at {@code since} has lasted long enough. */
  static boolean isSettled(Instant since, Instant at) {
    return Duration.between(since, at).compareTo(SETTLED) >= 0;
  }

  /**
   * Returns the trends after one more cycle. A node that is UNKNOWN may still be what it was.
   *
   * @param primary the candidate; null when there is none, and then no lag can be measured
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
