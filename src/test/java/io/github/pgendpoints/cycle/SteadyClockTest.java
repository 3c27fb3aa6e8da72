package io.github.pgendpoints.cycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SteadyClockTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private final AtomicReference<Instant> now = new AtomicReference<>(START);
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);

  @ParameterizedTest
  @ValueSource(strings = {"PT0S", "PT2H", "PT-2H"})
  void ignoresAChangeOfTheSystemTime(Duration change) {
    SteadyClock clock = new SteadyClock(now::get, nanos::get);
    assertEquals(START, clock.instant());

    now.set(START.plus(change));
    nanos.addAndGet(Duration.ofSeconds(3).toNanos());

    assertEquals(START.plusSeconds(3), clock.instant());
  }
}
