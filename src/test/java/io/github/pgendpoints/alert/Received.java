package io.github.pgendpoints.alert;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What the sinks of a test were given; routes name its methods. */
public final class Received {
  private static final List<String> ALERTS = new CopyOnWriteArrayList<>();

  private Received() {}

  static void clear() {
    ALERTS.clear();
  }

  /** Of one sink, in order. */
  static List<String> by(String sink) {
    return ALERTS.stream()
        .filter(alert -> alert.startsWith(sink + " "))
        .map(alert -> alert.substring(sink.length() + 1))
        .toList();
  }

  /** Takes what a route has made of an alert. */
  public static void take(String sink, Object body) {
    ALERTS.add(sink + " " + (body instanceof Alert alert ? alert.message() : body));
  }

  /** The same, but not at once. */
  public static void takeSlowly(String sink, Object body) throws InterruptedException {
    Thread.sleep(700);
    take(sink, body);
  }

  /** Never ends by itself, and cannot be interrupted but once. */
  public static void hang() throws InterruptedException {
    Thread.sleep(60_000);
  }

  public static void fail() {
    throw new IllegalStateException(
        "no answer from https://user:sekret@hooks.invalid/sekret?sekret");
  }
}
