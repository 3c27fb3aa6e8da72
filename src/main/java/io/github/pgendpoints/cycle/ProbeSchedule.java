package io.github.pgendpoints.cycle;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * Decides when the next cycle is due: every PROBE_INTERVAL while the cluster is stable, and every
 * PROBE_INTERVAL_UNSTABLE while it is unstable and not every server reports its changes, since only
 * then an earlier probe finds something. A replica that is not the leader runs a cycle every {@link
 * #followerInterval} in any case, and one as soon as it becomes the leader. One thread at a time
 * makes ticks; any thread may call {@link #requestCycle} and {@link #pace}.
 */
public final class ProbeSchedule {
  /** The interval while all servers report role changes: another event may still end a refusal. */
  static final Duration REPORTED = Duration.ofSeconds(1);

  /** How long after a change another change is expected. */
  static final Duration SETTLED = Duration.ofSeconds(5);

  /**
   * The longest time to probe an unstable cluster more often. If a cluster is down for hours, or a
   * node flaps all the time, more logins and log lines gain nothing.
   */
  static final Duration MAX_UNSETTLED = Duration.ofMinutes(5);

  /**
   * The limit of requested cycles without a rest. Without it, another writer that undoes each
   * repair at once would cause a write at every tick, forever.
   */
  static final int MAX_REQUESTED_CYCLES = 10;

  /** The interval of a replica that is not the leader; PROBE_INTERVAL if that is longer. */
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
   * @param unstableInterval PROBE_INTERVAL_UNSTABLE, not longer than {@code interval}
   * @param leads whether this replica is the leader now
   * @param term the number of this replica's current term of leadership, or of its last one
   * @param nodesReport whether every server reports its role changes, which makes a probe at each
   *     tick unnecessary
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
    // So that a cycle every PROBE_INTERVAL falls on a tick.
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

  /** The time from one cycle to the next of a replica that is not the leader. */
  public Duration followerInterval() {
    return interval.compareTo(FOLLOWER) > 0 ? interval : FOLLOWER;
  }

  /** The longest time from one cycle to the next in the current role. */
  public Duration interval() {
    return leads.getAsBoolean() ? interval : followerInterval();
  }

  /** The current time from one cycle to the next: a tick while {@link #isUrgent}. */
  public Duration pace() {
    return isUrgent() ? tick : interval();
  }

  /**
   * Makes a cycle due at once, after an event that only a cycle can evaluate. After too many
   * requests without a rest, the cycle waits for the next PROBE_INTERVAL.
   */
  public void requestCycle() {
    requested = true;
    tickNow.run();
  }

  /**
   * Makes a cycle due at once: a server has changed its role or closed a connection, and more
   * changes are expected.
   */
  public void requestCycleByServer() {
    reported = true;
    requestCycle();
  }

  /** Makes a cycle due after a time, to check something again. Only the last call applies. */
  public void requestCycleIn(Duration time) {
    alarm = nanoTime.getAsLong() + time.toNanos();
  }

  /** Makes a cycle due at the next tick, because the current one must run again. */
  public void repeat() {
    repeats = true;
  }

  /** Stops the schedule: no further cycle becomes due. */
  public void stop() {
    stopped = true;
  }

  /**
   * Waits until no cycle is running, or the time is over.
   *
   * @return whether no cycle is running
   */
  public boolean awaitEnd(Duration longest) throws InterruptedException {
    long began = nanoTime.getAsLong();
    while (underWay.get() > 0 && nanoTime.getAsLong() - began < longest.toNanos()) {
      Thread.sleep(END_POLL.toMillis());
    }
    return underWay.get() == 0;
  }

  /**
   * Whether a cycle is due at this tick; never while a cycle is running. {@link #begin} begins it.
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

  /** Whether this replica must act at once: it is the leader, and a change is expected. */
  public boolean isUrgent() {
    return !stopped && leads.getAsBoolean() && isUnstable();
  }

  /** Whether the cluster is unstable: a change is expected. */
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

  /** Tolerates half a tick, because a timer fires a little early or late. */
  private boolean hasPassed(long now, Duration time) {
    return now - begunAt >= time.minus(tick.dividedBy(2)).toNanos();
  }

  private boolean isUnstable(long now) {
    return (refused || now - changedAt < SETTLED.toNanos())
        && now - unsettledSince < MAX_UNSETTLED.toNanos();
  }

  /** Marks the begin of a cycle, which serves all pending requests. {@link #end} marks its end. */
  public void begin() {
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
   * Records the result of a cycle.
   *
   * @param topology what the cycle found; null when it ended before that
   * @param refused whether verification refused the topology
   */
  public void conclude(Topology topology, boolean refused) {
    if (topology == null) {
      this.refused = false;
      return;
    }
    Map<Node, State> states = new HashMap<>();
    topology.nodes().forEach(node -> states.put(node.node(), node.state()));
    boolean changed = lastStates != null && !states.equals(lastStates);
    if (changed || refused != this.refused) {
      changed(nanoTime.getAsLong());
    }
    lastStates = states;
    this.refused = refused;
  }

  /** Marks the end of a cycle, including its alerts. */
  public void end() {
    underWay.updateAndGet(cycles -> Math.max(0, cycles - 1));
  }

  private void changed(long now) {
    if (now - changedAt >= SETTLED.toNanos()) {
      unsettledSince = now;
    }
    changedAt = now;
  }
}
