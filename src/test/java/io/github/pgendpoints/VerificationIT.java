package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When cycles are refused, and which standbys are published, while a real cluster has faults. */
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class VerificationIT {
  private final FakeApiServer api;
  private final PostgresCluster cluster;
  private PostgresServer first;
  private PostgresServer second;
  private PostgresServer third;

  VerificationIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @BeforeEach
  void publishACluster() throws SQLException {
    first = cluster.servers().get(0);
    second = cluster.servers().get(1);
    third = cluster.servers().get(2);
    assertEquals(0, once().exitCode());
    assertEquals(List.of(first.host()), api.addresses("pg-rw"));
  }

  @Test
  void followsPromotionAndRefusesOldPrimary() throws SQLException {
    first.kill();
    second.promote();
    assertEquals(0, once().exitCode());
    assertEquals(List.of(second.host()), api.addresses("pg-rw"));
    assertEquals(List.of(third.host()), api.addresses("pg-ro"), "behind, but not diverged");
    assertEquals("2", annotation("pg-rw", Annotations.TIMELINE));

    second.kill();
    first.start();

    Run refused = refused();
    assertEquals(
        1,
        refused
            .logged(
                "ERROR multiple primaries: 127.0.0.1 at 127.0.0.1 accepts writes on timeline 1, older than the published timeline 2; fence it")
            .size(),
        refused.log().toString());
  }

  @Test
  void refusesSeparatelyPromotedStandby() throws SQLException {
    first.kill();
    second.promote();
    assertEquals(0, once().exitCode());
    second.kill();
    third.promote();
    assertEquals(2, third.timeline(), "the number that the published primary has");

    Run refused = refused();
    assertEquals(
        1, refused.logged("ERROR primary promoted apart").size(), refused.log().toString());
  }

  @Test
  void holdsInSplitBrainAndReportsForkPoint() throws SQLException {
    first.sql(
        "GRANT EXECUTE ON FUNCTION pg_read_file(text,bigint,bigint,boolean) TO "
            + PostgresCluster.USER);
    cluster.waitUntilReplayed();
    second.promote();

    Run refused = refused();
    List<String> said = refused.logged("ERROR multiple primaries, nothing is written: ");
    assertEquals(1, said.size(), refused.log().toString());
    for (String part :
        List.of(
            "127.0.0.1 at 127.0.0.1 (published, system identifier ",
            "127.0.0.2 at 127.0.0.2 (successor, system identifier ",
            "timeline 1, LSN 0/",
            "timeline 2, LSN 0/",
            "; 127.0.0.1 and 127.0.0.2 parted on timeline 1 at 0/")) {
      assertTrue(said.get(0).contains(part), said.get(0));
    }
  }

  @Test
  void clearsReadWriteInASplitBrainWhereThatIsWanted() throws SQLException {
    second.promote();
    Endpoints readOnly = api.endpoints("pg-ro");
    var annotations = api.endpoints("pg-rw").getMetadata().getAnnotations();

    assertEquals(1, once(run().with("ON_SPLIT_BRAIN", "clear")).exitCode());

    assertEquals(List.of(), api.addresses("pg-rw"));
    assertEquals(annotations, api.endpoints("pg-rw").getMetadata().getAnnotations());
    assertEquals(readOnly, api.endpoints("pg-ro"));
    String cleared = version("pg-rw");
    assertEquals(1, once(run().with("ON_SPLIT_BRAIN", "clear")).exitCode());
    assertEquals(cleared, version("pg-rw"), "it is empty already");

    first.kill();
    assertEquals(0, once().exitCode());
    assertEquals(List.of(second.host()), api.addresses("pg-rw"));
  }

  @Test
  void putsAForeignNodeBehindNeitherService() throws SQLException {
    try (PostgresCluster foreign = foreignCluster()) {
      String nodes = "127.0.0.1,127.0.0.2,127.0.0.3," + foreign.primary().host();

      Run run = once(run().with("PG_NODES", nodes));
      assertEquals(0, run.exitCode());
      assertEquals(1, run.logged("ERROR foreign node 127.0.0.20 at").size(), run.log().toString());
      assertEquals(List.of(first.host()), api.addresses("pg-rw"));
      assertEquals(List.of(second.host(), third.host()), api.addresses("pg-ro"));

      first.kill();
      Run alone = refused(run().with("PG_NODES", nodes));
      assertEquals(1, alone.logged("ERROR no primary, nothing is written").size());
      assertEquals(1, alone.logged("ERROR foreign node 127.0.0.20").size());
    }
  }

  @Test
  void firstRunNeedsMajorityOfOneCluster() throws SQLException {
    api.deleteEndpoints("pg-rw");
    api.deleteEndpoints("pg-ro");
    try (PostgresCluster foreign = foreignCluster()) {
      String foreignHost = foreign.primary().host();
      Run refused = once(run().with("PG_NODES", "127.0.0.1," + foreignHost));
      assertEquals(1, refused.exitCode());
      assertEquals(
          1,
          refused.logged("ERROR no majority of one system identifier, nothing is written").size(),
          refused.log().toString());
      assertEquals(null, api.endpoints("pg-rw"));

      assertEquals(
          0, once(run().with("PG_NODES", "127.0.0.1,127.0.0.2," + foreignHost)).exitCode());
      assertEquals(List.of(first.host()), api.addresses("pg-rw"));
      assertEquals(List.of(second.host()), api.addresses("pg-ro"));
    }
  }

  private PostgresCluster foreignCluster() throws SQLException {
    return PostgresCluster.start(
        new PostgresCluster.Options().standbys(0).addresses("127.0.0.20").port(cluster.port()));
  }

  @Test
  void writesNothingBelowTheQuorum() {
    second.kill();
    third.kill();

    Run refused = refused(run().with("MIN_REACHABLE_NODES", "majority"));
    assertEquals(
        1,
        refused.logged("ERROR 1 of 3 nodes verified, fewer than the 2").size(),
        refused.log().toString());
    assertEquals(0, once().exitCode());
    assertEquals(List.of(), api.addresses("pg-ro"));
  }

  @Test
  void readsFromAStandbyOnlyWhileItIsNotTooFarBehind() throws SQLException {
    second.sql("SELECT pg_wal_replay_pause()");
    await().until(() -> "paused".equals(second.sql("SELECT pg_get_wal_replay_pause_state()")));
    first.sql("CREATE TABLE t AS SELECT repeat('x', 500) AS x FROM generate_series(1, 4000)");
    cluster.waitUntilReplayed(third);

    Run run = once(run().with("RO_MAX_LAG", "1MB"));
    assertEquals(List.of(third.host()), api.addresses("pg-ro"), run.log().toString());
    assertEquals(1, run.logged("WARN standby 127.0.0.2 is not read from: ").size());

    third.kill();
    once(run().with("RO_MAX_LAG", "1MB"));
    assertEquals(List.of(second.host()), api.addresses("pg-ro"), "lag alone never empties it");

    second.sql("SELECT pg_wal_replay_resume()");
    third.start();
    cluster.waitUntilStreaming();
    cluster.waitUntilReplayed();
    once(run().with("RO_MAX_LAG", "1MB"));
    assertEquals(List.of(second.host(), third.host()), api.addresses("pg-ro"));
  }

  @Test
  void continuesWithoutRightsAndReportsThem() throws SQLException {
    first.sql(
        "REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_walfile_name(pg_lsn),"
            + " pg_current_wal_insert_lsn(), pg_last_wal_replay_lsn() FROM PUBLIC");
    cluster.waitUntilReplayed();
    String version = version("pg-rw");

    Run run = once(run().with("RO_MAX_LAG", "1MB"));
    assertEquals(0, run.exitCode(), run.log().toString());
    assertEquals(version, version("pg-rw"), "what is stored stays");
    for (String protection :
        List.of(
            "the recognition of foreign nodes is off on 127.0.0.1, 127.0.0.2, 127.0.0.3: EXECUTE ON"
                + " FUNCTION pg_catalog.pg_control_system() is not granted to our role; GRANT EXECUTE"
                + " ON FUNCTION pg_catalog.pg_control_system() TO repmgr",
            "the comparison of timelines is off on 127.0.0.1: ",
            "the comparison of WAL positions is off on 127.0.0.2, 127.0.0.3: ")) {
      assertEquals(1, run.logged(protection).size(), run.log().toString());
    }

    first.kill();
    second.promote();
    assertEquals(0, once().exitCode());
    assertEquals(List.of(second.host()), api.addresses("pg-rw"));
  }

  @Test
  void doesNotReadFromAStandbyThatIsDelayedOnPurpose() throws SQLException {
    second.sql("ALTER SYSTEM SET recovery_min_apply_delay = '1h'");
    second.reload();
    first.sql("CREATE TABLE a AS SELECT 1 AS x");
    first.sql("CREATE TABLE t AS SELECT repeat('x', 500) AS x FROM generate_series(1, 4000)");
    cluster.waitUntilReplayed(third);

    assertEquals(0, once().exitCode());
    assertEquals(List.of(second.host(), third.host()), api.addresses("pg-ro"), "lag is off");
    once(run().with("RO_MAX_LAG", "1MB"));
    assertEquals(List.of(third.host()), api.addresses("pg-ro"));

    second.sql("ALTER SYSTEM RESET recovery_min_apply_delay");
    second.reload();
    cluster.waitUntilReplayed();
    once(run().with("RO_MAX_LAG", "1MB"));
    assertEquals(List.of(second.host(), third.host()), api.addresses("pg-ro"));
  }

  @Test
  void leavesAStandbyThatIsAheadOfTheNewPrimary() throws SQLException {
    second.stop();
    first.sql("CREATE TABLE t AS SELECT repeat('x', 500) AS x FROM generate_series(1, 40000)");
    cluster.waitUntilReplayed(third);
    first.kill();
    second.start();
    second.promote();

    Run run = once();
    assertEquals(0, run.exitCode());
    assertEquals(List.of(second.host()), api.addresses("pg-rw"));
    assertEquals(List.of(), api.addresses("pg-ro"));
    assertEquals(
        1,
        run.logged("WARN standby 127.0.0.3 is not read from: diverged").size(),
        run.log().toString());

    once(run().with("RO_FALLBACK", "primary"));
    assertEquals(List.of(second.host()), api.addresses("pg-ro"));
    assertEquals("primary:127.0.0.2;standbys:", annotation("pg-rw", Annotations.LAST_TOPOLOGY));
  }

  @Test
  void requiresWalReceiverIfConfigured() throws SQLException {
    first.kill();
    second.promote();
    await().until(() -> "0".equals(third.sql("SELECT count(*) FROM pg_stat_wal_receiver")));

    once(run().with("RO_REQUIRE_STREAMING", "true"));
    assertEquals(List.of(), api.addresses("pg-ro"));
    once();
    assertEquals(List.of(third.host()), api.addresses("pg-ro"));
  }

  @Test
  void writesNothingWhilePaused() throws SQLException {
    api.editEndpoints(
        "pg-rw",
        endpoints ->
            endpoints.editMetadata().addToAnnotations(Annotations.PAUSED, "true").endMetadata());
    first.kill();
    second.promote();
    String version = version("pg-rw");

    Run paused = once();
    assertEquals(0, paused.exitCode());
    assertEquals(1, paused.logged("WARN paused by the annotation").size());
    assertEquals(1, paused.logged("topology verified: primary:127.0.0.2").size());
    assertEquals(version, version("pg-rw"));

    api.editEndpoints(
        "pg-rw",
        endpoints ->
            endpoints.editMetadata().removeFromAnnotations(Annotations.PAUSED).endMetadata());
    version = version("pg-rw");
    Run byHand = once(run().with("PAUSED", "true"));
    assertEquals(1, byHand.logged("WARN paused by PAUSED").size(), byHand.log().toString());
    assertEquals(version, version("pg-rw"));

    assertEquals(0, once().exitCode());
    assertEquals(List.of(second.host()), api.addresses("pg-rw"));
  }

  @Test
  void dropsStandbyOnlyAfterManyFailedProbes() {
    try (Run run =
        run()
            .with("PROBE_INTERVAL", "400ms")
            .with("STANDBY_FAILURES", "4")
            .start(Mode.CONTINUOUS)) {
      await().until(() -> !run.logged("topology verified").isEmpty());
      long killed = System.nanoTime();
      second.kill();
      await().atMost(Duration.ofSeconds(15)).until(() -> api.addresses("pg-ro").size() == 1);

      Duration took = Duration.ofNanos(System.nanoTime() - killed);
      assertTrue(took.toMillis() >= 1100, "gone after " + took + ", 3 intervals are 1.2 s");
      assertEquals(1, run.logged("WARN 127.0.0.2 is DOWN").size(), run.log().toString());
    }
  }

  @Test
  void refusesWhatItCannotReadOfTheLastTopology() {
    api.editEndpoints(
        "pg-rw",
        endpoints ->
            endpoints.editMetadata().addToAnnotations(Annotations.TIMELINE, "two").endMetadata());

    Run refused = refused();
    assertEquals(
        1,
        refused.logged("ERROR unreadable state, nothing is written: Endpoints pg-rw").size(),
        refused.log().toString());
  }

  private Run run() {
    return new Run(cluster, api);
  }

  private Run once() {
    return once(run());
  }

  /** Runs one cycle to its end. */
  private static Run once(Run run) {
    try (run) {
      run.once();
      return run;
    }
  }

  private Run refused() {
    return refused(run());
  }

  /** Runs one cycle, which must be refused and write nothing. */
  private Run refused(Run run) {
    List<String> versions = List.of(version("pg-rw"), version("pg-ro"));
    assertEquals(1, once(run).exitCode(), run.log().toString());
    assertEquals(versions, List.of(version("pg-rw"), version("pg-ro")));
    return run;
  }

  private String version(String name) {
    return api.endpoints(name).getMetadata().getResourceVersion();
  }

  private String annotation(String name, String key) {
    return api.endpoints(name).getMetadata().getAnnotations().get(key);
  }
}
