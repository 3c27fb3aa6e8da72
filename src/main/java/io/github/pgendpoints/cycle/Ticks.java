package io.github.pgendpoints.cycle;

import java.util.Timer;
import java.util.TimerTask;
import java.util.function.BooleanSupplier;

/**
 * The timer of the cycles. At the period that the route gives it and, beyond Camel's own timers,
 * whenever something happens, it ticks if a cycle is due. All ticks come from its one thread, one
 * after the other.
 */
public final class Ticks extends Timer {
  private final BooleanSupplier due;
  private volatile TimerTask tick;
  private TimerTask periodic;

  /**
   * Ticks once a route has started it.
   *
   * @param due whether a cycle is due
   */
  public Ticks(BooleanSupplier due) {
    super("ticks", /* isDaemon= */ true);
    this.due = due;
  }

  /** {@inheritDoc} */
  @Override
  public void schedule(TimerTask task, long delay, long period) {
    tick = task;
    if (periodic != null) {
      // A route that is stopped cancels its own task alone.
      periodic.cancel();
    }
    periodic = ifDue(task);
    super.schedule(periodic, delay, period);
  }

  /** Ticks as soon as the tick before has ended; not before a route has started the timer. */
  public void tickNow() {
    TimerTask task = tick;
    if (task != null) {
      try {
        schedule(ifDue(task), 0);
      } catch (IllegalStateException e) {
        // The timer has ended, by an Error in a tick: the liveness probe finds that no cycle ends.
      }
    }
  }

  private TimerTask ifDue(TimerTask task) {
    return new TimerTask() {
      @Override
      public void run() {
        if (due.getAsBoolean()) {
          task.run();
        }
      }
    };
  }
}
