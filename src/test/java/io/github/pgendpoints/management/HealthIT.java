package io.github.pgendpoints.management;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.RouteFiles;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.camel.spi.RouteController;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests what the kubelet sees of a running manager, over HTTP. */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.SHARED)
class HealthIT {
  private final PostgresCluster cluster;
  private final FakeApiServer api;
  private final int port = Http.freePort();
  private final Http http = new Http(port);

  HealthIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void isLiveAndReadyWhileCyclesSucceed() throws IOException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);
      until(() -> ready() == 200);

      assertEquals(200, live());
      String body = http.get("/observe/health/ready").body();
      assertTrue(
          body.matches("\\{\"status\":\"UP\".*\"name\":\"ready\",\"status\":\"UP\".*"), body);
    }
    assertEquals(-1, http.status("GET", "/observe/health/live"), "served after the end");
  }

  @Test
  void isLiveAndReadyWhileNodesAreDown() {
    cluster.servers().get(0).freeze();
    try (Run run = run().with("PGCONNECT_TIMEOUT", "1").start(Mode.CONTINUOUS)) {
      until(() -> run.logged("ERROR no primary").size() == 1);

      assertEquals(200, live());
      assertEquals(200, ready());
    } finally {
      cluster.servers().get(0).thaw();
    }
  }

  @Test
  void isLiveButNotReadyUntilTheApiIsReached() {
    api.stop();
    try (Run run = run().with("KUBERNETES_TIMEOUT", "200ms").start(Mode.CONTINUOUS)) {
      until(() -> run.logged("ERROR the Kubernetes API at").size() == 1);
      assertEquals(200, live());
      assertEquals(503, ready());

      api.start();
      until(() -> ready() == 200);
      api.stop();
      until(() -> ready() == 503);
      assertEquals(200, live());
    }
  }

  @Test
  void isNotReadyWhileARouteOfTheCyclesIsStopped() throws Exception {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> ready() == 200);
      RouteController routes = run.manager().getCamelContext().getRouteController();
      for (String route :
          List.of("cycle", "read", "probe", "check-down", "verify", "publish", "write", "alert")) {
        routes.stopRoute(route);

        assertEquals(503, ready(), route);
        String body = http.get("/observe/health/ready").body();
        assertTrue(body.contains("stopped: " + route + "; there is no failover"), body);
        String metrics = http.get("/observe/metrics").body();
        assertTrue(metrics.contains("pgendpoints_cycles_running 0.0"), route);
        assertEquals(200, live());

        routes.startRoute(route);
        until(() -> ready() == 200);
      }
    }
  }

  @Test
  void isNotLiveOnceACycleDoesNotEnd(@TempDir Path home) throws IOException {
    RouteFiles.copiedTo(home)
        .addBefore("conclude-cycle", "delay: {expression: {constant: {expression: '3600000'}}}");
    try (Run run = run().in(home).with("PGCONNECT_TIMEOUT", "1").start(Mode.CONTINUOUS)) {
      until(() -> live() == 200);
      assertEquals(List.of(), run.log());

      // 32 s: the longest that a cycle may take.
      await().atMost(Duration.ofSeconds(40)).until(() -> live() == 503);
      assertEquals(503, ready());
      String body = http.get("/observe/health/live").body();
      assertTrue(body.contains("no cycle has ended for 33 s"), body);
    }
  }

  @Test
  void isLiveAndReadyWhileAnotherReplicaLeads() throws IOException {
    try (Run leader = run().with("MANAGEMENT_PORT", "off").with("LEASE_NAME", "pem");
        Run follower = run().with("LEASE_NAME", "pem")) {
      leader.start(Mode.CONTINUOUS);
      until(() -> leader.logged("topology verified").size() == 1);
      follower.start(Mode.CONTINUOUS);
      until(() -> follower.logged("INFO this replica stands by").size() == 1);

      until(() -> live() == 200);
      // The follower is ready once its first cycle has ended: it is warm then.
      until(() -> ready() == 200);
      String body = http.get("/observe/health/ready").body();
      assertTrue(body.contains("standing by"), body);
      String metrics = http.get("/observe/metrics").body();
      assertTrue(metrics.contains("pgendpoints_leader 0.0"), metrics);
    }
  }

  @Test
  void isNotReadyWhileAnotherInstallationHoldsTheLease() throws IOException {
    api.createService("other-rw", "postgresql", 5432);
    api.createService("other-ro", "postgresql", 5432);
    try (Run leader = run().with("MANAGEMENT_PORT", "off").with("LEASE_NAME", "pem");
        Run other =
            run()
                .with("LEASE_NAME", "pem")
                .with("RW_SERVICE", "other-rw")
                .with("RO_SERVICE", "other-ro")) {
      leader.start(Mode.CONTINUOUS);
      until(() -> leader.logged("topology verified").size() == 1);
      other.start(Mode.CONTINUOUS);
      until(() -> !other.logged("ERROR two installations share Lease pem").isEmpty());
      String line = other.logged("two installations").get(0);
      assertTrue(line.contains(" holds it and serves pg-rw and pg-ro, "), line);
      assertTrue(line.contains(" this replica serves other-rw and other-ro;"), line);

      until(() -> live() == 200);
      String body = http.get("/observe/health/ready").body();
      assertEquals(503, ready(), body);
      until(
          () ->
              http.get("/observe/health/ready")
                  .body()
                  .contains("another installation holds the Lease"));
      assertEquals(1, other.logged("two installations").size(), other.log().toString());
    }
  }

  @Test
  void isNotReadyWhileItCannotLookAtTheLease() throws IOException {
    // Any holder works, as long as it is another process.
    api.put(
        new LeaseBuilder()
            .withNewMetadata()
            .withName("pem")
            .endMetadata()
            .withNewSpec()
            .withHolderIdentity("other")
            .withLeaseDurationSeconds(3600)
            .endSpec()
            .build());
    try (Run follower = run().with("LEASE_NAME", "pem").start(Mode.CONTINUOUS)) {
      until(() -> ready() == 200);

      api.stop();
      until(() -> ready() == 503);
      String body = http.get("/observe/health/ready").body();
      assertTrue(body.contains("the Lease cannot be read"), body);
      assertEquals(200, live());

      api.start();
      until(() -> ready() == 200);
      assertEquals(
          List.of(
              "WARN Lease pem is held by other, which is not a replica of this program: no replica writes until the Lease has not been renewed for 3600 s; to end this at once, empty its spec.holderIdentity"),
          follower.logged("is held by"));
    }
  }

  @Test
  void isNotReadyOnceTheRoutesOfAFollowerAreStopped() throws Exception {
    try (Run leader = run().with("MANAGEMENT_PORT", "off").with("LEASE_NAME", "pem");
        Run follower = run().with("LEASE_NAME", "pem")) {
      leader.start(Mode.CONTINUOUS);
      until(() -> leader.logged("topology verified").size() == 1);
      follower.start(Mode.CONTINUOUS);
      until(() -> ready() == 200);

      follower.manager().getCamelContext().getRouteController().stopRoute("cycle");

      assertEquals(503, ready(), "it could not take over");
      assertEquals(200, live());
    }
  }

  @Test
  void servesNothingThatChangesAnything() throws IOException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);

      assertEquals(200, http.status("HEAD", "/observe/health/live"));
      for (String method : new String[] {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
        assertEquals(405, http.status(method, "/observe/health/live"), method);
      }
      for (String path :
          new String[] {"/", "/observe", "/observe/health/live/x", "/observe/jolokia"}) {
        assertEquals(404, http.status("GET", path), path);
      }
    }
  }

  @Test
  void goesOnWithoutThePortWhenItIsTaken() throws IOException {
    try (ServerSocket other = new ServerSocket(port);
        Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);

      assertEquals(
          1,
          run.logged("ERROR MANAGEMENT_PORT " + other.getLocalPort() + " cannot be opened").size(),
          run.log().toString());
    }
  }

  @Test
  void opensNoPortForOneCycle() {
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
    }
    cluster.servers().get(0).freeze();
    try (Run run = run().start(Mode.ONCE)) {
      until(() -> api.calls().size() >= 6);
      assertEquals(-1, http.status("GET", "/observe/health/live"));
      assertFalse(run.log().toString().contains("MANAGEMENT_PORT"), run.log().toString());
    } finally {
      cluster.servers().get(0).thaw();
    }
  }

  private Run run() {
    return new Run(cluster, api)
        .with("PROBE_INTERVAL", "100ms")
        .with("MANAGEMENT_PORT", String.valueOf(port));
  }

  private int live() {
    return http.status("GET", "/observe/health/live");
  }

  private int ready() {
    return http.status("GET", "/observe/health/ready");
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).until(condition);
  }
}
