package io.github.pgendpoints.alert;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ShutdownRunningTask;
import org.apache.camel.spi.ShutdownAware;
import org.apache.camel.support.DefaultConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One sink: its own queue, and a thread that passes one alert after the other to its route. A slow
 * sink therefore delays neither the cycle nor another sink.
 */
final class AlertsConsumer extends DefaultConsumer implements ShutdownAware {
  private static final Logger LOG = LoggerFactory.getLogger(AlertsConsumer.class);

  private final Sinks sinks;
  private final int capacity;
  private final Set<AlertFilter> only;
  private final Deque<Alert> queue = new ArrayDeque<>();
  private SinkCount count;
  private boolean busy;

  /** Whether the alert in progress was already logged as lost. */
  private boolean givenUp;

  private boolean overflowing;
  private volatile Thread thread;

  AlertsConsumer(
      Endpoint endpoint, Processor processor, Sinks sinks, int capacity, Set<AlertFilter> only) {
    super(endpoint, processor);
    this.sinks = sinks;
    this.capacity = capacity;
    this.only = only;
  }

  /** The name of the sink: the id of its route. */
  String name() {
    return getRouteId();
  }

  /** Adds an alert to the queue, and drops the oldest one if the queue is full. Never waits. */
  synchronized void offer(Alert alert) {
    if (!AlertFilter.takes(only, alert)) {
      return;
    }
    if (queue.size() == capacity) {
      queue.removeFirst();
      count.dropped().incrementAndGet();
      if (!overflowing) {
        LOG.error(
            "alert sink {} is too slow: its queue of {} is full, the oldest alerts are dropped",
            name(),
            capacity);
      }
      overflowing = true;
    }
    queue.addLast(alert);
    notifyAll();
  }

  /**
   * Waits until the route has processed all alerts, or the deadline has passed.
   *
   * @param deadline as of {@link System#nanoTime}
   */
  synchronized void await(long deadline) throws InterruptedException {
    long left = deadline - System.nanoTime();
    while (left > 0 && pending() > 0 && isRunAllowed() && thread != null) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
      left = deadline - System.nanoTime();
    }
  }

  /** Gives up the alerts that are queued or in progress, and logs each as lost only once. */
  void giveUp(String when) {
    int left;
    synchronized (this) {
      left = pending() - (givenUp ? 1 : 0);
      givenUp = busy;
      queue.clear();
    }
    if (left > 0) {
      LOG.error("alert sink {} did not process {} alert(s) {}: they are lost", name(), left, when);
    }
  }

  private int pending() {
    return queue.size() + (busy ? 1 : 0);
  }

  private void work() {
    try {
      // If the previous thread hung while the route was stopped and started, there are two threads:
      // only the new one goes on.
      while (isRunAllowed() && Thread.currentThread() == thread && !Thread.interrupted()) {
        take(next());
      }
    } catch (InterruptedException e) {
      LOG.debug("alert sink {} stops", name());
    }
  }

  private synchronized Alert next() throws InterruptedException {
    while (queue.isEmpty()) {
      overflowing = false;
      wait();
    }
    busy = true;
    givenUp = false;
    return queue.removeFirst();
  }

  private void take(Alert alert) {
    Exchange exchange = createExchange(false);
    exchange.getMessage().setBody(alert);
    Throwable failure;
    try {
      createUoW(exchange);
      getProcessor().process(exchange);
      failure = exchange.getException();
      doneUoW(exchange);
    } catch (Exception | Error e) {
      failure = e;
    }
    releaseExchange(exchange, false);
    if (failure != null && !isGivenUp()) {
      LOG.error(
          "alert sink {} failed to deliver {}: {}",
          name(),
          alert.key(),
          DeliveryError.describe(failure));
    }
    // After the log line: a run of one cycle ends as soon as nothing is pending.
    synchronized (this) {
      busy = false;
      givenUp = false;
      (failure == null ? count.sent() : count.failed()).incrementAndGet();
      notifyAll();
    }
  }

  private synchronized boolean isGivenUp() {
    return givenUp;
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    count = sinks.count(name());
    thread = new Thread(this::work, "alert sink " + name());
    thread.setDaemon(true);
    thread.start();
    sinks.add(this);
  }

  @Override
  protected void doStop() throws Exception {
    sinks.remove(this);
    giveUp("before it was stopped");
    // The process does not wait for a thread that ignores this: it is a daemon.
    thread.interrupt();
    super.doStop();
  }

  @Override
  public boolean deferShutdown(ShutdownRunningTask task) {
    // Otherwise queued alerts, and those that a cycle in flight still sends, would be lost.
    return true;
  }

  @Override
  public synchronized int getPendingExchangesSize() {
    return pending();
  }

  @Override
  public void prepareShutdown(boolean suspendOnly, boolean forced) {
    if (forced && thread != null) {
      // Before the interrupt, which makes the alert in progress fail.
      giveUp("before it was stopped");
      thread.interrupt();
    }
  }
}
