package io.github.pgendpoints.alert;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** Records what the sinks of a test receive. The routes of the sinks call its methods. */
public final class Received {
  private static final List<String> ALERTS = new CopyOnWriteArrayList<>();

  private Received() {}

  static void clear() {
    ALERTS.clear();
  }

  /** Returns what one sink received, in order. */
  static List<String> by(String sink) {
    return ALERTS.stream()
        .filter(alert -> alert.startsWith(sink + " "))
        .map(alert -> alert.substring(sink.length() + 1))
        .toList();
  }

  /** Records an alert, or the text that a route made from it. */
  public static void take(String sink, Object body) {
    ALERTS.add(sink + " " + (body instanceof Alert alert ? alert.message() : body));
  }

  static volatile CountDownLatch slow;

  /** Records an alert once the test lets it. */
  public static void takeSlowly(String sink, Object body) throws InterruptedException {
    slow.await();
    take(sink, body);
  }

  /** Blocks for a minute, or until the thread is interrupted. */
  public static void hang() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  public static void fail() {
    throw new IllegalStateException(
        "no answer from https://user:sekret@hooks.invalid/sekret?sekret");
  }
}
