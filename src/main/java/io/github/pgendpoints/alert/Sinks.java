package io.github.pgendpoints.alert;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** The running sinks. They start in parallel with the first cycles, and miss no alert of those. */
public final class Sinks {
  private static final int MAX_EARLY = 1000;

  private final List<AlertsConsumer> running = new ArrayList<>();

  private final List<BiConsumer<String, SinkCount>> subscribers = new ArrayList<>();
  private final Map<String, SinkCount> counts = new TreeMap<>();

  /** Alerts sent before all sinks had started, for the sinks that start later. */
  private final Deque<Alert> early = new ArrayDeque<>();

  private boolean allStarted = true;

  /** Records that more sinks will start. */
  synchronized void starting() {
    allStarted = false;
  }

  synchronized void allStarted() {
    allStarted = true;
    early.clear();
    notifyAll();
  }

  /** Passes the name and the counters of each sink, present and future, to the subscriber. */
  public synchronized void subscribe(BiConsumer<String, SinkCount> subscriber) {
    counts.forEach(subscriber);
    subscribers.add(subscriber);
  }

  /** Returns the counters of the sink with this name, which start at 0. */
  synchronized SinkCount count(String sink) {
    return counts.computeIfAbsent(
        sink,
        name -> {
          SinkCount count = new SinkCount();
          subscribers.forEach(subscriber -> subscriber.accept(name, count));
          return count;
        });
  }

  synchronized void add(AlertsConsumer sink) {
    early.forEach(sink::offer);
    running.add(sink);
  }

  synchronized void remove(AlertsConsumer sink) {
    running.remove(sink);
  }

  /** Sends an alert to every sink, and waits for none. */
  public synchronized void send(Alert alert) {
    if (!allStarted) {
      if (early.size() == MAX_EARLY) {
        early.removeFirst();
      }
      early.addLast(alert);
    }
    running.forEach(sink -> sink.offer(alert));
  }

  /**
   * Waits until the sinks have processed their alerts, at most this long; logs those that have not.
   */
  public void await(Duration atMost) {
    long deadline = System.nanoTime() + atMost.toNanos();
    try {
      for (AlertsConsumer sink : awaitStart(deadline)) {
        sink.await(deadline);
        sink.giveUp("within " + atMost.toSeconds() + " s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized List<AlertsConsumer> awaitStart(long deadline) throws InterruptedException {
    for (long left = 1; !allStarted && left > 0; ) {
      left = (deadline - System.nanoTime()) / 1_000_000;
      wait(Math.max(1, left));
    }
    return List.copyOf(running);
  }
}
