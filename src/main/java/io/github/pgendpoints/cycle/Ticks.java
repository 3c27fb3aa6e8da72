package io.github.pgendpoints.cycle;

import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.camel.util.concurrent.CamelThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A timer that ticks only if what its route does is due: it asks at the period that the route gives
 * it, and whenever something happens. All ticks come from one thread, one after the other.
 *
 * <p>It is a {@link Timer} because Camel's component asks for one, but uses nothing of it: a Timer
 * follows the wall clock, and stops for as long as that is set back.
 */
public final class Ticks extends Timer {
  private static final Logger LOG = LoggerFactory.getLogger(Ticks.class);

  private final BooleanSupplier due;
  private final ScheduledExecutorService thread;
  private volatile TimerTask task;

  /**
   * Ticks once a route has started it.
   *
   * @param name of its thread
   * @param due whether to tick
   */
  public Ticks(String name, BooleanSupplier due) {
    super(/* isDaemon= */ true);
    super.cancel();
    this.due = due;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, new CamelThreadFactory("#name#", name, /* daemon= */ true));
  }

  /**
   * Ticks from now on, and has a task that was given before tick no more: a route was stopped and
   * started again.
   *
   * @param delay in milliseconds, as the period
   */
  @Override
  public void schedule(TimerTask ticked, long delay, long period) {
    task = ticked;
    thread.schedule(() -> tickEach(period, ticked), delay, TimeUnit.MILLISECONDS);
  }

  /** Ticks as soon as the tick before has ended; not before a route has started the timer. */
  public void tickNow() {
    try {
      if (task != null) {
        thread.execute(this::tick);
      }
    } catch (RejectedExecutionException e) {
      // The program ends.
    }
  }

  /** Ends it. */
  @Override
  public void cancel() {
    thread.shutdownNow();
  }

  private void tickEach(long period, TimerTask ticked) {
    if (ticked != task) {
      return;
    }
    long began = System.nanoTime();
    tick();
    long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    try {
      thread.schedule(
          () -> tickEach(period, ticked), Math.max(0, period - took), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The program ends.
    }
  }

  private void tick() {
    try {
      if (due.getAsBoolean()) {
        task.run();
      }
    } catch (RuntimeException | Error e) {
      // The next one may do better; the liveness probe notices if none does.
      LOG.error("a tick failed, and the next one follows: {}", e.toString(), e);
    }
  }
}
