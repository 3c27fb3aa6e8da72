package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How long standbys have been seen or missed, so that one failed probe does not take a standby from
 * its readers. The role of primary has no such hysteresis. A value: each cycle makes the next one.
 */
public final class StandbyHysteresis {
  private record Streak(boolean good, int length, Instant countedAt) {}

  private final int failures;
  private final int successes;
  private final Duration interval;
  private final Map<Node, Streak> streaks = new HashMap<>();
  private final Map<Node, NodeState> lastStates = new HashMap<>();
  private final Map<Node, NodeState> lastAnswers = new HashMap<>();
  private final Map<Node, Instant> refusedSince = new HashMap<>();
  private final Map<Node, Server> diverged = new HashMap<>();
  private Trends trends = Trends.none();

  /**
   * @param failures probes in a row that have to fail before a standby leaves
   * @param successes probes in a row that have to succeed before one enters
   * @param interval PROBE_INTERVAL: probes that follow each other sooner count once
   */
  public StandbyHysteresis(int failures, int successes, Duration interval) {
    this.failures = failures;
    this.successes = successes;
    this.interval = interval;
  }

  /** For a run of one cycle, which has nothing to remember. */
  public static StandbyHysteresis none() {
    return new StandbyHysteresis(1, 1, Duration.ZERO);
  }

  /** The same rules with nothing remembered. */
  StandbyHysteresis forgotten() {
    return new StandbyHysteresis(failures, successes, interval);
  }

  private StandbyHysteresis copy() {
    StandbyHysteresis copy = forgotten();
    copy.streaks.putAll(streaks);
    copy.lastStates.putAll(lastStates);
    copy.lastAnswers.putAll(lastAnswers);
    copy.refusedSince.putAll(refusedSince);
    copy.diverged.putAll(diverged);
    copy.trends = trends;
    return copy;
  }

  /** What is remembered after the nodes of one more cycle. */
  StandbyHysteresis observing(Topology topology) {
    StandbyHysteresis next = copy();
    next.forgetOthersThan(topology);
    topology.nodes().forEach(node -> next.observe(node, topology.at()));
    boolean accepted = topology.nodes().stream().anyMatch(NodeState::hasAnswered);
    for (NodeState node : topology.nodes()) {
      if (node.state() == State.UNKNOWN && node.failure() == Failure.LOGIN_REFUSED && accepted) {
        next.refusedSince.putIfAbsent(node.node(), topology.at());
      } else {
        next.refusedSince.remove(node.node());
      }
    }
    return next;
  }

  private void forgetOthersThan(Topology topology) {
    List<Node> listed = topology.nodes().stream().map(NodeState::node).toList();
    for (Map<Node, ?> map : List.of(streaks, lastStates, lastAnswers, refusedSince, diverged)) {
      map.keySet().retainAll(listed);
    }
  }

  /** What is remembered once these standbys were seen beyond a verified primary. */
  StandbyHysteresis diverging(List<NodeState> standbys) {
    StandbyHysteresis next = copy();
    standbys.forEach(standby -> next.diverged.put(standby.node(), standby.server()));
    return next;
  }

  /** What is remembered once it is known which primary the standbys follow. */
  StandbyHysteresis trending(Topology topology, NodeState primary) {
    StandbyHysteresis next = copy();
    next.trends = trends.observing(topology, primary);
    return next;
  }

  Trends trends() {
    return trends;
  }

  private void observe(NodeState node, Instant at) {
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
    Streak streak = streaks.get(node.node());
    if (streak == null || streak.good() != good) {
      streaks.put(node.node(), new Streak(good, 1, at));
    } else if (at.isBefore(streak.countedAt())) {
      // The clock was set back, be it by hours: the interval begins again.
      streaks.put(node.node(), new Streak(good, streak.length(), at));
    } else if (Duration.between(streak.countedAt(), at)
            .compareTo(interval.multipliedBy(19).dividedBy(20))
        >= 0) {
      // A timer's ticks are not quite an interval apart.
      streaks.put(node.node(), new Streak(good, streak.length() + 1, at));
    }
  }

  /** Whether this is the answer of a probe of its own, and not that of an earlier cycle again. */
  boolean isNew(NodeState node) {
    return lastStates.get(node.node()) != node;
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

  /** For how long a node has refused our login while another one accepted it. */
  Duration refusedFor(NodeState node, Instant at) {
    Instant since = refusedSince.get(node.node());
    return since == null ? Duration.ZERO : Duration.between(since, at);
  }

  /** The node with the address it last answered at, where it has none now. */
  NodeState located(NodeState node) {
    NodeState last = lastAnswers.get(node.node());
    return node.address() != null || last == null ? node : node.at(last.address());
  }

  /**
   * Whether the standby was ever seen ahead of a verified primary since it started: it is on
   * another history then, also when the primary's position has passed its own. To be mended it has
   * to restart.
   */
  boolean isDiverged(NodeState node) {
    Server server = diverged.get(node.node());
    return server != null && server.isSameAs(node.server());
  }
}
