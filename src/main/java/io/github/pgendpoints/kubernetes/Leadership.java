package io.github.pgendpoints.kubernetes;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Whether this process may write now; looked at before each try of each write.
 *
 * <p>A flag that somebody sets and clears is not enough: a process that was frozen wakes up with
 * the flag it had, and goes on where it stopped. So leadership is a time that runs out by itself,
 * well before the Lease does and another replica may take it.
 */
public final class Leadership {
  private final Duration lasts;
  private final LongSupplier nanoTime;
  private final LongSupplier currentTimeMillis;
  private volatile Moment renewed;
  private volatile Moment looked;
  private volatile boolean alone;
  private volatile int terms;

  private record Moment(long nanos, long millis) {}

  /**
   * @param lasts how long after its renewal leadership ends; less than the Lease's duration
   * @param nanoTime as {@link System#nanoTime}, which nobody can set back, but which stands still
   *     while the machine sleeps
   * @param currentTimeMillis as {@link System#currentTimeMillis}, which goes on meanwhile
   */
  Leadership(Duration lasts, LongSupplier nanoTime, LongSupplier currentTimeMillis) {
    this.lasts = lasts;
    this.nanoTime = nanoTime;
    this.currentTimeMillis = currentTimeMillis;
  }

  /** That of a process that may hold a Lease. */
  public static Leadership byLease() {
    return new Leadership(LeaseView.RENEW_DEADLINE, System::nanoTime, System::currentTimeMillis);
  }

  /** That of a process which takes part in no election. */
  public static Leadership withoutElection() {
    Leadership leadership = byLease();
    leadership.alone(true);
    return leadership;
  }

  /**
   * Goes on only while this process leads.
   *
   * @throws NotLeaderException when it does not
   */
  public void check() {
    if (!isHeld()) {
      throw new NotLeaderException("not the leader at the moment of a write: nothing is written");
    }
  }

  /** Whether this process leads, or there is no election. */
  public boolean isHeld() {
    Moment last = renewed;
    return alone || last != null && age(last).compareTo(lasts) < 0;
  }

  /**
   * Whether the API answers a replica that stands by, which asks it for the Lease and nothing else.
   * An election that has ended for whatever reason shows here, too.
   */
  public boolean isLookedAt() {
    Moment last = looked;
    return last != null && age(last).compareTo(lasts) < 0;
  }

  /** Which leadership this is: another one when it was lost in between, and others wrote. */
  public int term() {
    return terms;
  }

  /** By the clock that says more: in doubt another replica leads already. */
  private Duration age(Moment moment) {
    Duration byNanos = Duration.ofNanos(nanoTime.getAsLong() - moment.nanos());
    Duration byMillis = Duration.ofMillis(currentTimeMillis.getAsLong() - moment.millis());
    return byNanos.compareTo(byMillis) > 0 ? byNanos : byMillis;
  }

  /**
   * Renews the Lease by this request: what counts is when it was sent, not when it was answered.
   */
  void renewBy(Runnable request) {
    Moment sent = now();
    request.run();
    Moment last = renewed;
    if (last == null || age(last).compareTo(lasts) >= 0) {
      terms++;
    }
    renewed = sent;
  }

  /** The API has told who holds the Lease. */
  void looked() {
    looked = now();
  }

  private Moment now() {
    return new Moment(nanoTime.getAsLong(), currentTimeMillis.getAsLong());
  }

  /** Ends leadership at once. */
  void end() {
    renewed = null;
  }

  /** Whether to write without a Lease. */
  void alone(boolean isAlone) {
    alone = isAlone;
  }

  boolean isAlone() {
    return alone;
  }
}
