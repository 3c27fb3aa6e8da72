package io.github.pgendpoints.kubernetes.election;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Both clocks of a process, for times that must not seem shorter than they are.
 *
 * @param nanoTime as {@link System#nanoTime}, which cannot be set back, but stands still while the
 *     machine sleeps
 * @param currentTimeMillis as {@link System#currentTimeMillis}, which continues meanwhile
 */
public record Clocks(LongSupplier nanoTime, LongSupplier currentTimeMillis) {
  /** A moment by both clocks. */
  public record Moment(long nanos, long millis) {}

  /** Returns the current moment. */
  public Moment now() {
    return new Moment(nanoTime.getAsLong(), currentTimeMillis.getAsLong());
  }

  /** The time since a moment, by the clock that shows more. */
  public Duration since(Moment moment) {
    Duration byNanos = Duration.ofNanos(nanoTime.getAsLong() - moment.nanos());
    Duration byMillis = Duration.ofMillis(currentTimeMillis.getAsLong() - moment.millis());
    return byNanos.compareTo(byMillis) > 0 ? byNanos : byMillis;
  }
}
