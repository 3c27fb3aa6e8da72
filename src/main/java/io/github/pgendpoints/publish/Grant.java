package io.github.pgendpoints.publish;

import java.time.Duration;
import java.util.function.LongSupplier;

/** A right that the Role may lack: asked for again after a while, since Roles are mended. */
final class Grant {
  private static final Duration AGAIN = Duration.ofSeconds(30);

  private final LongSupplier nanoTime;
  private Long refusedAt;

  /**
   * @param nanoTime as {@link System#nanoTime}
   */
  Grant(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Whether to ask: it is not known to be missing, or that was long ago. */
  boolean isWorthAsking() {
    return refusedAt == null || nanoTime.getAsLong() - refusedAt >= AGAIN.toNanos();
  }

  /** Notes that the Role lacks it. */
  void refused() {
    refusedAt = nanoTime.getAsLong();
  }
}
