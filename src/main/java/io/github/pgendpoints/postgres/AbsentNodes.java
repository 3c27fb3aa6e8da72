package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.State;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The nodes that were DOWN when they were last asked. Most nodes that are not there answer nothing
 * at all, and a cycle that waited for them would tell of the others late, just when it matters. So
 * they are asked beside the cycle, one probe at a time each, and DOWN is what they are until such a
 * probe finds otherwise.
 *
 * <p>No other state is ever taken over from an earlier probe: one that is back is asked in the next
 * cycle. And since a network that heals gives back several, that cycle asks all of them itself:
 * none of them is judged alone because its probe ended first. So what is absent is settled when a
 * cycle begins. Used by one cycle at a time, and by the probes beside it.
 *
 * <p>Nothing that somebody failed to tell keeps a node DOWN: a probe that did not end in twice its
 * time has ended, such as one that never began since its route is stopped; and what was found
 * longer ago than two cycles and a probe is found anew, by the cycle itself.
 */
public final class AbsentNodes {
  /** A host without a server says so at once; that is worth to be heard. */
  private static final Duration GRACE = Duration.ofMillis(20);

  /**
   * What a probe found.
   *
   * @param notedAt as {@link System#nanoTime}
   */
  private record Absence(NodeState state, long notedAt) {}

  /**
   * A probe beside the cycle.
   *
   * @param begunAt as {@link System#nanoTime}
   */
  private record Asking(CountDownLatch end, long begunAt) {}

  private final boolean remembers;
  private final Runnable wake;
  private final Duration longestProbe;
  private final Supplier<Duration> interval;
  private final Duration connectTimeout;
  private final LongSupplier nanoTime;

  // Guarded by this: a node that is back must not be asked by a cycle and beside it at once.
  private final Map<Node, Absence> absent = new HashMap<>();
  private final Map<Node, Asking> underWay = new HashMap<>();
  private boolean back;

  /** What was absent when the cycle began; only that is not asked by it. */
  private volatile Map<Node, NodeState> absentInCycle = Map.of();

  /** Whether the cycle asks them all the same, since one of them was back when it began. */
  private volatile boolean asksAll;

  private AbsentNodes(
      boolean remembers,
      Runnable wake,
      Duration connectTimeout,
      Supplier<Duration> interval,
      LongSupplier nanoTime) {
    this.remembers = remembers;
    this.wake = wake;
    this.longestProbe = connectTimeout.multipliedBy(2);
    this.connectTimeout = connectTimeout;
    this.interval = interval;
    this.nanoTime = nanoTime;
  }

  /**
   * Of cycles that follow each other.
   *
   * @param wake called when a node is back
   * @param connectTimeout PGCONNECT_TIMEOUT, which a probe takes at most
   * @param interval from one cycle to the next, as things are now
   * @param nanoTime as {@link System#nanoTime}
   */
  public static AbsentNodes remembered(
      Runnable wake, Duration connectTimeout, Supplier<Duration> interval, LongSupplier nanoTime) {
    return new AbsentNodes(true, wake, connectTimeout, interval, nanoTime);
  }

  /** For a run of one cycle, which asks every node itself. */
  public static AbsentNodes none() {
    return new AbsentNodes(false, () -> {}, Duration.ZERO, () -> Duration.ZERO, System::nanoTime);
  }

  /**
   * Forgets what nodes were: a new term of leadership begins, and somebody else led in between. The
   * next cycle asks all of them itself.
   */
  public synchronized void forget() {
    // What is being asked must not be asked twice at once; the cycle waits for the answer first.
    absent.keySet().removeIf(node -> !isUnderWay(node));
    back = true;
  }

  /**
   * The probes of a cycle begin.
   *
   * @param deadline by which all of them end
   * @return how long to wait for a node that was DOWN
   */
  public synchronized Deadline patience(Deadline deadline) {
    long now = nanoTime.getAsLong();
    Duration oldest = connectTimeout.plus(interval.get().multipliedBy(2));
    absent.values().removeIf(absence -> now - absence.notedAt() > oldest.toNanos());
    absentInCycle =
        absent.entrySet().stream()
            .collect(
                Collectors.toUnmodifiableMap(Map.Entry::getKey, entry -> entry.getValue().state()));
    asksAll = back;
    back = false;
    return asksAll ? deadline : deadline.within(GRACE);
  }

  /** Whether the node was DOWN when the cycle began. */
  public boolean isAbsent(Node node) {
    return absentInCycle.containsKey(node);
  }

  /** Whether a probe beside the cycle is to be started now; {@link #ended} ends it. */
  public synchronized boolean begins(Node node) {
    return !asksAll
        && absent.containsKey(node)
        && !isUnderWay(node)
        && underWay.put(node, new Asking(new CountDownLatch(1), nanoTime.getAsLong())) == null;
  }

  /** Whether a probe is under way; one that cannot be any more is forgotten. */
  private boolean isUnderWay(Node node) {
    Asking asking = underWay.get(node);
    if (asking != null && nanoTime.getAsLong() - asking.begunAt() > longestProbe.toNanos()) {
      ended(node);
      return false;
    }
    return asking != null;
  }

  /**
   * What the node is to this cycle, as soon as its probe has ended or patience has.
   *
   * @return DOWN, as it was found last; null when the cycle has to ask it itself
   */
  public NodeState await(Node node, Deadline patience) {
    CountDownLatch probe = probe(node);
    try {
      boolean ended =
          probe == null || probe.await(patience.remainingMillis(), TimeUnit.MILLISECONDS);
      // A probe that began before the network healed says nothing of now.
      return ended && asksAll ? null : lastFailure(node);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + node + " was asked", e);
    }
  }

  private synchronized CountDownLatch probe(Node node) {
    return isUnderWay(node) ? underWay.get(node).end() : null;
  }

  private synchronized NodeState lastFailure(Node node) {
    Absence absence = absent.get(node);
    return absence == null ? absentInCycle.get(node) : absence.state();
  }

  /** Notes what a probe found that had the time of a cycle. */
  public synchronized void note(NodeState state) {
    if (state.state() != State.DOWN) {
      forget(state.node());
    } else if (remembers) {
      absent.put(state.node(), new Absence(state, nanoTime.getAsLong()));
    }
  }

  /** Has the next cycle ask the node itself, and so meet the error that ended its probe. */
  public synchronized void failed(Node node) {
    forget(node);
  }

  private void forget(Node node) {
    if (absent.remove(node) != null) {
      back = true;
      wake.run();
    }
  }

  /** A probe beside the cycle has ended, however; or it never began. */
  public synchronized void ended(Node node) {
    Asking asking = underWay.remove(node);
    if (asking != null) {
      asking.end().countDown();
    }
  }
}
