package io.github.pgendpoints.publish;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How long ago a cycle began. What it read and what the nodes said was true then: a process that
 * was suspended in between must not write it.
 */
public final class CycleAge {
  private final Duration limit;
  private final LongSupplier nanoTime;
  private final LongSupplier currentTimeMillis;

  /**
   * A moment by both clocks.
   *
   * @param nanos nobody can set this clock, but it stands still while the machine sleeps
   * @param millis since 1970; this one goes on meanwhile
   */
  public record Moment(long nanos, long millis) {}

  /**
   * @param limit after which a cycle's result counts for nothing
   * @param nanoTime as {@link System#nanoTime}
   * @param currentTimeMillis as {@link System#currentTimeMillis}
   */
  public CycleAge(Duration limit, LongSupplier nanoTime, LongSupplier currentTimeMillis) {
    this.limit = limit;
    this.nanoTime = nanoTime;
    this.currentTimeMillis = currentTimeMillis;
  }

  /**
   * With the limit that no cycle reaches which was not held up: its probes end by
   * PGCONNECT_TIMEOUT, and its API work, whose last request begins while a whole KUBERNETES_TIMEOUT
   * is left, within {@link ApiBudget#TOTAL}.
   *
   * @param connectTimeout PGCONNECT_TIMEOUT
   */
  public static CycleAge of(Duration connectTimeout) {
    return new CycleAge(
        connectTimeout.plus(ApiBudget.TOTAL), System::nanoTime, System::currentTimeMillis);
  }

  /** The beginning of a cycle. */
  public Moment now() {
    return new Moment(nanoTime.getAsLong(), currentTimeMillis.getAsLong());
  }

  /**
   * Goes on only while a cycle is young.
   *
   * @param begun when it began; null for what is no part of a cycle
   * @throws StaleTopologyException when that is too long ago by one of the clocks
   */
  public void check(Moment begun) throws StaleTopologyException {
    if (begun == null) {
      return;
    }
    Duration byNanos = Duration.ofNanos(nanoTime.getAsLong() - begun.nanos());
    Duration byMillis = Duration.ofMillis(currentTimeMillis.getAsLong() - begun.millis());
    Duration age = byNanos.compareTo(byMillis) > 0 ? byNanos : byMillis;
    if (age.compareTo(limit) > 0) {
      throw new StaleTopologyException(age, limit);
    }
  }
}
