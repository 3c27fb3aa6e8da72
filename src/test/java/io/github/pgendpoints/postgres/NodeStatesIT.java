package io.github.pgendpoints.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.postgres.ProbeRoute.Answer;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.Protection;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Servers;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What happens to real servers, and what a probe reports about them. */
@ManagerTest(cluster = ManagerTest.Cluster.PER_CLASS, standbys = 1)
class NodeStatesIT {
  private static final Duration AT_ONCE = Duration.ofMillis(900);
  private static final Duration WHOLE = Duration.ofMillis(ProbeRoute.TIMEOUT * 1000 + 300);

  private static PostgresCluster cluster;
  private static PostgresServer primary;
  private static PostgresServer standby;

  private final ProbeRoute route = new ProbeRoute();

  @BeforeAll
  static void take(PostgresCluster started) {
    cluster = started;
    primary = cluster.primary();
    standby = cluster.standbys().get(0);
  }

  @AfterEach
  void closeRoute() {
    route.close();
  }

  @Test
  void aPrimaryReportsSystemTimelineAndLsn() throws SQLException {
    Answer answer = ask(primary);

    assertEquals("PRIMARY", answer.state(), answer.toString());
    Server server = answer.node().server();
    assertEquals(
        primary.sql("SELECT system_identifier FROM pg_control_system()"),
        server.systemIdentifier());
    assertNotNull(server.startedAt());
    assertEquals(1, server.timeline());
    assertNotNull(server.lsn());
    assertFalse(server.streaming());
  }

  @Test
  void aStandbyReportsItsLsnAndStreaming() throws SQLException {
    Answer answer = ask(standby);

    assertEquals("STANDBY", answer.state(), answer.toString());
    Server server = answer.node().server();
    assertEquals(ask(primary).node().server().systemIdentifier(), server.systemIdentifier());
    assertNull(server.timeline(), "only pg_monitor is told");
    assertNotNull(server.lsn());
    assertTrue(server.streaming());

    primary.sql("GRANT pg_monitor TO " + PostgresCluster.USER);
    try {
      await()
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(() -> assertEquals(1L, ask(standby).node().server().timeline()));
    } finally {
      primary.sql("REVOKE pg_monitor FROM " + PostgresCluster.USER);
    }
  }

  @Test
  void aKilledServerIsDown() {
    ask(standby);
    standby.kill();
    try {
      says(ask(standby), "DOWN", "Connection refused", AT_ONCE);
    } finally {
      standby.start();
    }
    says(ask(standby), "STANDBY", "", AT_ONCE);
  }

  @Test
  void aServerFrozenBeforeTheFirstLoginIsDown() {
    standby.freeze();
    try {
      says(ask(standby), "DOWN", "no answer within 2 s", Duration.ofMillis(2500));
    } finally {
      standby.thaw();
    }
  }

  @Test
  void aFrozenServerWithAKeptConnectionIsDown() {
    says(ask(standby), "STANDBY", "", WHOLE);
    standby.freeze();
    try {
      // The kept connection gets part of the time limit, and a new login the rest.
      says(ask(standby), "DOWN", "no answer within 2 s", Duration.ofMillis(2500));
      says(ask(standby), "DOWN", "no answer within 2 s", Duration.ofMillis(2500));
    } finally {
      standby.thaw();
    }
    says(ask(standby), "STANDBY", "", AT_ONCE);
  }

  @Test
  void aServerRestartedBetweenTwoProbesIsUp() {
    ask(standby);
    standby.restart();
    says(ask(standby), "STANDBY", "", AT_ONCE);
  }

  @Test
  void replacesATerminatedConnection() throws SQLException {
    ask(primary);
    assertEquals(
        "t",
        primary.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                + " WHERE application_name = 'postgres-endpoint-manager'"));
    says(ask(primary), "PRIMARY", "", AT_ONCE);
  }

  @Test
  void oneConnectionIsKeptForAllProbes() throws SQLException {
    for (int i = 0; i < 10; i++) {
      ask(primary);
    }
    assertEquals(
        "1",
        primary.sql(
            "SELECT count(*) FROM pg_stat_activity"
                + " WHERE application_name = 'postgres-endpoint-manager'"));
  }

  @Test
  void aServerThatMovedToAnotherPortIsDownOnTheOldOne() {
    ask(standby);
    int port = standby.port();
    standby.restartOn(port + 1);
    try {
      says(route.ask(standby.host() + ":" + port), "DOWN", "Connection refused", AT_ONCE);
      says(ask(standby), "STANDBY", "", AT_ONCE);
    } finally {
      standby.restartOn(port);
    }
  }

  @Test
  void aWrongPasswordIsUnknown() {
    route.with("PGPASSWORD", "wrong");
    says(
        ask(primary),
        "UNKNOWN",
        "FATAL: password authentication failed for user \"repmgr\"",
        WHOLE);
  }

  @Test
  void aMissingPasswordIsUnknown() {
    route.with("PGPASSWORD", "");
    says(ask(primary), "UNKNOWN", "password", WHOLE);
  }

  @Test
  void aConnectionThatPgHbaRejectsIsUnknown() throws SQLException {
    primary.prependToPgHba("host closed all 0.0.0.0/0 reject");
    primary.reload();
    route.with("PGDATABASE", "closed");
    says(ask(primary), "UNKNOWN", "FATAL: pg_hba.conf rejects connection for host", WHOLE);
  }

  @Test
  void aMissingDatabaseIsUnknown() {
    route.with("PGDATABASE", "nowhere");
    says(ask(primary), "UNKNOWN", "FATAL: database \"nowhere\" does not exist", WHOLE);
  }

  @Test
  void aServerWithoutFreeConnectionsIsUnknown() throws SQLException {
    List<Connection> all = new ArrayList<>();
    try {
      for (int i = 0; i < 20; i++) {
        all.add(standby.connect());
      }
    } catch (SQLException full) {
      assertEquals("53300", full.getSQLState());
    }
    try {
      Answer answer = ask(standby);
      says(answer, "UNKNOWN", "FATAL: ", AT_ONCE);
      assertTrue(
          answer.node().reason().matches(".*(too many clients already|reserved for).*"),
          answer.toString());
    } finally {
      for (Connection connection : all) {
        connection.close();
      }
    }
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertEquals("STANDBY", ask(standby).state()));
  }

  @Test
  void aServerThatStartsUpIsDown() {
    standby.stop();
    standby.appendToPostgresqlConf("hot_standby = off");
    standby.launch();
    try {
      await()
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(
              () ->
                  says(
                      ask(standby),
                      "DOWN",
                      "FATAL: the database system is not accepting connections",
                      "FATAL: the database system is starting up",
                      AT_ONCE));
    } finally {
      standby.stop();
      standby.appendToPostgresqlConf("hot_standby = on");
      standby.start();
    }
  }

  @Test
  void aPromotedStandbyIsPrimaryOnTimeline2() throws SQLException {
    try (PostgresCluster own = PostgresCluster.start(new PostgresCluster.Options().standbys(1))) {
      PostgresServer promoted = own.standbys().get(0);
      says(ask(promoted), "STANDBY", "", WHOLE);
      promoted.promote();
      Answer answer = ask(promoted);
      says(answer, "PRIMARY", "", AT_ONCE);
      assertEquals(2, answer.node().server().timeline());
    }
  }

  @Test
  void aPrimaryWithRevokedRightsIsStillPrimary() throws SQLException {
    String functions =
        "pg_control_system(), pg_walfile_name(pg_lsn), pg_current_wal_insert_lsn(),"
            + " pg_last_wal_replay_lsn(), pg_control_checkpoint(), pg_control_recovery(),"
            + " pg_postmaster_start_time()";
    Server before = ask(primary).node().server();
    primary.sql("REVOKE EXECUTE ON FUNCTION " + functions + " FROM PUBLIC");
    try {
      Answer answer = ask(primary);
      says(answer, "PRIMARY", "", AT_ONCE);
      assertEquals(
          new Server(null, null, null, null, false),
          Servers.readOnlyByDefault(null, Servers.notTelling(Map.of(), answer.node().server())));
      assertEquals(
          Set.of(
              Protection.FOREIGN_NODES,
              Protection.ALIASES,
              Protection.STALE_PRIMARY,
              Protection.PRIMARY_POSITION),
          answer.node().server().unread().keySet());
      await()
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(
              () -> {
                Answer replica = ask(standby);
                says(replica, "STANDBY", "", WHOLE);
                assertNull(replica.node().server().systemIdentifier());
                assertNull(replica.node().server().lsn());
                assertTrue(replica.node().server().streaming());
              });
    } finally {
      primary.sql("GRANT EXECUTE ON FUNCTION " + functions + " TO PUBLIC");
    }
    assertEquals(before.systemIdentifier(), ask(primary).node().server().systemIdentifier());
  }

  private Answer ask(PostgresServer server) {
    return route.ask(server.host() + ":" + server.port());
  }

  private static void says(Answer answer, String state, String reason, Duration atMost) {
    says(answer, state, reason, reason, atMost);
  }

  private static void says(
      Answer answer, String state, String reason, String orReason, Duration atMost) {
    assertEquals(state, answer.state(), answer.toString());
    assertTrue(
        answer.node().reason().contains(reason) || answer.node().reason().contains(orReason),
        answer.toString());
    assertTrue(answer.took().compareTo(atMost) < 0, answer.toString());
  }
}
