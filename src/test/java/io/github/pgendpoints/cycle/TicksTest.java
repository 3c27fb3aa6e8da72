package io.github.pgendpoints.cycle;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.TimerTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TicksTest {
  private static final long NEVER = 3_600_000;

  private volatile boolean due = true;
  private final AtomicInteger looks = new AtomicInteger();
  private final Ticks ticks =
      new Ticks(
          "ticks",
          () -> {
            looks.incrementAndGet();
            return due;
          });

  /** Counts its runs. */
  private static class Counted extends TimerTask {
    final AtomicInteger runs = new AtomicInteger();

    @Override
    public void run() {
      runs.incrementAndGet();
    }
  }

  @AfterEach
  void stop() {
    ticks.cancel();
  }

  @Test
  void ticksWhileACycleIsDue() {
    Counted cycle = new Counted();
    ticks.schedule(cycle, 0, 5);
    await().until(() -> cycle.runs.get() > 2);

    due = false;
    int before = looks.get();
    await().until(() -> looks.get() > before + 2);
    int runs = cycle.runs.get();
    int later = looks.get();
    await().until(() -> looks.get() > later + 5);
    assertEquals(runs, cycle.runs.get());
  }

  @Test
  void ticksAtOnceWhenSomethingHappens() {
    Counted cycle = new Counted();
    ticks.tickNow();
    ticks.schedule(cycle, NEVER, NEVER);
    assertEquals(0, looks.get());

    ticks.tickNow();
    await().until(() -> cycle.runs.get() == 1);
  }

  @Test
  void goesOnAfterAnError() {
    Counted failing =
        new Counted() {
          @Override
          public void run() {
            super.run();
            throw new AssertionError("of this test");
          }
        };
    ticks.schedule(failing, 0, 5);
    await().until(() -> failing.runs.get() > 2);
  }

  @Test
  void theTaskOfAStoppedRouteRunsNoMore() {
    Counted stopped = new Counted();
    Counted started = new Counted();
    ticks.schedule(stopped, 0, 5);
    await().until(() -> stopped.runs.get() > 2);
    ticks.schedule(started, NEVER, NEVER);

    ticks.tickNow();
    await().until(() -> started.runs.get() == 1);
    int runs = stopped.runs.get();
    ticks.tickNow();
    await().until(() -> started.runs.get() == 2);
    assertEquals(runs, stopped.runs.get());
  }
}
