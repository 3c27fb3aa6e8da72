package io.github.pgendpoints.publish;

import io.github.pgendpoints.kubernetes.election.Clocks;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * When a cycle began, and in which term of leadership. What it read and what the nodes said was
 * true then. A process that was suspended in between must not write it, even when it leads again:
 * another replica may have written meanwhile.
 */
public final class CycleAge {
  private final Duration limit;
  private final Clocks clocks;
  private final LongSupplier term;

  /** A moment in a term of leadership. */
  public record Moment(Clocks.Moment time, long term) {}

  /**
   * @param limit after which a cycle's result counts for nothing
   * @param nanoTime as {@link System#nanoTime}
   * @param currentTimeMillis as {@link System#currentTimeMillis}
   * @param term the number of the term of leadership; another one means that it was lost meanwhile
   */
  public CycleAge(
      Duration limit, LongSupplier nanoTime, LongSupplier currentTimeMillis, LongSupplier term) {
    this.limit = limit;
    this.clocks = new Clocks(nanoTime, currentTimeMillis);
    this.term = term;
  }

  /**
   * With the limit that no cycle reaches which was not held up: its look-ups, probes, and second
   * looks each end by PGCONNECT_TIMEOUT, and its API work, whose last request begins while a whole
   * KUBERNETES_TIMEOUT is left, within {@link ApiBudget#TOTAL}.
   *
   * @param connectTimeout PGCONNECT_TIMEOUT
   * @param term the number of the term of leadership
   */
  public static CycleAge of(Duration connectTimeout, LongSupplier term) {
    return new CycleAge(
        connectTimeout.multipliedBy(3).plus(ApiBudget.TOTAL),
        System::nanoTime,
        System::currentTimeMillis,
        term);
  }

  /** The beginning of a cycle. */
  public Moment now() {
    return new Moment(clocks.now(), term.getAsLong());
  }

  /**
   * Goes on only while a cycle is young, in the term of leadership in which it began.
   *
   * @param begun when it began; null for what is no part of a cycle
   * @throws StaleTopologyException when that is too long ago by one of the clocks, or was in
   *     another term
   */
  public void check(Moment begun) throws StaleTopologyException {
    if (begun == null) {
      return;
    }
    if (begun.term() != term.getAsLong()) {
      throw StaleTopologyException.ofAnotherTerm();
    }
    Duration age = clocks.since(begun.time());
    if (age.compareTo(limit) > 0) {
      throw StaleTopologyException.ofAge(age, limit);
    }
  }
}
