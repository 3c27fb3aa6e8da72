package io.github.pgendpoints.cycle;

import io.github.pgendpoints.publish.ApiBudget;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Measures whether cycles still end, by a clock, because a cycle that hangs cannot report it. One
 * thread records the cycles, and other threads read the result.
 */
public final class Heartbeat {
  /** The maximum of probe rounds: if a topology is outdated at its write, all is probed again. */
  private static final int ROUNDS = CycleSteps.MAX_CONFLICTS + 1;

  /** The lookups of names, the probes of all nodes, and the second probes. */
  private static final int PROBES = 3;

  /** Tolerance for a busy machine. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  /** The minimum limit while an operator has stopped a route of the cycles. */
  private static final Duration STOPPED_BY_HAND = Duration.ofSeconds(60);

  private final Duration limit;
  private final LongSupplier nanoTime;
  private volatile long lastBeat;
  private volatile boolean apiReached;

  /**
   * @param interval the longest time from one cycle to the next
   * @param connectTimeout PGCONNECT_TIMEOUT: the time that the probes of one round may take
   * @param nanoTime as {@link System#nanoTime}
   */
  public Heartbeat(Duration interval, Duration connectTimeout, LongSupplier nanoTime) {
    this.limit =
        interval
            .plus(connectTimeout.multipliedBy(PROBES).multipliedBy(ROUNDS))
            .plus(ApiBudget.TOTAL)
            .plus(SLACK);
    this.nanoTime = nanoTime;
    this.lastBeat = nanoTime.getAsLong();
  }

  /**
   * Records that a cycle has ended, with any outcome.
   *
   * @param apiReached whether it could read the Endpoints
   * @param complete whether none of its routes is stopped: a cycle with a stopped route also ends,
   *     but does not count
   */
  public void cycleEnded(boolean apiReached, boolean complete) {
    this.apiReached = apiReached;
    if (complete) {
      lastBeat = nanoTime.getAsLong();
    }
  }

  /** Whether the last cycle that ended could read the Endpoints; false before the first. */
  public boolean isApiReached() {
    return apiReached;
  }

  /** How long ago the last cycle ended; before the first cycle, the age of this object. */
  public Duration age() {
    return Duration.ofNanos(nanoTime.getAsLong() - lastBeat);
  }

  /** The limit of {@link #age} while the program itself works. */
  public Duration limit(boolean running) {
    return running || limit.compareTo(STOPPED_BY_HAND) > 0 ? limit : STOPPED_BY_HAND;
  }
}
