package io.github.pgendpoints.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.CycleCount;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.Certificates;
import io.github.pgendpoints.support.postgres.PgBouncer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that report a change of their role. Probes alone would find it a minute later. */
@Tag("alone")
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class RoleWatchIT {
  private static final String HELD =
      "SELECT count(*) FROM pg_stat_activity"
          + " WHERE state = 'active' AND query LIKE '%DO $role$%' AND pid <> pg_backend_pid()";

  private final CycleCount cycles = new CycleCount();
  private final FakeApiServer api;
  private final PostgresCluster cluster;
  private final PostgresServer primary;
  private final PostgresServer standby;

  RoleWatchIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
    this.primary = cluster.primary();
    this.standby = cluster.servers().get(1);
  }

  @Test
  void reportsASecondPrimaryAndTheLossOfTheFirst() throws SQLException {
    try (Run run = watching()) {
      standby.promote();
      until(() -> run.logged("multiple primaries").size() == 1);

      primary.kill();
      until(() -> run.logged("rival primary unaccounted for").size() == 1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void reportsALostPrimaryAndItsSuccessor(boolean tls, @TempDir Path folder) throws Exception {
    if (tls) {
      Certificates.Signed own =
          new Certificates(folder, "authority").sign("server", "EC", "dns:db1.example");
      for (PostgresServer server : cluster.servers()) {
        server.enableTls(own.certificate(), own.key());
      }
    }
    try (Run run = watching("PGSSLMODE", tls ? "require" : "disable")) {
      api.clearRequests();
      primary.kill();
      until(() -> run.logged("no primary").size() == 1);
      until(() -> api.calls().stream().anyMatch(call -> call.matches("GET .*/services/pg-rw")));

      standby.promote();
      until(() -> api.addresses("pg-rw").equals(List.of(standby.host())));
    }
  }

  /** HAProxy and cloud load balancers end idle sessions, mostly after a minute or more. */
  @Test
  void sendsEmptyQueriesToThePrimary() throws SQLException {
    try (Run run = watching()) {
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () ->
                  primary
                      .sql(
                          "SELECT count(*) FROM pg_stat_activity WHERE query = '' AND state = 'idle'"
                              + " AND application_name = 'postgres-endpoint-manager'"
                              + " AND state_change > backend_start + interval '9 s'")
                      .equals("1"));
      assertEquals(List.of(), run.logged("DOWN"));
    }
  }

  @Test
  void theQueryDelaysNoReplay() throws SQLException {
    primary.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
    for (PostgresServer server : cluster.standbys()) {
      server.sql("ALTER SYSTEM SET max_standby_streaming_delay = '700ms'");
      server.sql("ALTER SYSTEM SET hot_standby_feedback = off");
      server.reload();
    }
    try (Run run = watching()) {
      for (int i = 0; i < 20; i++) {
        primary.sql("UPDATE t SET n = n + 1");
        primary.sql("VACUUM t");
        cluster.waitUntilReplayed(standby);
      }
      assertEquals(
          "0",
          standby.sql(
              "SELECT confl_snapshot FROM pg_stat_database_conflicts WHERE datname = current_database()"));
      assertEquals(List.of(), run.logged(standby.host() + " is"));
    }
  }

  @Test
  void settingsOfTheRoleDoNotEndTheQuery() throws SQLException {
    primary.sql("ALTER ROLE repmgr SET default_transaction_isolation = 'serializable'");
    primary.sql("ALTER ROLE repmgr SET statement_timeout = '200ms'");
    cluster.waitUntilReplayed(standby);
    try (Run run = watching()) {
      String session = session();
      until(() -> isOlderThan(3, session));
      assertEquals(session, session());
      assertEquals(List.of(), run.logged("ERROR"));
    }
  }

  @Test
  void theServerDoesNotLogTheQueryAsSlow() throws SQLException {
    standby.sql("ALTER SYSTEM SET log_min_duration_statement = '800ms'");
    standby.reload();
    try (Run run = watching()) {
      until(() -> isOlderThan(2, session()));
      until(() -> held(standby) == 1);
      assertFalse(standby.log().contains("$role$"), standby.log());
      assertEquals(List.of(), run.logged("ERROR"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ALTER ROLE watcher CONNECTION LIMIT 5",
        "ALTER DATABASE repmgr CONNECTION LIMIT 5",
        "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
        "DROP EXTENSION plpgsql",
      })
  void probesAServerThatCannotReportRoleChanges(String statement) throws SQLException {
    primary.sql(
        "CREATE ROLE watcher LOGIN PASSWORD '%s' IN ROLE pg_monitor"
            .formatted(PostgresCluster.PASSWORD));
    primary.sql(statement);
    cluster.waitUntilReplayed(standby);
    try (Run run = start("PGUSER", "watcher", "PROBE_INTERVAL", "200ms")) {
      int before = cycles.ended();
      until(() -> cycles.ended() >= before + 10);
      assertEquals(0, held(standby));
      standby.promote();
      until(() -> run.logged("multiple primaries").size() == 1);
    }
  }

  @Test
  void aPoolerKeepsItsConnections() throws SQLException {
    assumeTrue(PgBouncer.isInstalled(), "PgBouncer is not installed");
    try (PgBouncer pooler = PgBouncer.start(standby, "transaction");
        Run run =
            start(
                "PG_NODES",
                primary.host() + "," + standby.host() + ":" + pooler.port(),
                "PROBE_INTERVAL",
                "200ms")) {
      int before = cycles.ended();
      until(() -> cycles.ended() >= before + 10);
      assertEquals(0, held(standby));
      standby.promote();
      until(() -> run.logged("multiple primaries").size() == 1);
    }
  }

  /** A smart shutdown waits until every client has disconnected. */
  @Test
  void delaysNoSmartShutdown() throws Exception {
    try (Run run = start("PROBE_INTERVAL", "200ms")) {
      until(() -> held(standby) == 1);
      String postmaster =
          Files.readAllLines(standby.dataDirectory().resolve("postmaster.pid")).get(0);
      assertEquals(0, new ProcessBuilder("kill", "-TERM", postmaster).start().waitFor());
      until(() -> !standby.isRunning());
      until(() -> api.addresses("pg-ro").size() == 1);
      assertEquals(List.of(), run.logged("ERROR"));
    }
  }

  @Test
  void theQueryEndsWithTheManager() throws SQLException {
    watching().close();
    await().atMost(Duration.ofSeconds(3)).until(() -> held(standby) == 0);
  }

  /** Starts a manager that probes rarely, and waits until each standby reports role changes. */
  private Run watching(String... settings) {
    Run run = start(settings);
    for (PostgresServer server : cluster.standbys()) {
      until(() -> held(server) == 1);
    }
    return run;
  }

  private Run start(String... settings) {
    Run run = new Run(cluster, api).bind("cycles", cycles);
    run.with("PROBE_INTERVAL", "1m").with("PROBE_INTERVAL_UNSTABLE", "1m");
    for (int i = 0; i < settings.length; i += 2) {
      run.with(settings[i], settings[i + 1]);
      if (settings[i].equals("PROBE_INTERVAL")) {
        run.with("PROBE_INTERVAL_UNSTABLE", settings[i + 1]);
      }
    }
    run.start(Mode.CONTINUOUS);
    until(() -> api.addresses("pg-rw").equals(List.of(primary.host())));
    return run;
  }

  private static int held(PostgresServer server) throws SQLException {
    return Integer.parseInt(server.sql(HELD));
  }

  private String session() throws SQLException {
    return standby.sql(HELD.replace("count(*)", "min(pid)"));
  }

  private boolean isOlderThan(int seconds, String session) throws SQLException {
    // There is no row, and no value, while the standby holds no query.
    return "t"
        .equals(
            standby.sql(
                "SELECT clock_timestamp() - backend_start > interval '%d s' FROM pg_stat_activity WHERE pid = %s"
                    .formatted(seconds, session)));
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(20)).until(condition);
  }
}
