package io.github.pgendpoints.status;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pgendpoints.cycle.Outcome;
import io.github.pgendpoints.cycle.Result;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class LatestStatusTest {
  @Test
  void showsThatTheLeaseWasLostSinceTheLastCycle() {
    AtomicBoolean leads = new AtomicBoolean(true);
    LatestStatus status =
        new LatestStatus(null, "pem-0", Duration.ZERO, leads::get, () -> null, Clock.systemUTC());
    status.ended(
        new Result(
            Outcome.VERIFIED, true, false, Duration.ZERO, null, null, null, null, null, List.of()),
        List::of);
    assertEquals(true, status.missing().source().leading());

    leads.set(false);

    assertEquals(false, status.missing().source().leading());
  }
}
