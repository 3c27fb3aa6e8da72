package io.github.pgendpoints.postgres;

import java.math.BigDecimal;
import java.time.Duration;

/** The point in time by which an operation must end, however many steps it has. */
public final class Deadline {
  private final long end;
  private final Duration limit;

  private Deadline(Duration limit) {
    this.limit = limit;
    this.end = System.nanoTime() + limit.toNanos();
  }

  /** Returns the deadline of an operation that starts now and may take this long. */
  public static Deadline in(Duration limit) {
    return new Deadline(limit);
  }

  /** The deadline of a step that starts now: this one or, if earlier, {@code limit} from now. */
  Deadline within(Duration limit) {
    Deadline step = in(limit);
    return step.end - end < 0 ? step : this;
  }

  /** The time left, rounded up; 0 if the deadline has passed. */
  int remainingMillis() {
    long nanos = end - System.nanoTime();
    return nanos <= 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, (nanos - 1) / 1_000_000 + 1);
  }

  boolean isOver() {
    return remainingMillis() == 0;
  }

  /** The whole time from the start to the deadline, such as {@code 0.5 s}. */
  @Override
  public String toString() {
    return BigDecimal.valueOf(limit.toMillis(), 3).stripTrailingZeros().toPlainString() + " s";
  }
}
