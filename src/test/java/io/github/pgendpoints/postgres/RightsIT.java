package io.github.pgendpoints.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Servers;
import io.github.pgendpoints.topology.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What real servers on timeline 2 return to roles with different rights. */
@ManagerTest(cluster = ManagerTest.Cluster.PER_CLASS, settings = "log_replication_commands = on")
class RightsIT {
  private static final String PLAIN = PostgresCluster.USER;
  private static final String MONITOR = "monitor";
  private static final String REPLICATION = "streamer";
  private static final String READER = "reader";
  private static final String FUNCTION = "caller";

  private static PostgresCluster cluster;
  private static PostgresServer primary;
  private static PostgresServer standby;

  private final List<Connection> taken = new ArrayList<>();
  private ProbeRoute route;

  @BeforeAll
  static void prepareCluster(PostgresCluster started) throws SQLException, IOException {
    cluster = started;
    PostgresServer first = cluster.primary();
    primary = cluster.standbys().get(0);
    standby = cluster.standbys().get(1);
    cluster.waitUntilReplayed();
    first.stop();
    primary.promote();
    standby.follow(primary);
    primary.sql("CHECKPOINT");
    for (String role : List.of(MONITOR, REPLICATION, READER, FUNCTION)) {
      primary.sql("CREATE ROLE " + role + " LOGIN PASSWORD '" + PostgresCluster.PASSWORD + "'");
    }
    primary.sql("GRANT pg_monitor TO " + MONITOR);
    primary.sql("ALTER ROLE " + REPLICATION + " REPLICATION");
    primary.sql(
        "GRANT EXECUTE ON FUNCTION pg_read_file(text, bigint, bigint, boolean) TO " + READER);
    createFunction();
    primary.sql("GRANT EXECUTE ON FUNCTION public.pgendpoints_history(bigint) TO " + FUNCTION);
    cluster.waitUntilReplayed(standby);
  }

  private static void createFunction() throws SQLException, IOException {
    primary.sql(Files.readString(Path.of("src/main/resources/sql/history-function.sql")));
  }

  @AfterEach
  void closeRoute() throws SQLException {
    for (Connection connection : taken) {
      connection.close();
    }
    if (route != null) {
      route.close();
    }
  }

  // ---- what a probe returns

  @Test
  void aPrimaryReportsTimelineAndStartToEachRole() throws SQLException {
    for (String role : List.of(PLAIN, MONITOR, REPLICATION, READER, FUNCTION)) {
      Server server = ask(role, primary).server();
      assertEquals(2, server.timeline(), role);
      assertEquals(startedAt(primary), server.startedAt(), role);
      assertNull(server.source(), role);
      closeRoute();
    }
  }

  @Test
  void aPlainRoleReadsNothingMore() {
    Server replica = ask(PLAIN, standby).server();

    assertNull(replica.timeline());
    assertTrue(replica.streaming());
    assertNull(replica.source());
    assertEquals(Set.of(), replica.rights());
    Server server = ask(PLAIN, primary).server();
    assertEquals(Set.of(), server.rights());
    assertEquals(Set.of(), server.replicas());
  }

  @Test
  void pgMonitorReadsTimelineSourceAndReplicas() throws SQLException {
    Server replica = ask(MONITOR, standby).server();

    assertEquals(2, replica.timeline());
    assertEquals(primary.host() + ":" + primary.port(), replica.source());
    assertEquals(Set.of(Right.MONITOR), replica.rights());
    Server server = ask(MONITOR, primary).server();
    assertEquals(
        Set.of(primary.sql("SELECT host(client_addr) FROM pg_stat_replication")),
        server.replicas());
    assertEquals(Set.of(Right.MONITOR), server.rights());
  }

  @Test
  void anIdleWalsenderIsNoReplica() throws SQLException {
    taken.add(walsender(standby, REPLICATION));
    assertEquals("startup", standby.sql("SELECT state FROM pg_stat_replication"));

    assertEquals(Set.of(), ask(MONITOR, standby).server().replicas());
  }

  @Test
  void aReceiverThatWaitsNamesNoSource() throws SQLException {
    PostgresServer other = cluster.addStandby();
    try {
      assertEquals(primary.host() + ":" + primary.port(), ask(MONITOR, other).server().source());
      // It has the history file of a timeline that began before its LSN, but receives no more WAL.
      other.sql("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'");
      other.sql("SELECT pg_reload_conf()");
      await()
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(() -> assertNull(ask(MONITOR, other).server().source()));
      assertNull(ask(MONITOR, other).server().timeline(), "nothing is received");
    } finally {
      other.close();
    }
  }

  // ---- IDENTIFY_SYSTEM

  @Test
  void aWalsenderReportsTheTimelineOfAStandby() throws SQLException {
    int before = identifications(standby);
    Server replica = ask(REPLICATION, standby).server();

    assertEquals(2, replica.timeline());
    assertNull(replica.source());
    assertEquals(Set.of(Right.HISTORY), replica.rights());
    assertEquals(before + 1, identifications(standby));
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () -> assertEquals("0", standby.sql("SELECT count(*) FROM pg_stat_replication")));
  }

  @Test
  void keepsAnAnswerForFiveSecondsOfOneStart() throws SQLException {
    int before = identifications(standby);
    ask(REPLICATION, standby);
    route.pass(Duration.ofSeconds(4));
    assertEquals(2, ask(REPLICATION, standby).server().timeline());
    assertEquals(before + 1, identifications(standby));

    route.pass(Duration.ofSeconds(2));
    ask(REPLICATION, standby);
    assertEquals(before + 2, identifications(standby));

    standby.restart();
    standby.follow(primary);
    assertEquals(2, ask(REPLICATION, standby).server().timeline());
    assertEquals(before + 3, identifications(standby));
  }

  @Test
  void anAnswerDoesNotOutliveTheReceiver() throws SQLException {
    ask(REPLICATION, standby);
    int before = identifications(standby);
    String receiver = standby.sql("SELECT pid FROM pg_stat_wal_receiver");
    String conninfo = standby.sql("SHOW primary_conninfo");
    standby.sql("ALTER SYSTEM SET primary_conninfo = '" + conninfo + " connect_timeout=9'");
    standby.sql("SELECT pg_reload_conf()");
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () ->
                "t"
                    .equals(
                        standby.sql(
                            "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid <> "
                                + receiver
                                + ")")));
    ask(REPLICATION, standby);

    assertEquals(before + 1, identifications(standby));
  }

  @Test
  void usesNoWalsenderIfTheReceiverReports() throws SQLException {
    primary.sql("GRANT pg_monitor TO " + REPLICATION);
    try {
      cluster.waitUntilReplayed(standby);
      int before = identifications(standby);
      assertEquals(2, ask(REPLICATION, standby).server().timeline());
      ask(REPLICATION, primary);
      assertEquals(before, identifications(standby));
    } finally {
      primary.sql("REVOKE pg_monitor FROM " + REPLICATION);
      cluster.waitUntilReplayed(standby);
    }
  }

  @Test
  void retriesARefusedWalsenderAfterHalfAMinute() throws SQLException {
    takeWalsenders(standby);
    NodeState node = ask(REPLICATION, standby);
    assertEquals(State.STANDBY, node.state());
    assertNull(node.server().timeline());
    int refused = refusals(standby);
    assertTrue(refused > 0);

    route.pass(Duration.ofSeconds(28));
    assertNull(ask(REPLICATION, standby).server().timeline());
    assertEquals(refused, refusals(standby));

    closeTaken();
    route.pass(Duration.ofSeconds(3));
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () -> {
              route.pass(Duration.ofSeconds(31));
              assertEquals(2, ask(REPLICATION, standby).server().timeline());
            });
  }

  // ---- the history

  @ParameterizedTest
  @ValueSource(strings = {READER, FUNCTION, REPLICATION})
  void isReadOnPrimaryAndStandby(String role) throws SQLException {
    Lsn begin = beginOfTimeline2();
    for (PostgresServer server : List.of(primary, standby)) {
      NodeState node = onTimeline2(ask(role, server));
      assertEquals(Set.of(Right.HISTORY), node.server().rights());

      HistoryAnswer answer = route.history(node);

      assertTrue(answer.isRead(), answer.toString());
      assertEquals(begin, answer.history().begin());
      assertSame(answer, route.history(node), "it is read once");
      assertFalse(
          answer == route.history(node.with(restarted(node.server()))), "once for each start");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PLAIN, MONITOR})
  void isNotGrantedToOtherRoles(String role) {
    for (PostgresServer server : List.of(primary, standby)) {
      assertTrue(route(role).history(onTimeline2(ask(role, server))).isNotGranted());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {READER, FUNCTION, REPLICATION})
  void failsWhereThereIsNoFile(String role) {
    NodeState node = ask(role, primary);
    HistoryAnswer answer = route.history(node.with(node.server().onTimeline(9L)));

    assertEquals(HistoryAnswer.Outcome.FAILED, answer.outcome(), answer.toString());
  }

  @Test
  void aRevokedRightIsNotGranted() throws SQLException {
    NodeState node = ask(FUNCTION, primary);
    primary.sql("REVOKE EXECUTE ON FUNCTION public.pgendpoints_history(bigint) FROM " + FUNCTION);
    try {
      assertTrue(route.history(node).isNotGranted());
      assertEquals(Set.of(), ask(FUNCTION, primary).server().rights());
    } finally {
      primary.sql("GRANT EXECUTE ON FUNCTION public.pgendpoints_history(bigint) TO " + FUNCTION);
    }
  }

  /** Otherwise, a role that may create in public runs code as our role, or forges a history. */
  @Test
  void ignoresAFunctionNotOwnedByASuperuser() throws SQLException {
    primary.sql("ALTER FUNCTION public.pgendpoints_history(bigint) OWNER TO " + FUNCTION);
    try {
      NodeState node = ask(FUNCTION, primary);
      assertEquals(Set.of(), node.server().rights());
      assertTrue(route.history(node).isNotGranted());
    } finally {
      primary.sql("ALTER FUNCTION public.pgendpoints_history(bigint) OWNER TO CURRENT_USER");
      primary.sql("GRANT EXECUTE ON FUNCTION public.pgendpoints_history(bigint) TO " + FUNCTION);
    }
  }

  @Test
  void aWalsenderThatIsNotFreeFailsForFiveSeconds() throws SQLException {
    NodeState node = ask(REPLICATION, primary);
    takeWalsenders(primary);
    HistoryAnswer answer = route.history(node);
    assertEquals(HistoryAnswer.Outcome.FAILED, answer.outcome(), answer.toString());
    assertSame(answer, route.history(node));

    closeTaken();
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () -> {
              route.pass(Duration.ofSeconds(6));
              assertTrue(route.history(node).isRead());
            });
  }

  @Test
  void readsHistoryAfterTheDeadline() {
    NodeState node = ask(READER, primary);
    assertTrue(
        route.historyUntil(node, Deadline.in(Duration.ZERO)).isRead(),
        "a node that takes all the time must not keep us from another one's history");
  }

  // ---- full servers

  @Test
  void aWalsenderProbesAFullServer() throws SQLException {
    Long startedAt = startedAt(primary);
    fill(primary);
    NodeState full = ask(REPLICATION, primary);
    assertEquals(State.PRIMARY, full.state(), full.toString());
    assertEquals(2, full.server().timeline());
    assertEquals(startedAt, full.server().startedAt());
    assertTrue(route.history(full).isRead());
    assertEquals(State.PRIMARY, ask(REPLICATION, primary).state());

    fill(standby);
    NodeState replica = ask(REPLICATION, standby);
    assertEquals(State.STANDBY, replica.state(), replica.toString());
    assertEquals(2, replica.server().timeline());
  }

  @Test
  void aFullServerIsUnknownWithoutReplication() throws SQLException {
    fill(primary);
    NodeState full = ask(PLAIN, primary);
    assertEquals(State.UNKNOWN, full.state(), full.toString());
    assertEquals(Failure.FULL, full.failure());
    int refused = count(primary, "to start walsender|start WAL sender");
    assertEquals(1, refused);

    ask(PLAIN, primary);
    assertEquals(refused, count(primary, "to start walsender|start WAL sender"));
    route.pass(Duration.ofSeconds(61));
    ask(PLAIN, primary);
    assertEquals(refused + 1, count(primary, "to start walsender|start WAL sender"));

    closeTaken();
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertEquals(State.PRIMARY, ask(PLAIN, primary).state()));
  }

  // ---- what must not matter

  @ParameterizedTest
  @ValueSource(strings = {"Asia/Tokyo", "America/St_Johns", "UTC"})
  void theStartIsTheSameInEachTimeZone(String zone) throws SQLException {
    primary.sql("ALTER ROLE " + PLAIN + " SET TimeZone = '" + zone + "'");
    try {
      assertEquals(startedAt(primary), ask(PLAIN, primary).server().startedAt());
    } finally {
      primary.sql("ALTER ROLE " + PLAIN + " RESET TimeZone");
    }
  }

  /** Computes the start as the probe does, for half a million times, to find rounding errors. */
  @Test
  void theStartIsExactToTheMicrosecond() throws SQLException {
    assertEquals(
        "0",
        primary.sql(
            """
            SELECT count(*)
              FROM generate_series(0, 499999) AS n,
                   LATERAL (SELECT timestamptz '2026-01-01 00:00:00+00'
                                   + n * interval '4321.987653 s' + n * interval '1 us') AS t (t)
             WHERE CAST(extract(epoch FROM t) * 1000000 AS bigint)
                   <> CAST(extract(epoch FROM date_trunc('second', t)) AS bigint) * 1000000
                      + CAST(to_char(t, 'US') AS bigint)
            """));
  }

  /** Replaces all that the two queries call, in a schema that is first in the search_path. */
  @Test
  void aSearchPathRunsNoCodeWithOurRights() throws SQLException {
    primary.sql("CREATE SCHEMA evil");
    try {
      for (String function :
          List.of(
              "pg_is_in_recovery()",
              "pg_has_role(text, text)",
              "pg_has_role(name, text)",
              "current_setting(text)",
              "has_function_privilege(text, text)",
              "has_table_privilege(text, text)",
              "has_schema_privilege(oid, text)",
              "query_to_xml(text, boolean, boolean, text)",
              "substring(text, text)",
              "date_part(text, timestamptz)",
              "extract(text, timestamptz)",
              "pg_postmaster_start_time()",
              "pg_control_system()",
              "pg_walfile_name(pg_lsn)",
              "pg_current_wal_lsn()",
              "pg_current_wal_insert_lsn()",
              "pg_read_file(text, integer, integer, boolean)",
              "to_hex(bigint)",
              "to_hex(integer)",
              "lpad(text, integer, text)",
              "upper(text)",
              "substr(text, integer, integer)",
              "format(text, text)",
              "host(inet)")) {
        primary.sql(
            "CREATE FUNCTION evil.%s RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'injected'; END $$"
                .formatted(function));
      }
      for (String operator :
          List.of(
              "=:name:text",
              "=:name:name",
              "=:oid:oid",
              "=:text:text",
              "<>:text:text",
              "*:numeric:integer",
              "*:float8:integer",
              "||:text:text")) {
        String[] part = operator.split(":");
        String function = "f" + operator.hashCode();
        primary.sql(
            "CREATE FUNCTION evil.\"%s\"(%s, %s) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'injected'; END $$"
                .formatted(function, part[1], part[2]));
        primary.sql(
            "CREATE OPERATOR evil.%s (FUNCTION = evil.\"%s\", LEFTARG = %s, RIGHTARG = %s)"
                .formatted(part[0], function, part[1], part[2]));
      }
      for (String view :
          List.of(
              "pg_stat_wal_receiver",
              "pg_stat_replication",
              "pg_roles",
              "pg_proc",
              "pg_namespace")) {
        primary.sql("CREATE VIEW evil." + view + " AS SELECT 1 / (random() * 0)::integer AS pid");
      }
      primary.sql("CREATE DOMAIN evil.text AS pg_catalog.text");
      primary.sql("CREATE DOMAIN evil.pg_lsn AS pg_catalog.pg_lsn");
      primary.sql("GRANT USAGE ON SCHEMA evil TO PUBLIC");
      for (String role : List.of(PLAIN, READER, FUNCTION, MONITOR)) {
        primary.sql("ALTER ROLE " + role + " SET search_path = evil, pg_catalog");
        try {
          NodeState node = ask(role, primary);
          assertEquals(State.PRIMARY, node.state(), role + ": " + node);
          assertEquals(2, node.server().timeline(), role);
          if (node.server().rights().contains(Right.HISTORY)) {
            HistoryAnswer answer = route.history(node);
            assertTrue(answer.isRead(), role + ": " + answer);
          }
        } finally {
          primary.sql("ALTER ROLE " + role + " RESET search_path");
        }
        closeRoute();
      }
    } finally {
      primary.sql("DROP SCHEMA evil CASCADE");
    }
  }

  // ---- helpers

  private ProbeRoute route(String role) {
    if (route == null || !role.equals(asRole)) {
      if (route != null) {
        route.close();
      }
      asRole = role;
      route = new ProbeRoute().with("PGUSER", role);
    }
    return route;
  }

  private String asRole;

  private NodeState ask(String role, PostgresServer server) {
    return route(role).ask(server.host() + ":" + server.port()).node();
  }

  /** Adds the timeline: a standby does not report it to roles such as READER and FUNCTION. */
  private static NodeState onTimeline2(NodeState node) {
    return node.with(node.server().onTimeline(2L));
  }

  private static Server restarted(Server server) {
    return Servers.granting(
        server.rights(),
        new Server(
            server.systemIdentifier(),
            server.startedAt() + 1,
            server.timeline(),
            server.lsn(),
            server.streaming()));
  }

  private static Long startedAt(PostgresServer server) throws SQLException {
    return Long.valueOf(
        server.sql(
            "SELECT CAST(extract(epoch FROM date_trunc('second', t)) AS bigint) * 1000000"
                + " + CAST(to_char(t, 'US') AS bigint) FROM pg_postmaster_start_time() AS t"));
  }

  private static Lsn beginOfTimeline2() throws SQLException {
    String line = primary.sql("SELECT pg_read_file('pg_wal/00000002.history')");
    return Lsn.of(line.split("\\s+")[1]);
  }

  private static int identifications(PostgresServer server) {
    return count(server, "received replication command: IDENTIFY_SYSTEM");
  }

  private static int refusals(PostgresServer server) {
    return count(server, "number of requested standby connections exceeds");
  }

  private static int count(PostgresServer server, String pattern) {
    return (int)
        Arrays.stream(server.log().split("\n"))
            .filter(line -> line.matches(".*(" + pattern + ").*"))
            .count();
  }

  private void takeWalsenders(PostgresServer server) throws SQLException {
    while (true) {
      try {
        taken.add(walsender(server, REPLICATION));
      } catch (SQLException full) {
        assertEquals("53300", full.getSQLState());
        return;
      }
    }
  }

  private void fill(PostgresServer server) throws SQLException {
    while (true) {
      try {
        taken.add(server.connect());
      } catch (SQLException full) {
        assertEquals("53300", full.getSQLState());
        return;
      }
    }
  }

  private void closeTaken() throws SQLException {
    for (Connection connection : taken) {
      connection.close();
    }
    taken.clear();
  }

  private static Connection walsender(PostgresServer server, String role) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", role);
    properties.setProperty("password", PostgresCluster.PASSWORD);
    properties.setProperty("replication", "database");
    properties.setProperty("preferQueryMode", "simple");
    properties.setProperty("assumeMinServerVersion", "13");
    return DriverManager.getConnection(server.jdbcUrl(PostgresCluster.DATABASE), properties);
  }
}
