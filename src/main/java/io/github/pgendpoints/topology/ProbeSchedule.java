package io.github.pgendpoints.topology;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * When the next cycle is due: each PROBE_INTERVAL while all is well, and each
 * PROBE_INTERVAL_UNSTABLE while something is going on and not every server reports it, since only
 * then an earlier look finds something. A replica that does not lead runs a cycle each {@link
 * #followerInterval}, whatever happens, and one as soon as it leads. Ticks come from one thread at
 * a time; {@link #requestCycle} and {@link #pace} may be called by any.
 */
public final class ProbeSchedule {
  /** While all servers report changes of their roles, something else may still end a refusal. */
  static final Duration REPORTED = Duration.ofSeconds(1);

  /** For so long after a change another one is to be expected. */
  static final Duration SETTLED = Duration.ofSeconds(5);

  /**
   * What does not settle is watched so long: a cluster that is dead for hours, or a node that comes
   * and goes all the time, gains nothing by more logins and more lines in the log.
   */
  static final Duration MAX_UNSETTLED = Duration.ofMinutes(5);

  /**
   * So many requested cycles without a rest: somebody who undoes each repair at once would else
   * have us write at each tick, for ever.
   */
  static final int MAX_REQUESTED_CYCLES = 10;

  /**
   * How often a replica that does not lead probes; with a longer PROBE_INTERVAL as often as that.
   */
  private static final Duration FOLLOWER = Duration.ofSeconds(10);

  private static final Duration END_POLL = Duration.ofMillis(5);

  private final Duration interval;
  private final Duration tick;
  private final BooleanSupplier leads;
  private final IntSupplier term;
  private final BooleanSupplier nodesReport;
  private final Runnable tickNow;
  private final LongSupplier nanoTime;
  private final AtomicInteger underWay = new AtomicInteger();
  private volatile boolean requested;
  private boolean repeats;
  private volatile boolean stopped;
  private volatile boolean reported;
  private int lastTerm;
  private int requestedCycles;
  private long requestAnsweredAt;
  private volatile Long alarm;
  private Long begunAt;
  private Map<Node, State> lastStates;
  private volatile boolean refused;
  private volatile long changedAt;
  private volatile long unsettledSince;

  /**
   * @param interval PROBE_INTERVAL
   * @param unstableInterval PROBE_INTERVAL_UNSTABLE, not longer
   * @param leads whether this replica leads now
   * @param term the number of this replica's current term of leadership, or of its last one
   * @param nodesReport whether each server reports a change of its role by itself, and need not be
   *     asked at each tick
   * @param tickNow makes a tick at once
   * @param nanoTime as {@link System#nanoTime}
   */
  public ProbeSchedule(
      Duration interval,
      Duration unstableInterval,
      BooleanSupplier leads,
      IntSupplier term,
      BooleanSupplier nodesReport,
      Runnable tickNow,
      LongSupplier nanoTime) {
    this.interval = interval;
    // So that a cycle each PROBE_INTERVAL falls on a tick.
    this.tick = interval.dividedBy(interval.dividedBy(unstableInterval));
    this.leads = leads;
    this.term = term;
    this.nodesReport = nodesReport;
    this.tickNow = tickNow;
    this.nanoTime = nanoTime;
    this.changedAt = nanoTime.getAsLong() - SETTLED.toNanos();
  }

  /** The time from one tick to the next: PROBE_INTERVAL_UNSTABLE, or a little more. */
  public Duration tick() {
    return tick;
  }

  /** The time from one cycle to the next of a replica that does not lead. */
  public Duration followerInterval() {
    return interval.compareTo(FOLLOWER) > 0 ? interval : FOLLOWER;
  }

  /** The longest time from one cycle to the next, as things are now. */
  public Duration interval() {
    return leads.getAsBoolean() ? interval : followerInterval();
  }

  /** The time from one cycle to the next, as things are now: a tick while something changes. */
  public Duration pace() {
    return isUrgent() ? tick : interval();
  }

  /**
   * Makes a cycle due at once: something has happened that only a cycle can judge. When that goes
   * on and on, it waits for the next PROBE_INTERVAL.
   */
  public void requestCycle() {
    requested = true;
    tickNow.run();
  }

  /**
   * Makes a cycle due at once: a server has changed its role or hung up. More is to be expected.
   */
  public void requestCycleByServer() {
    reported = true;
    requestCycle();
  }

  /** Makes a tick due after a time: something is to be looked at again. The last call counts. */
  public void requestCycleIn(Duration time) {
    alarm = nanoTime.getAsLong() + time.toNanos();
  }

  /** Makes the next tick due: the cycle that ends now has to be run afresh. */
  public void repeat() {
    repeats = true;
  }

  /** No cycle is due any more. */
  public void stop() {
    stopped = true;
  }

  /**
   * Waits until no cycle is under way, or the time is over.
   *
   * @return whether none is under way
   */
  public boolean awaitEnd(Duration longest) throws InterruptedException {
    long began = nanoTime.getAsLong();
    while (underWay.get() > 0 && nanoTime.getAsLong() - began < longest.toNanos()) {
      Thread.sleep(END_POLL.toMillis());
    }
    return underWay.get() == 0;
  }

  /**
   * Whether a cycle is due at this tick. Never while one is under way; {@link #begun} begins it.
   */
  public boolean isDue() {
    if (stopped || underWay.get() > 0) {
      return false;
    }
    if (begunAt == null) {
      return true;
    }
    long now = nanoTime.getAsLong();
    if (!leads.getAsBoolean()) {
      return hasPassed(now, followerInterval());
    }
    return repeats
        || term.getAsInt() != lastTerm
        || hasPassed(now, interval)
        || isUnstable(now) && (hasPassed(now, REPORTED) || !nodesReport.getAsBoolean())
        || isAlarmed(now)
        || requested && (hasRested(now) || requestedCycles < MAX_REQUESTED_CYCLES);
  }

  /** Whether this replica is to act at once: it leads, and a change is to be expected. */
  public boolean isUrgent() {
    return !stopped && leads.getAsBoolean() && isUnstable();
  }

  /** Whether something is going on: a change is to be expected. */
  public boolean isUnstable() {
    return isUnstable(nanoTime.getAsLong());
  }

  private boolean isAlarmed(long now) {
    Long at = alarm;
    return at != null && now - at >= 0;
  }

  private boolean hasRested(long now) {
    return now - requestAnsweredAt >= SETTLED.toNanos();
  }

  /** A timer's ticks come a little early or late. */
  private boolean hasPassed(long now, Duration time) {
    return now - begunAt >= time.minus(tick.dividedBy(2)).toNanos();
  }

  private boolean isUnstable(long now) {
    return (refused || now - changedAt < SETTLED.toNanos())
        && now - unsettledSince < MAX_UNSETTLED.toNanos();
  }

  /** A cycle begins; {@link #done} ends it. It answers all that has made it due. */
  public void begun() {
    underWay.incrementAndGet();
    long now = nanoTime.getAsLong();
    begunAt = now;
    if (!leads.getAsBoolean()) {
      return;
    }
    lastTerm = term.getAsInt();
    repeats = false;
    if (isAlarmed(now)) {
      alarm = null;
    }
    if (requested) {
      requestedCycles = hasRested(now) ? 1 : requestedCycles + 1;
      requestAnsweredAt = now;
      requested = false;
    }
    if (reported) {
      reported = false;
      changed(now);
    }
  }

  /**
   * A cycle is concluded.
   *
   * @param topology what it found; null when it ended before that
   * @param refused whether that was refused by verification
   */
  public void concluded(Topology topology, boolean refused) {
    if (topology == null) {
      this.refused = false;
      return;
    }
    Map<Node, State> states = new HashMap<>();
    topology.nodes().forEach(node -> states.put(node.node(), node.state()));
    boolean news = lastStates != null && !states.equals(lastStates);
    if (news || refused != this.refused) {
      changed(nanoTime.getAsLong());
    }
    lastStates = states;
    this.refused = refused;
  }

  /** All of a cycle has ended, its alerts included. */
  public void done() {
    underWay.updateAndGet(cycles -> Math.max(0, cycles - 1));
  }

  private void changed(long now) {
    if (now - changedAt >= SETTLED.toNanos()) {
      unsettledSince = now;
    }
    changedAt = now;
  }
}
