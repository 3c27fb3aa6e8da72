package io.github.pgendpoints.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.pgendpoints.postgres.ProbeRoute.Answer;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.postgres.PgBouncer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.Protection;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What happens to PostgreSQL servers in production, and what a probe finds then. A case that needs
 * only SQL is one more row of {@link #settings} or {@link #columns}.
 */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.PER_CLASS, standbys = 1)
class FieldCasesIT {
  private static final Duration MORE_THAN_A_SESSION_COUNTS = Duration.ofSeconds(11);

  private static PostgresServer primary;
  private static PostgresServer standby;

  private final ProbeRoute route = new ProbeRoute();

  /**
   * A case.
   *
   * @param name the name in the test report
   * @param before the SQL that a superuser runs on the primary, in the database of the program
   * @param after the SQL that undoes {@code before}
   * @param off the protections that {@code before} turns off on the standby
   */
  private record Case(String name, String before, String after, Set<Protection> off) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case setting(String setting) {
    String name = setting.replaceFirst(" .*", "");
    return new Case(
        setting, "ALTER ROLE repmgr SET " + setting, "ALTER ROLE repmgr RESET " + name, Set.of());
  }

  /** Settings of our role that break a program which relies on the defaults. */
  static Stream<Case> settings() {
    return Stream.of(
        setting("default_transaction_isolation = 'serializable'"),
        setting("default_transaction_read_only = on"),
        setting("default_transaction_deferrable = on"),
        setting("statement_timeout = '1ms'"),
        setting("lock_timeout = '1ms'"),
        setting("idle_session_timeout = '300ms'"),
        setting("idle_in_transaction_session_timeout = '1ms'"),
        setting("client_min_messages = 'debug5'"),
        setting("TimeZone = 'Asia/Kolkata'"),
        setting("DateStyle = 'German, DMY'"),
        setting("IntervalStyle = 'sql_standard'"),
        setting("standard_conforming_strings = off"),
        setting("jit_above_cost = 0"),
        setting("search_path = ''"),
        new Case(
            "a function before the one of pg_catalog",
            "CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO repmgr;"
                + " CREATE FUNCTION other.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT"
                + " false'; ALTER ROLE repmgr SET search_path = other, pg_catalog",
            "ALTER ROLE repmgr RESET search_path; DROP SCHEMA other CASCADE",
            Set.of()),
        new Case(
            "operators before those of pg_catalog",
            "CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO repmgr; CREATE FUNCTION"
                + " other.wrong(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT 1/0 = 1'; CREATE"
                + " OPERATOR other.= (LEFTARG = name, RIGHTARG = name, FUNCTION = other.wrong);"
                + " ALTER ROLE repmgr SET search_path = other, pg_catalog",
            "ALTER ROLE repmgr RESET search_path; DROP SCHEMA other CASCADE",
            Set.of()));
  }

  private static Case revoked(String right, Protection... off) {
    return new Case(
        "no " + right,
        "REVOKE " + right + " FROM PUBLIC",
        "GRANT " + right + " TO PUBLIC",
        Set.of(off));
  }

  /** A PostgreSQL function that is replaced by one with another body. */
  private static Case replaced(String function, String type, String body, Protection... off) {
    return new Case(
        function + " " + body,
        "SET allow_system_table_mods = on; ALTER FUNCTION pg_catalog.%1$s() RENAME TO %1$s_own;"
                .formatted(function)
            + " CREATE FUNCTION pg_catalog.%s() RETURNS %s LANGUAGE plpgsql AS $$ BEGIN %s; END $$"
                .formatted(function, type, body),
        "SET allow_system_table_mods = on; DROP FUNCTION pg_catalog.%1$s();".formatted(function)
            + " ALTER FUNCTION pg_catalog.%1$s_own() RENAME TO %1$s".formatted(function),
        Set.of(off));
  }

  /** Columns of a probe that fail or that our role has no right to read. */
  static Stream<Case> columns() {
    String unsupported = "RAISE EXCEPTION 'not supported' USING ERRCODE = '0A000'";
    return Stream.of(
        revoked("EXECUTE ON FUNCTION query_to_xml(text, boolean, boolean, text)"),
        revoked("EXECUTE ON FUNCTION pg_control_system()", Protection.FOREIGN_NODES),
        revoked("EXECUTE ON FUNCTION pg_postmaster_start_time()", Protection.ALIASES),
        revoked("EXECUTE ON FUNCTION pg_last_wal_replay_lsn()", Protection.STANDBY_POSITION),
        revoked("EXECUTE ON FUNCTION pg_has_role(name, text)"),
        revoked("EXECUTE ON FUNCTION has_function_privilege(text, text)"),
        revoked("EXECUTE ON FUNCTION current_setting(text, boolean)"),
        revoked("EXECUTE ON FUNCTION set_config(text, text, boolean)"),
        revoked(
            "SELECT ON pg_stat_wal_receiver",
            Protection.STREAMING,
            Protection.SOURCE,
            Protection.STANDBY_TIMELINE),
        revoked("SELECT ON pg_stat_replication"),
        revoked("SELECT ON pg_roles"),
        revoked("SELECT ON pg_proc"),
        replaced("pg_last_wal_replay_lsn", "pg_lsn", unsupported, Protection.STANDBY_POSITION),
        replaced("pg_postmaster_start_time", "timestamptz", unsupported, Protection.ALIASES),
        replaced(
            "pg_postmaster_start_time",
            "timestamptz",
            "PERFORM pg_sleep(60); RETURN now()",
            Protection.ALIASES));
  }

  @BeforeAll
  static void take(PostgresCluster cluster) {
    primary = cluster.primary();
    standby = cluster.standbys().get(0);
  }

  @AfterEach
  void closeRoute() {
    route.close();
  }

  @ParameterizedTest
  @MethodSource({"settings", "columns"})
  void aProbeFindsTheRoles(Case happens) throws SQLException {
    run(happens.before());
    try {
      for (int cycle = 0; cycle < 3; cycle++) {
        says("PRIMARY", ask(primary));
        Answer answer = ask(standby);
        says("STANDBY", answer);
        assertEquals(happens.off(), answer.node().server().unread().keySet(), "in cycle " + cycle);
      }
    } finally {
      run(happens.after());
    }
  }

  /** The answers would be the same with a new login, so the test compares the server processes. */
  @Test
  void aSessionOutlivesTheIdleTimeoutOfTheRole() throws SQLException {
    run("ALTER ROLE repmgr SET idle_session_timeout = '300ms'");
    try {
      for (PostgresServer server : List.of(primary, standby)) {
        // The sessions of the previous test may not have ended yet.
        await().until(() -> "0".equals(sessions(server, "count(*)")));
        ask(server);
        String process = sessions(server, "min(pid)");
        await()
            .until(
                () ->
                    !"f"
                        .equals(
                            sessions(
                                server,
                                "bool_and(state_change < clock_timestamp() - interval '600 ms')")));
        ask(server);
        assertEquals(process, sessions(server, "string_agg(pid::text, ' ')"), server.toString());
      }
    } finally {
      run("ALTER ROLE repmgr RESET idle_session_timeout");
    }
  }

  /** Returns an aggregate over the sessions of our role. */
  private static String sessions(PostgresServer server, String aggregate) throws SQLException {
    return server.sql(
        "SELECT %s FROM pg_stat_activity WHERE usename = 'repmgr'".formatted(aggregate));
  }

  /** When the right is granted again, the protection is back. */
  @Test
  void aColumnComesBackWithItsRight() throws SQLException {
    String right = "EXECUTE ON FUNCTION pg_control_system()";
    run("REVOKE " + right + " FROM PUBLIC");
    try {
      assertEquals(
          Set.of(Protection.FOREIGN_NODES), ask(standby).node().server().unread().keySet());
    } finally {
      run("GRANT " + right + " TO PUBLIC");
    }
    assertEquals(Set.of(), ask(standby).node().server().unread().keySet());
  }

  @Test
  void aSessionHasItsOwnSettings() throws SQLException {
    says("STANDBY", ask(standby));
    for (List<String> setting :
        List.of(
            List.of("search_path", ""),
            List.of("TimeZone", "GMT"),
            List.of("transaction_isolation", "read committed"),
            List.of("transaction_read_only", "on"),
            List.of("default_transaction_read_only", "off"),
            List.of("statement_timeout", "500ms"),
            List.of("tcp_keepalives_idle", "10"),
            List.of("tcp_keepalives_interval", "5"),
            List.of("tcp_keepalives_count", "3"),
            List.of("tcp_user_timeout", "25000"),
            List.of("application_name", "postgres-endpoint-manager"))) {
      assertEquals(setting.get(1), route.show(standby, setting.get(0)), setting.get(0));
    }
  }

  @Test
  void aServerKeepsTheQueryOfAProbePrepared() throws SQLException {
    says("STANDBY", ask(standby));
    standby.sql("ALTER SYSTEM SET log_statement = 'all'");
    standby.sql("SELECT pg_reload_conf()");
    try {
      await()
          .untilAsserted(
              () -> {
                says("STANDBY", ask(standby));
                assertTrue(
                    standby.log().matches("(?s).*execute S_\\d+: SELECT in_recovery.*"),
                    standby.log());
              });
    } finally {
      standby.sql("ALTER SYSTEM RESET log_statement");
      standby.sql("SELECT pg_reload_conf()");
    }
  }

  @Test
  void aPrimaryThatIsReadOnlyByDefaultIsNoticed() throws SQLException {
    assertEquals(false, ask(primary).node().server().readOnlyByDefault());
    primary.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    primary.sql("SELECT pg_reload_conf()");
    try {
      await().until(() -> ask(primary).node().server().readOnlyByDefault());
    } finally {
      try (Connection connection = primary.connect();
          Statement statement = connection.createStatement()) {
        statement.execute("SET default_transaction_read_only = off");
        statement.execute("ALTER SYSTEM RESET default_transaction_read_only");
        statement.execute("SELECT pg_reload_conf()");
      }
    }
    await().until(() -> !ask(primary).node().server().readOnlyByDefault());
    run("ALTER ROLE repmgr SET default_transaction_read_only = on");
    try {
      route.pass(MORE_THAN_A_SESSION_COUNTS);
      assertEquals(
          false, ask(primary).node().server().readOnlyByDefault(), "it is only for our role");
    } finally {
      run("ALTER ROLE repmgr RESET default_transaction_read_only");
    }
  }

  // ---- an open session proves nothing

  @Test
  void aPostmasterThatIsFrozenAloneIsDown() throws Exception {
    says("STANDBY", ask(standby));
    signal(standby, "STOP");
    try {
      says("STANDBY", ask(standby));
      route.pass(MORE_THAN_A_SESSION_COUNTS);
      says("DOWN", ask(standby));
    } finally {
      signal(standby, "CONT");
    }
    await().untilAsserted(() -> says("STANDBY", ask(standby)));
  }

  @Test
  void aServerInSmartShutdownIsDownAndCanEnd() throws Exception {
    says("STANDBY", ask(standby));
    signal(standby, "TERM");
    try {
      route.pass(MORE_THAN_A_SESSION_COUNTS);
      Answer answer = ask(standby);
      says("DOWN", answer);
      await().until(() -> !standby.isRunning());
    } finally {
      standby.start();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"NOLOGIN", "PASSWORD 'another'", "CONNECTION LIMIT 0"})
  void noticesARoleThatCanNoLongerLogIn(String change) throws SQLException {
    says("PRIMARY", ask(primary));
    run("ALTER ROLE repmgr " + change);
    try {
      route.pass(MORE_THAN_A_SESSION_COUNTS);
      says("UNKNOWN", ask(primary));
    } finally {
      run(
          "ALTER ROLE repmgr LOGIN CONNECTION LIMIT -1 PASSWORD '%s'"
              .formatted(PostgresCluster.PASSWORD));
    }
    says("PRIMARY", ask(primary));
  }

  @Test
  void oneSessionIsEnough() throws SQLException {
    run("ALTER ROLE repmgr CONNECTION LIMIT 1");
    try {
      // Wait until the sessions of the previous test have ended.
      await().untilAsserted(() -> says("PRIMARY", ask(primary)));
      for (int session = 0; session < 5; session++) {
        says("PRIMARY", ask(primary));
        route.pass(MORE_THAN_A_SESSION_COUNTS);
      }
    } finally {
      run("ALTER ROLE repmgr CONNECTION LIMIT -1");
    }
  }

  // ---- slow is not dead

  @Test
  void aServerWithSlowLoginsIsNotDown() throws SQLException {
    primary.sql("ALTER SYSTEM SET pre_auth_delay = 1");
    primary.reload();
    try {
      says("PRIMARY", ask(primary));
    } finally {
      primary.sql("ALTER SYSTEM RESET pre_auth_delay");
      primary.sql("SELECT pg_reload_conf()");
    }
  }

  @Test
  void loginsThatHangDoNotFillTheServer() throws SQLException {
    try (Connection locker = primary.connect();
        Statement statement = locker.createStatement()) {
      locker.setAutoCommit(false);
      statement.execute("LOCK TABLE pg_db_role_setting");
      for (int probe = 0; probe < 4; probe++) {
        says("DOWN", ask(primary));
      }
      try (ResultSet row =
          statement.executeQuery(
              "SELECT count(*) FROM pg_stat_activity WHERE usename = 'repmgr' AND state_change > clock_timestamp() - interval '400 ms'"
                  + " OR backend_type = 'client backend' AND pid <> pg_backend_pid()")) {
        row.next();
        assertTrue(row.getInt(1) <= Logins.MAX, row.getInt(1) + " sessions wait");
      }
      locker.rollback();
    }
    says("PRIMARY", ask(primary));
  }

  // ---- a pooler

  @ParameterizedTest
  @ValueSource(strings = {"session", "transaction", "statement"})
  void behindPgBouncer(String mode) {
    assumeTrue(PgBouncer.isInstalled(), "PgBouncer is not installed");
    for (PostgresServer server : List.of(primary, standby)) {
      try (PgBouncer pooler = PgBouncer.start(server, mode)) {
        for (int cycle = 0; cycle < 12; cycle++) {
          Answer answer = route.ask(server.host() + ":" + pooler.port());
          assertEquals(
              server == primary ? "PRIMARY" : "STANDBY", answer.state(), answer + pooler.log());
          route.pass(Duration.ofSeconds(1));
        }
      }
      Answer gone = route.ask(server.host() + ":" + 1);
      says("DOWN", gone);
    }
  }

  private Answer ask(PostgresServer server) {
    return route.ask(server.host() + ":" + server.port());
  }

  private static void says(String state, Answer answer) {
    assertEquals(state, answer.state(), answer.toString());
  }

  /** Runs statements on the primary, in the program's database, and waits for their replay. */
  private static void run(String statements) throws SQLException {
    primary.sql(statements);
    String written = primary.sql("SELECT pg_current_wal_lsn()");
    // The statements may keep the standby itself from reporting its LSN.
    await()
        .until(
            () ->
                "t"
                    .equals(
                        primary.sql(
                            "SELECT replay_lsn >= '%s' FROM pg_stat_replication"
                                .formatted(written))));
  }

  private static void signal(PostgresServer server, String signal)
      throws IOException, InterruptedException {
    String pid = Files.readAllLines(server.dataDirectory().resolve("postmaster.pid")).get(0);
    assertEquals(0, new ProcessBuilder("kill", "-" + signal, pid).start().waitFor());
  }
}
