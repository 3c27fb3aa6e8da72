package io.github.pgendpoints.alert;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** The sinks that run. They start beside the first cycles, and miss none of their alerts. */
public final class Sinks {
  private static final int MAX_EARLY = 1000;

  private final List<AlertsConsumer> running = new ArrayList<>();

  private final List<BiConsumer<String, SinkCount>> watchers = new ArrayList<>();
  private final Map<String, SinkCount> counts = new TreeMap<>();

  /** What was sent before all sinks had started, for those still to come. */
  private final Deque<Alert> early = new ArrayDeque<>();

  private boolean allStarted = true;

  /** More sinks are to come. */
  synchronized void starting() {
    allStarted = false;
  }

  synchronized void allStarted() {
    allStarted = true;
    early.clear();
    notifyAll();
  }

  /** Tells of every sink that there is, and that is to come: its name and what counts for it. */
  public synchronized void watch(BiConsumer<String, SinkCount> watcher) {
    counts.forEach(watcher);
    watchers.add(watcher);
  }

  /** Of the sink of this name, from 0 when it is a new one. */
  synchronized SinkCount count(String sink) {
    return counts.computeIfAbsent(
        sink,
        name -> {
          SinkCount count = new SinkCount();
          watchers.forEach(watcher -> watcher.accept(name, count));
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

  /** Gives an alert to every sink; waits for none. */
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
   * Waits until the sinks have taken their alerts, at most this long; tells of those that have not.
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
