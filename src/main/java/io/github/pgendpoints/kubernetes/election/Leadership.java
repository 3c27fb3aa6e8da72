package io.github.pgendpoints.kubernetes.election;

import io.github.pgendpoints.kubernetes.election.Clocks.Moment;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Whether this process may write at this moment; checked before each attempt of each write.
 *
 * <p>A flag that is set and cleared is not enough: a process that was frozen wakes up with the flag
 * it had, and goes on where it stopped. So leadership is a time that runs out by itself, well
 * before the Lease does and another process may take it.
 */
public final class Leadership {
  private final Duration lasts;
  private final Clocks clocks;
  private volatile Moment renewed;
  private volatile Moment observed;
  private volatile boolean alone;
  private volatile String sharedWith;
  private volatile int terms;
  private volatile int successions;

  /**
   * @param lasts how long after its renewal leadership ends; less than the Lease's duration
   */
  Leadership(Duration lasts, LongSupplier nanoTime, LongSupplier currentTimeMillis) {
    this.lasts = lasts;
    this.clocks = new Clocks(nanoTime, currentTimeMillis);
  }

  /** The leadership of a process that takes part in an election. */
  public static Leadership byLease() {
    return new Leadership(Election.RENEW_DEADLINE, System::nanoTime, System::currentTimeMillis);
  }

  /** The leadership of a process that takes part in no election: it always leads. */
  public static Leadership withoutElection() {
    Leadership leadership = byLease();
    leadership.alone(true);
    return leadership;
  }

  /**
   * Returns while this process leads.
   *
   * @throws NotLeaderException when it does not
   */
  public void check() {
    if (!isHeld()) {
      throw new NotLeaderException("this replica does not lead: it writes nothing");
    }
  }

  /** Whether this process leads, or there is no election. */
  public boolean isHeld() {
    Moment last = renewed;
    return alone || last != null && clocks.since(last).compareTo(lasts) < 0;
  }

  /**
   * Whether the Lease could be read a moment ago. False also when the election itself has ended for
   * whatever reason.
   */
  public boolean isLookedAt() {
    Moment last = observed;
    return last != null && clocks.since(last).compareTo(lasts) < 0;
  }

  /**
   * The number of the current term of leadership, or of the last one. It grows whenever leadership
   * was lost in between, so that other processes may have written.
   */
  public int term() {
    return terms;
  }

  /**
   * How often this process has taken over a Lease that was not its own: another process may have
   * led before, and has reported what it found. A term that begins because the API server was away
   * does not count.
   */
  public int successions() {
    return successions;
  }

  /**
   * Renews leadership from the moment at which this request is sent, not from its answer. A request
   * that throws renews nothing.
   *
   * @param succeeds whether the Lease was not this process's own before
   */
  void renewBy(Runnable request, boolean succeeds) {
    Moment sent = clocks.now();
    request.run();
    if (succeeds) {
      successions++;
    }
    if (!isHeld()) {
      terms++;
    }
    renewed = sent;
  }

  /** Notes that the Lease was read. */
  void recordObservation() {
    observed = clocks.now();
  }

  /** Ends leadership at once. */
  void end() {
    renewed = null;
  }

  /** Sets whether this process leads without a Lease. */
  void alone(boolean isAlone) {
    if (isAlone && !isHeld()) {
      terms++;
    }
    alone = isAlone;
  }

  boolean isAlone() {
    return alone;
  }

  /**
   * What the holder of the Lease serves if it is of another installation, as long as that lasts;
   * text of unknown origin. Null if it is of the same one, or not known.
   */
  public String sharedWith() {
    return sharedWith;
  }

  void sharedWith(String other) {
    sharedWith = other;
  }
}
