package io.github.pgendpoints.bench;

import io.github.pgendpoints.support.Program;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;

/** Measures how long cycles take, from the program's own metrics. */
final class Cycles {
  private static final String DURATION = "pgendpoints_cycle_duration_seconds";

  private final HttpClient client = HttpClient.newHttpClient();
  private final HttpRequest request;

  private record Total(double count, double seconds) {}

  Cycles(int managementPort) {
    request =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:%d/observe/metrics".formatted(managementPort)))
            .build();
  }

  /** Durations of the next cycles in ms; an average where several cycles end between two reads. */
  Values next(int cycles, long lookMillis, Program program) {
    Scene.await("metrics", program, () -> total() != null);
    List<Double> millis = new ArrayList<>();
    Total last = total();
    while (millis.size() < cycles) {
      Scene.sleep(lookMillis);
      Total now = total();
      if (now.count > last.count) {
        millis.add(1000 * (now.seconds - last.seconds) / (now.count - last.count));
        last = now;
      }
    }
    return new Values(millis);
  }

  private Total total() {
    try {
      String metrics = client.send(request, BodyHandlers.ofString()).body();
      return new Total(sum(metrics, DURATION + "_count"), sum(metrics, DURATION + "_sum"));
    } catch (IOException e) {
      return null;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static double sum(String metrics, String name) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(name + "{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }
}
