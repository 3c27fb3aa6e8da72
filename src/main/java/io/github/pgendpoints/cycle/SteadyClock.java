package io.github.pgendpoints.cycle;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * A clock that does not follow changes of the system time. Rules measure how long a node has been
 * in a state: if an operator or NTP sets the system time, a rival must not be treated as dead
 * early, and no interval may become longer.
 */
public final class SteadyClock implements InstantSource {
  private final LongSupplier nanoTime;
  private final Instant start;
  private final long startNanos;

  /**
   * @param wall sets the start of this clock
   * @param nanoTime as {@link System#nanoTime}
   */
  public SteadyClock(InstantSource wall, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.start = wall.instant();
    this.startNanos = nanoTime.getAsLong();
  }

  @Override
  public Instant instant() {
    return start.plusNanos(nanoTime.getAsLong() - startNanos);
  }
}
