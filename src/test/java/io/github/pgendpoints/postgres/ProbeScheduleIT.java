package io.github.pgendpoints.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** When nodes are probed. PROBE_INTERVAL is mostly an hour, so other events start the cycles. */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class ProbeScheduleIT {
  private final PostgresCluster cluster;
  private final FakeApiServer api;

  ProbeScheduleIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void followsAFailoverAtOnce() throws SQLException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);

      cluster.primary().kill();
      until(() -> !run.logged("no primary").isEmpty());
      cluster.servers().get(1).promote();
      until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.2")));
    }
  }

  @Test
  void followsAPlannedSwitchOverAtOnce() throws SQLException {
    try (Run run = run().with("PGSSLMODE", "prefer").start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);

      cluster.primary().stop();
      until(() -> !run.logged("no primary").isEmpty());
      cluster.servers().get(1).promote();
      until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.2")));
    }
  }

  @Test
  void losesAStandbyAtOnceAndSeesItComeBack() {
    PostgresServer standby = cluster.servers().get(2);
    try (Run run = run().with("STANDBY_FAILURES", "1").start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);

      standby.kill();
      until(() -> api.addresses("pg-ro").equals(List.of("127.0.0.2")));
      standby.start();
      until(() -> api.addresses("pg-ro").size() == 2);
      until(() -> run.logged("INFO 127.0.0.3 is STANDBY, was DOWN").size() == 1);
    }
  }

  @Test
  void aSilentNodeDoesNotDelayTheOthers() {
    AtomicInteger probes = new AtomicInteger();
    CycleCount cycles = new CycleCount();
    try (FakeNode silent =
            FakeNode.talking(
                (in, out) -> {
                  probes.incrementAndGet();
                  FakeNode.beSilent(in);
                });
        Run run =
            run()
                .bind("cycles", cycles)
                .with("PG_NODES", cluster.nodes() + ",127.0.1.1:" + silent.port())
                .with("PGSSLMODE", "disable")
                .with("PGCONNECT_TIMEOUT", "6")
                .with("TCP_CONNECT_TIMEOUT", "6")
                .with("PROBE_INTERVAL", "50ms")
                .start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);
      until(() -> probes.get() == 2);
      int before = cycles.ended();

      until(() -> cycles.ended() >= before + 20);
      assertEquals(2, probes.get());
      assertEquals(1, run.logged("127.0.1.1:" + silent.port() + " is DOWN").size());
    }
  }

  @Test
  void aFrozenStandbyIsBackOnceItGoesOn() {
    PostgresServer standby = cluster.servers().get(2);
    try (Run run =
        run()
            .with("PROBE_INTERVAL", "50ms")
            .with("PGCONNECT_TIMEOUT", "1")
            .with("TCP_CONNECT_TIMEOUT", "0.2")
            .start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);
      standby.freeze();
      until(() -> api.addresses("pg-ro").equals(List.of("127.0.0.2")));

      standby.thaw();
      until(() -> api.addresses("pg-ro").size() == 2);
      assertTrue(run.logged("cycle failed").isEmpty(), run.log().toString());
    }
  }

  /** The error may last for days, and an earlier probe finds nothing new. */
  @Test
  void restsBesideADeadBranch() throws SQLException {
    CycleCount cycles = new CycleCount();
    AtomicInteger last = new AtomicInteger(-1);
    try (Run run = run().bind("cycles", cycles).start(Mode.CONTINUOUS)) {
      until(() -> api.addresses("pg-ro").size() == 2);
      cluster.primary().kill();
      until(() -> !run.logged("no primary").isEmpty());
      cluster.servers().get(1).promote();
      until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.2")));
      cluster.servers().get(0).start();
      until(() -> !run.logged("127.0.0.1 accepts writes on timeline 1").isEmpty());

      await()
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofSeconds(2))
          .until(() -> last.getAndSet(cycles.ended()) == cycles.ended());
    }
  }

  private Run run() {
    return new Run(cluster, api).with("PROBE_INTERVAL", "1h");
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).until(condition);
  }
}
