package io.github.pgendpoints.postgres;

import java.math.BigDecimal;
import java.time.Duration;

/** The point in time by which something has to end, however many steps it takes. */
public final class Deadline {
  private final long end;
  private final Duration limit;

  private Deadline(Duration limit) {
    this.limit = limit;
    this.end = System.nanoTime() + limit.toNanos();
  }

  /** The deadline of something that starts now and may take this long. */
  public static Deadline in(Duration limit) {
    return new Deadline(limit);
  }

  /** The deadline of a step that starts now: the earlier of this one and {@code limit} from now. */
  Deadline within(Duration limit) {
    Deadline step = in(limit);
    return step.end - end < 0 ? step : this;
  }

  /** The time left, rounded up; 0 when it is over. */
  int remainingMillis() {
    long nanos = end - System.nanoTime();
    return nanos <= 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, (nanos - 1) / 1_000_000 + 1);
  }

  boolean isOver() {
    return remainingMillis() == 0;
  }

  /** How long it was from the start, such as {@code 0.5 s}. */
  @Override
  public String toString() {
    return BigDecimal.valueOf(limit.toMillis(), 3).stripTrailingZeros().toPlainString() + " s";
  }
}
