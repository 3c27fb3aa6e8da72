package io.github.pgendpoints.cycle;

import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.camel.util.concurrent.CamelThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A timer that ticks only when the work of its route is due. It checks this at the period that the
 * route sets, and after each event. All ticks run on one thread, one after the other.
 *
 * <p>It extends {@link Timer} because Camel's component requires one, but it uses none of its code:
 * a Timer follows the wall clock, and stands still for as long as the clock is set back.
 */
public final class Ticks extends Timer {
  private static final Logger LOG = LoggerFactory.getLogger(Ticks.class);

  private final BooleanSupplier due;
  private final ScheduledExecutorService thread;
  private volatile TimerTask task;

  /**
   * Creates a timer that ticks after a route has started it.
   *
   * @param name the name of its thread
   * @param due whether to tick
   */
  public Ticks(String name, BooleanSupplier due) {
    super(/* isDaemon= */ true);
    super.cancel();
    this.due = due;
    // Once the program ends, it discards the ticks to come.
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            new CamelThreadFactory("#name#", name, /* daemon= */ true),
            new ThreadPoolExecutor.DiscardPolicy());
  }

  /**
   * Starts to tick, and stops the ticks of an earlier task: a route was stopped and started again.
   *
   * @param delay in milliseconds, like the period
   */
  @Override
  public void schedule(TimerTask ticked, long delay, long period) {
    task = ticked;
    thread.schedule(() -> tickEach(period, ticked), delay, TimeUnit.MILLISECONDS);
  }

  /** Ticks as soon as the previous tick has ended; not before a route has started the timer. */
  public void tickNow() {
    if (task != null) {
      thread.execute(this::tick);
    }
  }

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
    thread.schedule(
        () -> tickEach(period, ticked), Math.max(0, period - took), TimeUnit.MILLISECONDS);
  }

  private void tick() {
    try {
      if (due.getAsBoolean()) {
        task.run();
      }
    } catch (RuntimeException | Error e) {
      // The next tick may succeed; if none does, the liveness probe fails.
      LOG.error("a tick failed, and the next one follows: {}", e.toString(), e);
    }
  }
}
