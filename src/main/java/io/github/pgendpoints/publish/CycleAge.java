package io.github.pgendpoints.publish;

import io.github.pgendpoints.kubernetes.election.Clocks;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Checks when a cycle began, and in which term of leadership. What it read and what the nodes
 * reported was true then. A process that was suspended in between must not write the result, even
 * if it leads again: another replica may have written meanwhile.
 */
public final class CycleAge {
  private static final String EFFECT = "nothing is written, and the nodes are probed again";

  private final Duration limit;
  private final Clocks clocks;
  private final LongSupplier term;

  /** A moment in a term of leadership. */
  public record Moment(Clocks.Moment time, long term) {}

  /**
   * @param limit the age after which the result of a cycle must not be written
   * @param nanoTime as {@link System#nanoTime}
   * @param currentTimeMillis as {@link System#currentTimeMillis}
   * @param term the number of the term of leadership, which changes if the leadership was lost
   */
  public CycleAge(
      Duration limit, LongSupplier nanoTime, LongSupplier currentTimeMillis, LongSupplier term) {
    this.limit = limit;
    this.clocks = new Clocks(nanoTime, currentTimeMillis);
    this.term = term;
  }

  /**
   * Returns a check whose limit only a cycle that was held up exceeds. Its lookups, its probes, and
   * its second probes each end within PGCONNECT_TIMEOUT. Its API work ends within {@link
   * ApiBudget#TOTAL}: the last request begins while a whole KUBERNETES_TIMEOUT is left.
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

  /** Returns the current moment, as the beginning of a cycle. */
  public Moment now() {
    return new Moment(clocks.now(), term.getAsLong());
  }

  /**
   * Checks that a cycle is young enough, and still in the term of leadership in which it began.
   *
   * @param begun when it began; null for what is not part of a cycle
   * @throws StaleTopologyException if that is too long ago by one of the clocks, or was in another
   *     term
   */
  public void check(Moment begun) throws StaleTopologyException {
    if (begun == null) {
      return;
    }
    if (begun.term() != term.getAsLong()) {
      // This process lost the Lease meanwhile, and another replica may have written.
      throw new StaleTopologyException("the cycle began in an earlier term of leadership", EFFECT);
    }
    Duration age = clocks.since(begun.time());
    if (age.compareTo(limit) > 0) {
      throw new StaleTopologyException(
          "the cycle began too long ago",
          "%d s, more than the %d s it may take; %s"
              .formatted(age.toSeconds(), limit.toSeconds(), EFFECT));
    }
  }
}
