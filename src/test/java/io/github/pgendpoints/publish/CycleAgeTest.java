package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** A cycle must not write its result if it began too long ago. */
class CycleAgeTest {
  private final AtomicLong nanos = new AtomicLong(5);
  private final AtomicLong millis = new AtomicLong(1_700_000_000_000L);
  private final CycleAge age =
      new CycleAge(Duration.ofSeconds(20), nanos::get, millis::get, () -> 0);

  private void pass(Duration byNanos, Duration byMillis) {
    nanos.addAndGet(byNanos.toNanos());
    millis.addAndGet(byMillis.toMillis());
  }

  @Test
  void aCycleMayWriteUpToTheLimit() {
    CycleAge.Moment begun = age.now();
    pass(Duration.ofSeconds(20), Duration.ofSeconds(20));

    assertDoesNotThrow(() -> age.check(begun));
    assertDoesNotThrow(() -> age.check(null), "no part of a cycle");
  }

  @Test
  void wallClockEndsCycle() {
    CycleAge.Moment begun = age.now();
    pass(Duration.ofSeconds(1), Duration.ofSeconds(21));

    assertEquals(
        "the cycle began too long ago: 21 s, more than the 20 s it may take; nothing is written, and the nodes are probed again",
        assertThrows(StaleTopologyException.class, () -> age.check(begun)).getMessage());
  }

  @Test
  void monotonicClockEndsCycle() {
    CycleAge.Moment begun = age.now();
    pass(Duration.ofSeconds(21), Duration.ofSeconds(-3600));

    assertThrows(StaleTopologyException.class, () -> age.check(begun));
  }
}
