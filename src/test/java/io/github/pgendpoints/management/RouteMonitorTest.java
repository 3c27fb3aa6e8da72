package io.github.pgendpoints.management;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RouteMonitorTest {
  private Instant now = Instant.parse("2026-11-24T09:00:00Z");
  private final List<Alert> sent = new ArrayList<>();
  private final RouteMonitor monitor =
      new RouteMonitor(
          /* health= */ null,
          new Alert.Cluster("db", "pg-rw", "pg-ro"),
          Duration.ofHours(1),
          new Clock() {
            @Override
            public Instant instant() {
              return now;
            }

            @Override
            public ZoneId getZone() {
              return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
              return this;
            }
          },
          sent::add);

  @Test
  void alertsWhenItBeginsWhileItLastsAndWhenItIsOver() {
    monitor.check(List.of());
    monitor.check(List.of("verify"));
    monitor.check(List.of("verify"));
    assertEquals(List.of(Alert.Phase.BEGAN), phases());
    now = now.plusSeconds(3600);
    monitor.check(List.of("verify"));
    now = now.plusSeconds(1);
    monitor.check(List.of("verify"));
    monitor.check(List.of());
    monitor.check(List.of());
    assertEquals(List.of(Alert.Phase.BEGAN, Alert.Phase.LASTS, Alert.Phase.OVER), phases());
    assertEquals(1, sent.stream().map(Alert::key).distinct().count());
    assertEquals("db/pg-rw/CyclesStopped", sent.get(0).key());
    assertEquals(Instant.parse("2026-11-24T09:00:00Z"), sent.get(1).since());
    assertEquals(Alert.Kind.RECOVERED, sent.get(2).kind());
    monitor.check(List.of("verify"));
    assertEquals(Alert.Phase.BEGAN, phases().get(3));
  }

  private List<Alert.Phase> phases() {
    return sent.stream().map(Alert::phase).toList();
  }

  @Test
  void seesThatTheRouteWasStoppedAndStarted() throws Exception {
    try (FakeApiServer api = new FakeApiServer("db", true).start();
        Run run = new Run(api).with("PG_NODES", "127.0.0.1").with("PGPORT", "1")) {
      run.with("PROBE_INTERVAL", "100ms").start(Mode.CONTINUOUS);
      await().atMost(Duration.ofSeconds(30)).until(() -> !run.logged("no primary").isEmpty());
      var routes = run.manager().getCamelContext().getRouteController();
      routes.stopRoute("cycle");
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> !run.logged("ERROR routes stopped: cycle; there is no failover").isEmpty());
      routes.startRoute("cycle");
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> !run.logged("INFO over: routes stopped").isEmpty());
      assertTrue(run.logged("ERROR routes stopped").size() == 1, run.log().toString());
    }
  }
}
