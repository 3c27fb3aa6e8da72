package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.CycleCount;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** Continuous mode: what one cycle leaves to the next. */
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class ContinuousIT {
  private final FakeApiServer api;
  private final PostgresCluster cluster;

  ContinuousIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void followsAFailoverAndRepairsWhatOthersChange() throws SQLException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);
      assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));

      cluster.primary().kill();
      cluster.servers().get(1).promote();
      until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.2")));
      until(() -> api.addresses("pg-ro").equals(List.of("127.0.0.3")));

      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
      until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.2")));
      api.deleteEndpoints("pg-ro");
      until(() -> api.addresses("pg-ro").equals(List.of("127.0.0.3")));
      until(() -> run.logged("pg-ro created").size() == 2);
    }
  }

  @Test
  void followsPromotionDespiteOpenOldSessions() throws SQLException {
    try (Run run = run().with("PGCONNECT_TIMEOUT", "2").start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);

      cluster.primary().freezePostmaster();
      cluster.servers().get(1).promote();
      until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.2")));

      assertEquals(List.of(), run.logged("multiple primaries"));
    } finally {
      cluster.primary().thaw();
    }
  }

  /** A session that is seconds old is no proof: while nothing is written, sessions are renewed. */
  @Test
  void movesToNoServerThatRefusedNewClientsMeanwhile() throws Exception {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);
      pause("true");
      until(() -> run.logged("paused by").size() == 1);
      cluster.primary().kill();
      PostgresServer heir = cluster.servers().get(1);
      heir.promote();
      // By then the failover is over, sessions last longer, and nodes were probed a second time.
      until(() -> !run.manager().lookup("cluster", Cluster.class).schedule().isUnstable());

      heir.prependToPgHba("host all %s all reject".formatted(PostgresCluster.USER));
      heir.reload();
      until(() -> heir.log().contains("pg_hba.conf rejects connection"));
      pause(null);

      until(() -> run.logged("no primary").stream().anyMatch(line -> line.contains("rejects")));
      assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    }
  }

  private void pause(String value) {
    api.editEndpoints(
        "pg-rw",
        endpoints -> {
          var metadata = endpoints.editMetadata();
          if (value == null) {
            metadata.removeFromAnnotations("postgres.discovery/paused");
          } else {
            metadata.addToAnnotations("postgres.discovery/paused", value);
          }
          metadata.endMetadata();
        });
  }

  @Test
  void writesAndSaysNothingWhileNothingChanges() {
    CycleCount cycles = new CycleCount();
    try (Run run = run().bind("cycles", cycles).start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);
      until(() -> run.logged("pg-ro created").size() == 1);
      List<String> said = run.log();
      int before = cycles.ended();
      api.clearRequests();

      until(() -> cycles.ended() >= before + 10);

      assertEquals(List.of(), api.writes());
      assertEquals(said, run.log());
    }
  }

  @Test
  void runsOneCycleAtATime() {
    cluster.servers().get(2).freeze();
    // Without a watch, each cycle reads.
    api.deny("watch", "endpoints");
    try (Run run = run().with("PGCONNECT_TIMEOUT", "1").start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);
      api.clearRequests();
      until(() -> gets().size() >= 7);

      // The requests may have been cleared between the two reads of a cycle.
      int first = gets().get(0).endsWith("/pg-rw") ? 0 : 1;
      List<String> calls = gets().subList(first, first + 6);
      for (int i = 0; i < calls.size(); i++) {
        assertEquals(
            "GET /api/v1/namespaces/db/endpoints/" + (i % 2 == 0 ? "pg-rw" : "pg-ro"),
            calls.get(i),
            calls.toString());
      }
    }
  }

  @Test
  void decidesNothingOnceItIsToldToStop() {
    try (Run run = run()) {
      assertEquals(0, run.once());
    }
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    cluster.servers().forEach(server -> server.freeze());
    long stopped;
    try (Run run =
        run()
            .with("PGCONNECT_TIMEOUT", "20")
            .with("TCP_CONNECT_TIMEOUT", "20")
            .start(Mode.CONTINUOUS)) {
      api.clearRequests();
      until(() -> reads() >= 2);
      assertEquals(List.of(), run.log());
      stopped = System.nanoTime();
    }

    assertTrue(Duration.ofNanos(System.nanoTime() - stopped).compareTo(Duration.ofSeconds(5)) < 0);
    cluster.servers().forEach(server -> server.thaw());
    assertEquals(List.of(), api.writes());
    assertEquals(List.of(), api.addresses("pg-rw"));
  }

  @Test
  void goesOnWhenTheApiComesBack() {
    api.stop();
    try (Run run = run().with("KUBERNETES_TIMEOUT", "200ms").start(Mode.CONTINUOUS)) {
      until(() -> run.logged("ERROR the Kubernetes API at").size() == 1);
      api.start();
      until(() -> api.addresses("pg-ro").size() == 2);
      until(() -> run.logged("INFO over: the Kubernetes API at").size() == 1);
    }
  }

  private Run run() {
    return new Run(cluster, api).with("PROBE_INTERVAL", "100ms");
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).until(condition);
  }

  private long reads() {
    return gets().size();
  }

  /** Returns the reads, without the watches. */
  private List<String> gets() {
    return api.calls().stream()
        .filter(call -> call.startsWith("GET ") && !call.contains("?"))
        .toList();
  }
}
