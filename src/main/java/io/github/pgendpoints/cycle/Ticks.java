package io.github.pgendpoints.cycle;

import java.util.Timer;
import java.util.TimerTask;

/**
 * The timer of the cycles. It ticks at the period that the route gives it and, beyond Camel's own
 * timers, whenever something happens. All ticks come from its one thread, one after the other.
 */
public final class Ticks extends Timer {
  private volatile TimerTask tick;

  /** Ticks once a route has started it. */
  public Ticks() {
    super("ticks", /* isDaemon= */ true);
  }

  /** {@inheritDoc} */
  @Override
  public void schedule(TimerTask task, long delay, long period) {
    tick = task;
    super.schedule(task, delay, period);
  }

  /** Ticks as soon as the tick before has ended; not before a route has started the timer. */
  public void tickNow() {
    TimerTask periodic = tick;
    if (periodic != null) {
      TimerTask now =
          new TimerTask() {
            @Override
            public void run() {
              periodic.run();
            }
          };
      try {
        schedule(now, 0);
      } catch (IllegalStateException e) {
        // The timer has ended, by an Error in a tick: the liveness probe finds that no cycle ends.
      }
    }
  }
}
