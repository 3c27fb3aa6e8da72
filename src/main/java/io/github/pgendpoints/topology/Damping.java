package io.github.pgendpoints.topology;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Remembers from one cycle to the next how long standbys have been seen or missed, so that one
 * failed probe does not take a standby from its readers. The role of primary is never damped. Used
 * by one cycle at a time.
 */
public final class Damping {
  private record Streak(boolean good, int length, long countedAt) {}

  private final int failures;
  private final int successes;
  private final Duration interval;
  private final LongSupplier nanoTime;
  private final Map<Node, Streak> streaks = new HashMap<>();
  private final Map<Node, NodeState> lastStates = new HashMap<>();
  private final Map<Node, NodeState> lastAnswers = new HashMap<>();
  private final Set<Server> diverged = new HashSet<>();

  /**
   * @param failures probes in a row that have to fail before a standby leaves
   * @param successes probes in a row that have to succeed before one enters
   * @param interval PROBE_INTERVAL: probes that follow each other sooner count once
   * @param nanoTime as {@link System#nanoTime}
   */
  public Damping(int failures, int successes, Duration interval, LongSupplier nanoTime) {
    this.failures = failures;
    this.successes = successes;
    this.interval = interval;
    this.nanoTime = nanoTime;
  }

  /** For a run of one cycle, which has nothing to remember. */
  public static Damping none() {
    return new Damping(1, 1, Duration.ZERO, System::nanoTime);
  }

  /** Counts what the nodes of one cycle were. */
  public void observe(Topology topology) {
    topology.nodes().forEach(this::observe);
  }

  /**
   * Notes which standbys left the history of a verified primary. One that is refused says nothing
   * of them: every good standby is ahead of a stale primary.
   */
  void compare(Topology verified) {
    verified.standbys().stream()
        .filter(standby -> Topology.isAhead(standby, verified.primary()))
        .forEach(standby -> diverged.add(identity(standby)));
  }

  private void observe(NodeState node) {
    if (lastStates.put(node.node(), node) == node) {
      // Not asked since: what its last probe said has been counted.
      return;
    }
    if (node.hasAnswered()) {
      lastAnswers.put(node.node(), node);
    }
    if (node.state() == State.UNKNOWN) {
      // Neither seen nor missed: it keeps the place it has.
      return;
    }
    boolean good = node.state() == State.STANDBY;
    long now = nanoTime.getAsLong();
    Streak streak = streaks.get(node.node());
    if (streak == null || streak.good() != good) {
      streaks.put(node.node(), new Streak(good, 1, now));
    } else if (now - streak.countedAt() >= interval.toNanos() * 19 / 20) {
      // A timer's ticks are not quite an interval apart.
      streaks.put(node.node(), new Streak(good, streak.length() + 1, now));
    }
  }

  /** Whether a standby has been missed too few times to leave. */
  boolean isMissedBriefly(NodeState node) {
    return length(node, false) < failures;
  }

  /** Whether a standby has been seen too few times to enter. */
  boolean isSeenBriefly(NodeState node) {
    return length(node, true) < successes;
  }

  private int length(NodeState node, boolean good) {
    Streak streak = streaks.get(node.node());
    return streak == null || streak.good() != good ? 0 : streak.length();
  }

  /** The node with the address it last answered at, where it has none now. */
  NodeState located(NodeState node) {
    NodeState last = lastAnswers.get(node.node());
    return node.address() != null || last == null
        ? node
        : new NodeState(node.node(), node.state(), last.address(), node.reason(), null);
  }

  /**
   * Whether the standby was ever seen ahead of a verified primary since it started: it is on
   * another history then, also when the primary's position has passed its own. To be mended it has
   * to restart.
   */
  boolean isDiverged(NodeState node) {
    return diverged.contains(identity(node));
  }

  private static Server identity(NodeState node) {
    return new Server(
        node.server().systemIdentifier(), node.server().startedAt(), null, null, false);
  }
}
