package io.github.pgendpoints.cycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeartbeatTest {
  private final AtomicLong now = new AtomicLong(-5);

  private Heartbeat heartbeat(int interval, int connectTimeout) {
    return new Heartbeat(
        Duration.ofSeconds(interval), Duration.ofSeconds(connectTimeout), now::get);
  }

  @Test
  void reportsHowLongAgoACycleEnded() {
    Heartbeat heartbeat = heartbeat(1, 5);
    now.addAndGet(Duration.ofSeconds(7).toNanos());
    assertEquals(Duration.ofSeconds(7), heartbeat.age());

    heartbeat.cycleEnded(false, true);
    now.addAndGet(Duration.ofSeconds(3).toNanos());
    assertEquals(Duration.ofSeconds(3), heartbeat.age());
  }

  @Test
  void takesACycleThatMissesARouteForNone() {
    Heartbeat heartbeat = heartbeat(1, 5);
    now.addAndGet(Duration.ofSeconds(7).toNanos());
    heartbeat.cycleEnded(true, false);

    assertEquals(Duration.ofSeconds(7), heartbeat.age());
    assertTrue(heartbeat.isApiReached());
  }

  @Test
  void reportsWhetherTheLastCycleReachedTheApi() {
    Heartbeat heartbeat = heartbeat(1, 5);
    assertFalse(heartbeat.isApiReached());

    heartbeat.cycleEnded(true, true);
    assertTrue(heartbeat.isApiReached());
    heartbeat.cycleEnded(false, true);
    assertFalse(heartbeat.isApiReached());
  }

  /** The limit is the time of a cycle that is outdated three times while every node is silent. */
  @ParameterizedTest
  @CsvSource({"1, 5, 81, 81", "1, 1, 33, 60", "3600, 5, 3680, 3680", "1, 60, 741, 741"})
  void allowsWhatACycleMayTake(int interval, int connectTimeout, int running, int stopped) {
    Heartbeat heartbeat = heartbeat(interval, connectTimeout);

    assertEquals(Duration.ofSeconds(running), heartbeat.limit(true));
    assertEquals(Duration.ofSeconds(stopped), heartbeat.limit(false));
  }
}
