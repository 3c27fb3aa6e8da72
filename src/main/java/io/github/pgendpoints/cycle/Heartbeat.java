package io.github.pgendpoints.cycle;

import io.github.pgendpoints.publish.ApiBudget;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Whether the cycles go on, judged by a clock: a cycle that hangs says nothing, least of all that
 * it hangs. Read by other threads than the one it is told by.
 */
public final class Heartbeat {
  /** A topology that was outdated when it was written is probed afresh, so often at most. */
  private static final int ROUNDS = Conclusion.MAX_CONFLICTS + 1;

  /** The look-ups of names, the probes of all nodes, and the second looks. */
  private static final int PROBES = 3;

  /** For a machine that has other things to do. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  /** A person who stops a route of the cycles gets this long for what they are about. */
  private static final Duration STOPPED_BY_HAND = Duration.ofSeconds(60);

  private final Duration limit;
  private final LongSupplier nanoTime;
  private volatile long lastBeat;
  private volatile boolean apiReached;

  /**
   * @param interval the longest time from one cycle to the next
   * @param connectTimeout PGCONNECT_TIMEOUT: what the probes of one round may take
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
   * A cycle has ended, however.
   *
   * @param apiReached whether it could read the Endpoints
   * @param complete whether none of its routes is stopped: one that a person took a part out of
   *     ends, too, and is none
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

  /** How long ago the last cycle ended; before the first, how long ago this was made. */
  public Duration age() {
    return Duration.ofNanos(nanoTime.getAsLong() - lastBeat);
  }

  /** The longest that {@link #age} gets while nothing is wrong with the program itself. */
  public Duration limit(boolean running) {
    return running || limit.compareTo(STOPPED_BY_HAND) > 0 ? limit : STOPPED_BY_HAND;
  }
}
