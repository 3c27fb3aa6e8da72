package io.github.pgendpoints.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.StandbyHysteresis;
import io.github.pgendpoints.topology.Topology;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Real standbys that receive or replay nothing, as cycles report them. A decision reads no clock:
 * the test chooses the times of the cycles, minutes apart.
 */
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST, standbys = 1)
class WalReceiverIT {
  private final ProbeRoute route = new ProbeRoute();
  private final Conditions conditions = TestConditions.create();
  private final PostgresCluster cluster;
  private PostgresServer primary;
  private PostgresServer standby;
  private Instant now = Instant.now();
  private Memory memory = Memory.empty(StandbyHysteresis.none());
  private PublishedPrimary published = PublishedPrimary.none();
  private Set<String> readOnly = Set.of();

  WalReceiverIT(PostgresCluster cluster) {
    this.cluster = cluster;
    primary = cluster.primary();
    standby = cluster.standbys().get(0);
    // Long enough for a loaded machine: slow nodes are the subject of another test.
    route
        .with("PGPORT", String.valueOf(cluster.port()))
        .with("PGCONNECT_TIMEOUT", "20")
        .with("TCP_CONNECT_TIMEOUT", "10");
  }

  @AfterEach
  void close() {
    route.close();
  }

  /** The standby has no source, or one that refuses its WAL receiver again and again. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "''",
        "'host=127.0.0.1 port=1 user=repmgr'",
        "'host=127.0.0.1 port=%d user=nobody'"
      })
  void reportsAStandbyWithoutWalAfterMinutes(String source) throws SQLException {
    cycleAfter(0);
    cycleAfter(10);
    String connection = standby.sql("SHOW primary_conninfo");
    follow(source.formatted(primary.port()));
    await().atMost(Duration.ofSeconds(20)).until(() -> !isStreaming());

    assertEquals(List.of(), cutOffIn(cycleAfter(10)));
    for (int minute = 1; minute < 5; minute++) {
      assertEquals(List.of(), cutOffIn(cycleAfter(60)));
    }
    List<String> said = cutOffIn(cycleAfter(60));
    assertEquals(1, said.size(), said.toString());
    assertTrue(
        said.get(0)
            .startsWith(
                "WARN no WAL receiver: standby 127.0.0.2 at 127.0.0.2 has received nothing from the"
                    + " primary 127.0.0.1 at 127.0.0.1 for 5 minutes, "),
        said.get(0));
    assertEquals(List.of(), cutOffIn(cycleAfter(60)));

    follow("'" + connection.replace("'", "''") + "'");
    await().atMost(Duration.ofSeconds(20)).until(this::isStreaming);
    cycleAfter(10);
    assertEquals(List.of("INFO over: no WAL receiver: 127.0.0.2"), cutOffIn(cycleAfter(10)));
  }

  /** The replay of the standby is paused while the primary writes. */
  @Test
  void aLagThatOnlyGrowsIsReportedAfterMinutes() throws SQLException {
    cycleAfter(0);
    standby.sql("SELECT pg_wal_replay_pause()");
    List<String> said = List.of();
    for (int minute = 0; minute < 5; minute++) {
      assertEquals(List.of(), said);
      primary.sql("SELECT pg_logical_emit_message(false, 'filler', repeat('x', 4 * 1024 * 1024))");
      said = lagIn(cycleAfter(60));
    }
    assertEquals(1, said.size(), said.toString());
    assertTrue(said.get(0).startsWith("WARN growing lag: standby 127.0.0.2 "), said.get(0));

    standby.sql("SELECT pg_wal_replay_resume()");
    cluster.waitUntilReplayed(standby);
    assertEquals(List.of("INFO over: growing lag: 127.0.0.2"), lagIn(cycleAfter(10)));
  }

  private void follow(String source) throws SQLException {
    standby.sql("ALTER SYSTEM SET primary_conninfo = " + source);
    standby.reload();
  }

  private boolean isStreaming() {
    return ask(standby).server().streaming();
  }

  private NodeState ask(PostgresServer server) {
    return route.ask(server.host()).node();
  }

  /** Runs a cycle this many seconds after the one before, and returns its alerts. */
  private List<String> cycleAfter(int seconds) {
    now = now.plusSeconds(seconds);
    Topology topology = new Topology(List.of(ask(primary), ask(standby)), now);
    Decision.Outcome outcome =
        Decision.decide(
            new LastPublished(published, null, Set.of(), readOnly, 0, false, List.of()),
            memory,
            topology,
            new DecisionSettings(
                new Quorum(1), new ReadOnlyRules(null, false, false), Duration.ofMinutes(2)));
    assertTrue(outcome.verdict().isVerified(), outcome.verdict().reports().toString());
    published = outcome.verdict().publishing();
    memory = outcome.memory().publishing(published);
    readOnly = Set.of(ask(standby).endpoint());
    conditions.reportNodes(topology);
    conditions.reportVerdict(outcome.verdict(), "");
    conditions.recordPublication();
    return conditions.endCycle().stream()
        .map(alert -> alert.severity() + " " + alert.message())
        .toList();
  }

  private static List<String> cutOffIn(List<String> lines) {
    return lines.stream().filter(line -> line.contains("no WAL receiver: ")).toList();
  }

  private static List<String> lagIn(List<String> lines) {
    return lines.stream().filter(line -> line.contains("growing lag: ")).toList();
  }
}
