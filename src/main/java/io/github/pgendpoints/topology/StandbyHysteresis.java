package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Counts how long standbys have been seen or missed, so that one failed probe removes no standby.
 * The role of primary has no hysteresis. Immutable: each cycle creates the next one.
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
   * @param failures consecutive failed probes after which a standby leaves
   * @param successes consecutive successful probes after which a standby enters
   * @param interval PROBE_INTERVAL: probes that follow each other sooner count once
   */
  public StandbyHysteresis(int failures, int successes, Duration interval) {
    this.failures = failures;
    this.successes = successes;
    this.interval = interval;
  }

  /** Returns the hysteresis for a run of one cycle, which remembers nothing. */
  public static StandbyHysteresis none() {
    return new StandbyHysteresis(1, 1, Duration.ZERO);
  }

  /** Returns the same limits with nothing remembered. */
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

  /** Returns a copy with the probe results of one more cycle. */
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

  /** Returns a copy that remembers these standbys as ahead of a verified primary. */
  StandbyHysteresis diverging(List<NodeState> standbys) {
    StandbyHysteresis next = copy();
    standbys.forEach(standby -> next.diverged.put(standby.node(), standby.server()));
    return next;
  }

  /** Returns a copy with the trends, which depend on the primary that the standbys follow. */
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
      // Not probed since: its last probe has been counted.
      return;
    }
    if (node.hasAnswered()) {
      lastAnswers.put(node.node(), node);
    }
    if (node.state() == State.UNKNOWN) {
      // Neither seen nor missed: it keeps its place.
      return;
    }
    boolean good = node.state() == State.STANDBY;
    Streak streak = streaks.get(node.node());
    if (streak == null || streak.good() != good) {
      streaks.put(node.node(), new Streak(good, 1, at));
    } else if (Duration.between(streak.countedAt(), at)
            .compareTo(interval.multipliedBy(19).dividedBy(20))
        >= 0) {
      // A timer's ticks are not quite an interval apart.
      streaks.put(node.node(), new Streak(good, streak.length() + 1, at));
    }
  }

  /** Whether this is the state of a new probe, and not the state of an earlier cycle. */
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

  /** How long a node has refused our role while another node accepted it. */
  Duration refusedFor(NodeState node, Instant at) {
    Instant since = refusedSince.get(node.node());
    return since == null ? Duration.ZERO : Duration.between(since, at);
  }

  /** Returns the node with the address at which it last answered, if it has none now. */
  NodeState located(NodeState node) {
    NodeState last = lastAnswers.get(node.node());
    return node.address() != null || last == null ? node : node.at(last.address());
  }

  /**
   * Whether the standby was ever seen ahead of a verified primary since it started. It is then on
   * another history, even after the primary's position has passed its own. Only a restart can end
   * this.
   */
  boolean isDiverged(NodeState node) {
    Server server = diverged.get(node.node());
    return server != null && server.isSameAs(node.server());
  }
}
