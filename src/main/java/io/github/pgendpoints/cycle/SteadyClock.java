package io.github.pgendpoints.cycle;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.function.LongSupplier;

/**
 * A clock that does not follow changes of the system time. Rules measure how long a node has been
 * in a state: if an operator or NTP sets the system time, a rival must not be treated as dead
 * early, and no interval may become longer.
 */
public final class SteadyClock extends Clock {
  private final Clock wall;
  private final LongSupplier nanoTime;
  private final Instant start;
  private final long startNanos;

  /**
   * @param wall sets the start of this clock, and its zone
   * @param nanoTime as {@link System#nanoTime}
   */
  public SteadyClock(Clock wall, LongSupplier nanoTime) {
    this.wall = wall;
    this.nanoTime = nanoTime;
    this.start = wall.instant();
    this.startNanos = nanoTime.getAsLong();
  }

  @Override
  public Instant instant() {
    return start.plusNanos(nanoTime.getAsLong() - startNanos);
  }

  @Override
  public ZoneId getZone() {
    return wall.getZone();
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return new SteadyClock(wall.withZone(zone), nanoTime);
  }
}
