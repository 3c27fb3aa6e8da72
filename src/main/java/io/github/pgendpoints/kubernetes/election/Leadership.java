package io.github.pgendpoints.kubernetes.election;

import io.github.pgendpoints.kubernetes.election.Clocks.Moment;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Whether this process may write now. It is checked before each attempt of each write.
 *
 * <p>A flag is not enough: after a freeze, a process resumes where it stopped, with the flag still
 * set. So leadership is a time that expires by itself, well before the Lease expires and another
 * process may take it.
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
   * Returns normally if this process leads.
   *
   * @throws NotLeaderException if it does not lead
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
   * Whether the Lease was read recently. Also false if the election itself has ended, for any
   * reason.
   */
  public boolean isObserved() {
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
   * How often this process has taken over a Lease that it did not hold: another process may have
   * led before and reported its results. A term that begins after an outage of the API server is
   * not included.
   */
  public int successions() {
    return successions;
  }

  /**
   * Renews leadership from the time when the request is sent, not from its answer. A request that
   * throws renews nothing.
   *
   * @param succeeds whether this process did not hold the Lease before
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

  /** Records that the Lease was read. */
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
   * What the holder of the Lease serves, as untrusted text, while the holder is of another
   * installation. Null if it is of the same installation or not known.
   */
  public String sharedWith() {
    return sharedWith;
  }

  void sharedWith(String other) {
    sharedWith = other;
  }
}
