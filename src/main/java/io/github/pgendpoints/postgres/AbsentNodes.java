package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.State;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The nodes that were DOWN when they were last asked. Most nodes that are not there answer nothing
 * at all, and a cycle that waited for them would tell of the others late, just when it matters. So
 * they are asked beside the cycle, one probe at a time each, and DOWN is what they are until such a
 * probe finds otherwise.
 *
 * <p>No other state is ever taken over from an earlier probe: one that is back is asked in the
 * cycle. And since a network that heals gives back several, that cycle asks all of them itself.
 * Used by one cycle at a time, and by the probes beside it.
 */
public final class AbsentNodes {
  /** A host without a server says so at once; that is worth to be heard. */
  private static final Duration GRACE = Duration.ofMillis(20);

  private final boolean remembers;
  private final Runnable wake;
  private final Map<Node, NodeState> absent = new ConcurrentHashMap<>();
  private final Map<Node, CountDownLatch> underWay = new ConcurrentHashMap<>();
  private volatile boolean back;
  private volatile boolean waitsForAll;

  private AbsentNodes(boolean remembers, Runnable wake) {
    this.remembers = remembers;
    this.wake = wake;
  }

  /**
   * Of cycles that follow each other.
   *
   * @param wake called when a node is back
   */
  public static AbsentNodes remembered(Runnable wake) {
    return new AbsentNodes(true, wake);
  }

  /** For a run of one cycle, which asks every node itself. */
  public static AbsentNodes none() {
    return new AbsentNodes(false, () -> {});
  }

  /**
   * The probes of a cycle begin.
   *
   * @param deadline by which all of them end
   * @return how long to wait for a node that was DOWN
   */
  public Deadline patience(Deadline deadline) {
    waitsForAll = back;
    back = false;
    return waitsForAll ? deadline : deadline.within(GRACE);
  }

  /** Whether the node was DOWN when it was last asked. */
  public boolean isAbsent(Node node) {
    return absent.containsKey(node);
  }

  /** Whether a probe beside the cycle is to be started now; {@link #ended} ends it. */
  public boolean begins(Node node) {
    return !waitsForAll && underWay.putIfAbsent(node, new CountDownLatch(1)) == null;
  }

  /**
   * What the node is, as soon as its probe has ended or patience has.
   *
   * @return null when the cycle has to ask it itself
   */
  public NodeState await(Node node, Deadline patience) {
    CountDownLatch probe = underWay.get(node);
    try {
      boolean ended =
          probe == null || probe.await(patience.remainingMillis(), TimeUnit.MILLISECONDS);
      // A probe that began before the network healed says nothing of now.
      return ended && waitsForAll ? null : absent.get(node);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + node + " was asked", e);
    }
  }

  /** Notes what a probe found. */
  public void note(NodeState state) {
    if (state.state() != State.DOWN) {
      forget(state.node());
    } else if (remembers) {
      absent.put(state.node(), state);
    }
  }

  /** Has the next cycle ask the node itself, and so meet the error that ended its probe. */
  public void failed(Node node) {
    forget(node);
  }

  private void forget(Node node) {
    if (absent.remove(node) != null) {
      back = true;
      wake.run();
    }
  }

  /** A probe beside the cycle has ended, however. */
  public void ended(Node node) {
    underWay.remove(node).countDown();
  }
}
