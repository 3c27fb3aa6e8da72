package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The nodes that were DOWN when they were last probed. Most absent nodes never answer, and a cycle
 * that waits for them reports the others late, when it matters most. So a cycle takes these nodes
 * as DOWN, and a check that runs beside the cycles detects when one of them is back.
 *
 * <p>No other state is carried over from an earlier probe. When one node is back, the next cycle
 * probes all of them: a network that recovers brings back several nodes, and the cycle must not
 * judge one of them alone because its check ended first.
 *
 * <p>No failure can keep a node DOWN. A check that takes twice PGCONNECT_TIMEOUT is treated as
 * ended, and a state older than two cycles and a probe is dropped. Then the next cycle probes the
 * node itself. Thread-safe.
 */
public final class DownNodes {
  /** The pause from one attempt of a check to the next, if the check makes several. */
  static final Duration RETRY_PAUSE = Duration.ofMillis(25);

  /** With more nodes DOWN, a check makes one attempt: several would take too much CPU time. */
  static final int MAX_RETRIED = RoleWatch.MAX;

  /**
   * The nodes that a cycle probes, and the states of the others.
   *
   * @param down the states of the nodes that the cycle takes as DOWN
   */
  public record Split(List<Node> toProbe, List<NodeState> down) {}

  /**
   * A node that is DOWN.
   *
   * @param foundAt when a probe or check found it DOWN, as {@link System#nanoTime}
   */
  private record Down(NodeState state, long foundAt) {}

  /**
   * The last check of a node.
   *
   * @param startedAt as {@link System#nanoTime}
   */
  private record Check(long startedAt, boolean running) {}

  private final boolean remembers;
  private final Runnable requestCycle;
  private final Supplier<Duration> interval;
  private final Duration connectTimeout;
  private final Supplier<Duration> cycleInterval;
  private final LongSupplier nanoTime;
  private final Map<Node, Down> down = new HashMap<>();
  private final Map<Node, Check> checks = new HashMap<>();
  private boolean back;

  /**
   * @param remembers whether other cycles follow; a single cycle probes every node
   * @param requestCycle requests a cycle when a node is back
   * @param interval the time from one check of a node to the next
   * @param connectTimeout PGCONNECT_TIMEOUT, the longest that one attempt takes
   * @param cycleInterval the longest time from one cycle to the next at present
   * @param nanoTime as {@link System#nanoTime}
   */
  public DownNodes(
      boolean remembers,
      Runnable requestCycle,
      Supplier<Duration> interval,
      Duration connectTimeout,
      Supplier<Duration> cycleInterval,
      LongSupplier nanoTime) {
    this.remembers = remembers;
    this.requestCycle = requestCycle;
    this.interval = interval;
    this.connectTimeout = connectTimeout;
    this.cycleInterval = cycleInterval;
    this.nanoTime = nanoTime;
  }

  /** Whether another cycle follows, which probes nodes again. */
  boolean isContinuous() {
    return remembers;
  }

  /**
   * Begins a cycle. Returns the nodes to probe and the states of the others. Forgets the nodes that
   * are not in the list any more.
   */
  public synchronized Split begin(List<Node> nodes) {
    down.keySet().retainAll(nodes);
    long now = nanoTime.getAsLong();
    Duration oldest = connectTimeout.plus(cycleInterval.get().multipliedBy(2));
    down.values().removeIf(found -> now - found.foundAt() > oldest.toNanos());
    if (back) {
      back = false;
      down.clear();
    }
    List<Node> toProbe = new ArrayList<>();
    List<NodeState> states = new ArrayList<>();
    for (Node node : nodes) {
      if (down.containsKey(node)) {
        states.add(down.get(node).state());
      } else {
        toProbe.add(node);
      }
    }
    return new Split(toProbe, states);
  }

  /** Records what the probes of a cycle found. */
  public synchronized void record(List<NodeState> states) {
    states.forEach(this::record);
  }

  private void record(NodeState state) {
    if (state.state() != State.DOWN) {
      down.remove(state.node());
    } else if (remembers) {
      down.put(state.node(), new Down(state, nanoTime.getAsLong()));
    }
  }

  /**
   * Drops the states in a new term of leadership, since another replica led in between. The next
   * cycle probes all nodes.
   */
  public synchronized void forget() {
    back = true;
  }

  /** Whether the next cycle probes the nodes that were DOWN, since one is back. */
  synchronized boolean hasOneBack() {
    return back && !down.isEmpty();
  }

  /** Whether a check of a node is due. */
  public synchronized boolean isCheckDue() {
    return !down.isEmpty() && !dueAt(nanoTime.getAsLong()).isEmpty();
  }

  /**
   * Records the start of the checks that are due, and returns their nodes; see {@link #endCheck}.
   */
  public synchronized List<Node> startChecks() {
    long now = nanoTime.getAsLong();
    List<Node> due = dueAt(now);
    due.forEach(node -> checks.put(node, new Check(now, true)));
    return due;
  }

  private List<Node> dueAt(long now) {
    return down.keySet().stream().filter(node -> isDue(checks.get(node), now)).toList();
  }

  private boolean isDue(Check last, long now) {
    return last == null
        || now - last.startedAt()
            >= (last.running() ? connectTimeout.multipliedBy(2) : interval.get()).toNanos();
  }

  /** Whether a check that runs has time for another attempt. */
  synchronized boolean hasTimeForAnotherTry(Node node) {
    Check check = checks.get(node);
    return check != null
        && down.containsKey(node)
        && down.size() <= MAX_RETRIED
        // So that the last attempt ends before the check is treated as ended.
        && nanoTime.getAsLong() - check.startedAt() < connectTimeout.toNanos() / 2;
  }

  /** Records that a check found the node still DOWN. */
  synchronized void recordDown(NodeState state) {
    // Otherwise a cycle has probed the node in between.
    if (down.containsKey(state.node())) {
      record(state);
    }
  }

  /**
   * Requests a cycle that probes all nodes, since this node accepts connections again.
   *
   * @return false if a cycle has detected that itself meanwhile
   */
  synchronized boolean reportBack(Node node) {
    if (!down.containsKey(node)) {
      return false;
    }
    back = true;
    requestCycle.run();
    return true;
  }

  /** Records the end of a check, with any result. */
  synchronized void endCheck(Node node) {
    checks.computeIfPresent(node, (same, check) -> new Check(check.startedAt(), false));
    if (!down.containsKey(node)) {
      checks.remove(node);
    }
  }
}
