package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Relay;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Incidents in which a timeline number, or the memory of a process, indicates the wrong primary.
 * Each test runs with a role that has all the useful rights, and with one that may only log in.
 */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class LineageIT {
  /** The rights of our role. */
  private enum Rights {
    ALL,
    LOGIN;

    boolean provesLineage() {
      return this == ALL;
    }
  }

  private final FakeApiServer api;
  private final PostgresCluster cluster;
  private PostgresServer first;
  private PostgresServer second;
  private PostgresServer third;

  LineageIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @BeforeEach
  void startACluster() throws SQLException {
    first = cluster.servers().get(0);
    second = cluster.servers().get(1);
    third = cluster.servers().get(2);
  }

  private void publish(Rights rights) throws SQLException {
    publish(rights, first);
  }

  private void publish(Rights rights, PostgresServer primary) throws SQLException {
    if (rights == Rights.ALL) {
      primary.sql("GRANT pg_monitor TO " + PostgresCluster.USER);
      primary.sql("ALTER ROLE " + PostgresCluster.USER + " REPLICATION");
      primary.sql(
          "GRANT EXECUTE ON FUNCTION pg_read_file(text, bigint, bigint, boolean) TO "
              + PostgresCluster.USER);
    }
    cluster.waitUntilReplayed();
    cluster.waitUntilStreaming();
    assertExit(0, once());
    assertLeadsTo(primary);
  }

  /** The old primary is started without pg_rewind, and promoted when its successor dies. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void aForkWithAHigherNumberIsNoSuccessor(Rights rights) throws SQLException {
    publish(rights);
    // The future standby stops first: it must not have more WAL than the server to be promoted.
    third.stopImmediately();
    second.stopImmediately();
    first.sql("CREATE TABLE lost AS SELECT generate_series(1, 200)");
    first.stopImmediately();
    second.start();
    third.start();
    second.promote();
    assertExit(0, once());
    assertLeadsTo(second);
    third.follow(second);
    second.sql("CREATE TABLE kept AS SELECT generate_series(1, 20000)");
    cluster.waitUntilReplayed(third);

    first.rejoinWithoutRewind(second);
    Path history = first.dataDirectory().resolve("pg_wal/00000002.history");
    await().until(() -> Files.exists(history));
    Run diverged = once();
    assertExit(0, diverged);
    assertEquals(
        rights.provesLineage() ? hosts(third) : hosts(first, third),
        api.addresses("pg-ro"),
        diverged.log().toString());

    second.stopImmediately();
    first.promote();
    assertEquals(3, first.timeline(), "a higher number than the published primary's");
    Run fork = once();
    if (rights.provesLineage()) {
      assertExit(1, fork);
      assertLeadsTo(second);
      assertEquals(hosts(third), api.addresses("pg-ro"));
      assertLogged(fork, "ERROR no primary, nothing is written: ");
      assertLogged(fork, "ERROR multiple primaries: 127.0.0.1 at 127.0.0.1 accepts writes on");
      assertLogged(fork, "overrule 127.0.0.1:" + cluster.port());
    } else {
      // Only its timeline number is known.
      assertExit(0, fork);
      assertLeadsTo(first);
    }
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void oneProbeDoesNotEndASplitBrain(Rights rights) throws Exception {
    publish(rights);
    try (Run run = run().start(Mode.CONTINUOUS)) {
      await().until(() -> !run.logged("topology verified").isEmpty());
      third.promote();
      await().until(() -> !run.logged("ERROR multiple primaries, nothing is written").isEmpty());

      first.restart();
      await().until(() -> !run.logged("127.0.0.1 is PRIMARY").isEmpty());
      assertLeadsTo(first);
      first.freeze();
      await()
          .during(Duration.ofSeconds(3))
          .until(() -> api.addresses("pg-rw").equals(hosts(first)));
      first.thaw();
      await()
          .during(Duration.ofSeconds(2))
          .until(() -> api.addresses("pg-rw").equals(hosts(first)));
      assertLogged(run, "ERROR rival primary unaccounted for, nothing is written: ");

      // The refusal ends when the rival is a standby again.
      cluster.rejoin(third, first);
      await().until(() -> api.addresses("pg-ro").equals(hosts(second, third)));
      await().until(() -> !run.logged("over: rival primary unaccounted for").isEmpty());
      assertLeadsTo(first);
    }
  }

  /** Its line continues the published one, but lacks what was written while it was DOWN. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void aRivalThatIsBackAloneGetsNoWrites(Rights rights) throws Exception {
    publish(rights);
    try (Run run = run().with("STATE", "pg-state").start(Mode.CONTINUOUS)) {
      await().until(() -> !run.logged("topology verified").isEmpty());
      third.promote();
      await().until(() -> !run.logged("ERROR multiple primaries, nothing is written").isEmpty());
      third.stopImmediately();
      await().until(() -> run.logged("topology verified").size() == 2);
      first.sql("CREATE TABLE written_since ()");

      first.stopImmediately();
      third.start();
      await().until(() -> !run.logged("was DOWN when 127.0.0.1 was published").isEmpty());
      await()
          .during(Duration.ofSeconds(2))
          .until(() -> api.addresses("pg-rw").equals(hosts(first)));

      // The refusal ends when the published server follows the rival.
      cluster.rejoin(first, third);
      await().until(() -> api.addresses("pg-rw").equals(hosts(third)));
    }
  }

  /** The published primary can no longer be verified, and still accepts writes. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void aRestartDuringAnIncidentDecidesAsBefore(Rights rights) throws SQLException {
    publish(rights);
    first.stopImmediately();
    second.promote();
    third.follow(second);
    assertExit(0, once(run().with("STATE", "pg-state")));
    assertLeadsTo(second);
    third.promote();
    Run both = once(run().with("STATE", "pg-state"));
    assertExit(1, both);
    assertLogged(both, "ERROR multiple primaries, nothing is written: ");

    second.prependToPgHba("host all " + PostgresCluster.USER + " all reject");
    second.reload();
    Run restarted = once(run().with("STATE", "pg-state"));
    assertExit(1, restarted);
    assertLogged(restarted, "ERROR rival primary unaccounted for, nothing is written: ");
    assertLogged(restarted, "overrule 127.0.0.3:" + cluster.port());
    assertLeadsTo(second);

    // The refusal ends when the unverified primary is no longer in PG_NODES.
    assertExit(
        0, once(run().with("STATE", "pg-state").with("PG_NODES", first.host() + ",127.0.0.3")));
    assertLeadsTo(third);
  }

  /** The state of a node in an earlier term of leadership no longer applies. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void aReplicaThatLeadsAgainAsksEveryNodeAnew(Rights rights) throws SQLException {
    publish(rights);
    first.stopImmediately();
    second.promote();
    third.follow(second);
    try (Run run = run().with("LEASE_NAME", "pem").start(Mode.CONTINUOUS);
        KubernetesClient client = api.client()) {
      await().until(() -> api.addresses("pg-rw").equals(hosts(second)));
      second.freeze();
      await().until(() -> !run.logged("127.0.0.2 is DOWN").isEmpty());
      hold(client, "another");
      await().until(() -> !run.logged("no longer leads").isEmpty());
      second.thaw();
      third.promote();
      api.clearRequests();

      hold(client, "");
      await().until(() -> !run.logged("ERROR multiple primaries, nothing is written").isEmpty());
      assertLeadsTo(second);
      assertEquals(
          List.of(),
          api.calls().stream()
              .filter(call -> call.contains("endpoints") && !call.startsWith("GET"))
              .toList());
    }
  }

  private void hold(KubernetesClient client, String holder) {
    client
        .leases()
        .inNamespace(api.namespace())
        .withName("pem")
        .edit(
            lease ->
                lease
                    .edit()
                    .editSpec()
                    .withHolderIdentity(holder)
                    .withRenewTime(ZonedDateTime.now())
                    .withLeaseDurationSeconds(600)
                    .endSpec()
                    .build());
  }

  /** For example, in a cluster that was restored without its older history files. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void followsFailoverProvenByPartialHistory(Rights rights) throws Exception {
    first.stopImmediately();
    second.promote();
    third.follow(second);
    cluster.waitUntilReplayed(third);
    for (PostgresServer server : List.of(second, third)) {
      Files.delete(server.dataDirectory().resolve("pg_wal/00000002.history"));
    }
    second.stopImmediately();
    third.promote();
    cluster.rejoin(first, third);
    cluster.rejoin(second, third);
    String history = Files.readString(third.dataDirectory().resolve("pg_wal/00000003.history"));
    assertTrue(history.startsWith("2\t"), history);
    publish(rights, third);

    third.stopImmediately();
    second.promote();
    first.follow(second);
    Run failedOver = once();

    assertExit(0, failedOver);
    assertLeadsTo(second);
    assertEquals(hosts(first), api.addresses("pg-ro"));
  }

  /** A listed host that relays the responses of the primary could redirect writes anywhere. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void relayCannotReplaceThePrimary(Rights rights) throws Exception {
    publish(rights);
    Relay claimant = new Relay("127.0.0.9", new InetSocketAddress(first.host(), first.port()));
    try {
      Run run = once(run().with("PG_NODES", "127.0.0.9,127.0.0.1,127.0.0.2,127.0.0.3"));
      assertExit(1, run);
      assertLogged(run, "ERROR unknown alias: 127.0.0.9");
      assertLeadsTo(first);
      assertEquals(hosts(second, third), api.addresses("pg-ro"));
      assertEquals("127.0.0.1:" + first.port(), annotation(Annotations.ENTRIES));
    } finally {
      claimant.close();
    }
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void restartedOldPrimaryDoesNotBlockFailover(Rights rights) throws SQLException {
    publish(rights);
    first.stopImmediately();
    second.promote();
    third.follow(second);
    assertExit(0, once());
    assertLeadsTo(second);

    first.start();
    Run beside = once(run().with("ON_SPLIT_BRAIN", "clear"));
    assertExit(1, beside);
    assertLogged(beside, "ERROR multiple primaries: 127.0.0.1 at 127.0.0.1 accepts writes on");
    assertLeadsTo(second);
    assertEquals(hosts(third), api.addresses("pg-ro"));

    second.stopImmediately();
    third.promote();
    Run failedOver = once();
    assertExit(1, failedOver);
    assertLogged(failedOver, "ERROR multiple primaries: 127.0.0.1 at 127.0.0.1 accepts writes on");
    assertLeadsTo(third);
  }

  /** Without its timeline, an old primary cannot be distinguished from a new one. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void oldPrimaryWithoutTimelineIsRefused(Rights rights) throws SQLException {
    publish(rights);
    first.stopImmediately();
    second.promote();
    assertExit(0, once());
    assertLeadsTo(second);
    first.start();
    first.sql(
        "SET allow_system_table_mods = on; ALTER FUNCTION pg_catalog.pg_walfile_name(pg_lsn) RENAME TO pg_walfile_name_own");
    second.stopImmediately();

    Run refused = once();

    assertExit(1, refused);
    assertLogged(
        refused,
        rights.provesLineage()
            ? "no primary, nothing is written"
            : "a timeline that it does not report");
    assertLeadsTo(second);
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void fullPrimaryStillCountsAsPrimary(Rights rights) throws Exception {
    publish(rights);
    List<Connection> all = new ArrayList<>();
    try {
      while (true) {
        all.add(first.connect());
      }
    } catch (SQLException full) {
      assertEquals("53300", full.getSQLState());
    }
    second.promote();
    Run both = once();
    assertExit(1, both);
    assertLogged(both, "ERROR multiple primaries, nothing is written: ");
    assertLeadsTo(first);
    for (Connection connection : all) {
      connection.close();
    }
  }

  /** The published primary rejects our role, and an operator promotes a standby. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void reportsSplitBrainIfPrimaryRejectsOurRole(Rights rights) throws Exception {
    publish(rights);
    first.prependToPgHba("host all " + PostgresCluster.USER + " 0.0.0.0/0 reject");
    first.reload();
    second.promote();
    Run both = once();
    if (rights.provesLineage()) {
      assertExit(1, both);
      assertLogged(both, "ERROR multiple primaries, nothing is written: ");
      assertLogged(both, "127.0.0.1 at 127.0.0.1 (published, ");
      assertLeadsTo(first);
    } else {
      // Without the rights, no server reports from which primary a standby streams.
      assertExit(0, both);
      assertLeadsTo(second);
    }
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void deletedEndpointsDoNotRestoreOldPrimary(Rights rights) throws SQLException {
    publish(rights);
    try (Run run = run().start(Mode.CONTINUOUS)) {
      first.stopImmediately();
      second.promote();
      third.follow(second);
      await().until(() -> api.addresses("pg-rw").equals(hosts(second)));
      second.stopImmediately();
      first.start();
      await().until(() -> !run.logged("ERROR multiple primaries: 127.0.0.1").isEmpty());
      api.deleteEndpoints("pg-rw");
      api.deleteEndpoints("pg-ro");

      await().during(Duration.ofSeconds(2)).until(() -> api.endpoints("pg-rw") == null);
      second.start();
      await().until(() -> api.endpoints("pg-rw") != null);
      assertLeadsTo(second);
    }
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void aFirstRunDoesNotBeginWithAnOldPrimary(Rights rights) throws SQLException {
    publish(rights);
    first.stopImmediately();
    second.promote();
    third.follow(second);
    second.sql("CREATE TABLE newer AS SELECT generate_series(1, 500)");
    cluster.waitUntilReplayed(third);
    second.stopImmediately();
    first.start();
    api.deleteEndpoints("pg-rw");
    api.deleteEndpoints("pg-ro");

    assertExit(1, once());
    assertNull(api.endpoints("pg-rw"));
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void publishedPrimaryYieldsToItsUpstream(Rights rights) throws SQLException {
    publish(rights);
    first.stopImmediately();
    second.promote();
    third.promote();
    third.sql("CREATE TABLE apart AS SELECT generate_series(1, 10)");
    third.stopImmediately();
    assertExit(0, once());
    assertLeadsTo(second);
    second.stopImmediately();
    third.start();
    Run apart = once();
    assertExit(1, apart);
    assertLeadsTo(second);

    cluster.rejoin(second, third);
    Run follows = once();
    if (rights.provesLineage()) {
      assertExit(0, follows);
      assertLeadsTo(third);
      assertEquals(hosts(second), api.addresses("pg-ro"));
    } else {
      assertExit(1, follows);
      assertLogged(follows, "ERROR primary promoted apart, nothing is written: ");
      assertLogged(follows, "overrule 127.0.0.3:" + cluster.port());
      assertLeadsTo(second);
    }
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void thePublishedPrimaryMovesToAnotherAddress(Rights rights) throws SQLException {
    publish(rights);
    int port = cluster.port() + 1;
    first.restartOn(port);
    second.follow(first);
    third.follow(first);
    String nodes = "127.0.0.1:%d,127.0.0.2,127.0.0.3".formatted(port);

    Run moved = once(run().with("PG_NODES", nodes));
    if (rights.provesLineage()) {
      assertExit(0, moved);
      assertEquals(port, api.endpoints("pg-rw").getSubsets().get(0).getPorts().get(0).getPort());
      assertEquals(
          "127.0.0.1:" + port, annotation(Annotations.ENTRIES), "the old one is not listed");
    } else {
      assertExit(1, moved);
      assertLogged(moved, "ERROR primary promoted apart, nothing is written: ");
      assertLogged(moved, "overrule 127.0.0.1:" + port);
    }
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void onlyTheDefaultPortChanges(Rights rights) throws SQLException {
    publish(rights);
    String nodes =
        cluster.servers().stream()
            .map(server -> server.host() + ":" + server.port())
            .collect(Collectors.joining(","));

    assertExit(0, once(run().with("PG_NODES", nodes).with("PGPORT", "6432")));
    assertLeadsTo(first);
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void addressReplacesRemovedAnnotations(Rights rights) throws SQLException {
    publish(rights);
    for (String service : List.of("pg-rw", "pg-ro")) {
      api.editEndpoints(
          service,
          endpoints ->
              endpoints
                  .editMetadata()
                  .removeFromAnnotations(Annotations.PRIMARY)
                  .removeFromAnnotations(Annotations.LAST_TOPOLOGY)
                  .removeFromAnnotations(Annotations.ENTRIES)
                  .removeFromAnnotations(Annotations.STARTED_AT)
                  .endMetadata());
    }

    assertExit(0, once());
    assertLeadsTo(first);
    assertEquals(first.host() + ":" + first.port(), annotation(Annotations.ENTRIES));
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void aServerUnderTwoAddressesCountsOnce(Rights rights) throws SQLException {
    for (PostgresServer server : cluster.servers()) {
      server.listenOnToo(alias(server));
      server.restart();
    }
    cluster.waitUntilStreaming();
    String nodes =
        cluster.servers().stream()
            .map(server -> alias(server) + "," + server.host())
            .collect(Collectors.joining(","));
    publish(rights);
    // An operator must confirm new addresses of the primary: here, by deleting the Endpoints.
    api.deleteEndpoints("pg-rw");
    api.deleteEndpoints("pg-ro");
    try (Run run =
        run()
            .with("PG_NODES", nodes)
            .with("MIN_REACHABLE_NODES", "majority")
            .start(Mode.CONTINUOUS)) {
      await().until(() -> !run.logged("topology verified").isEmpty());
      first.stopImmediately();
      second.promote();
      third.follow(second);

      await()
          .until(
              () ->
                  List.of(second.host(), alias(second)).containsAll(api.addresses("pg-rw"))
                      && api.addresses("pg-ro").size() == 1);
      assertEquals(1, api.addresses("pg-rw").size());
    }
  }

  private static String alias(PostgresServer server) {
    return server.host().replace("127.0.0.", "127.0.1.");
  }

  @ParameterizedTest
  @EnumSource(Rights.class)
  void refusedCycleResetsOtherWrites(Rights rights) throws SQLException {
    publish(rights);
    first.stopImmediately();
    second.promote();
    third.follow(second);
    assertExit(0, once());
    second.stopImmediately();
    first.start();
    leadTo(first);

    Run dry = once(run(), Mode.DRY_RUN);
    assertExit(1, dry);
    assertLeadsTo(first);
    Run paused = once(run().with("PAUSED", "true"));
    assertExit(1, paused);
    assertLeadsTo(first);

    Run repaired = once();
    assertExit(1, repaired);
    assertLeadsTo(second);
    assertLogged(repaired, "PAUSED");
    String version = version("pg-rw");
    assertExit(1, once());
    assertEquals(version, version("pg-rw"), "it is right already");
  }

  /** For example, after its disk was rolled back to a snapshot. */
  @ParameterizedTest
  @EnumSource(Rights.class)
  void olderPrimaryKeepsItsStandbysPublished(Rights rights) throws SQLException {
    publish(rights);
    first.stop();
    Path snapshot = first.snapshot();
    first.start();
    first.sql("CREATE TABLE later AS SELECT generate_series(1, 20000)");
    cluster.waitUntilStreaming();
    cluster.waitUntilReplayed();
    assertExit(0, once());
    first.stop();
    first.restore(snapshot);
    first.start();

    Run older = once();
    if (rights.provesLineage()) {
      assertExit(1, older);
      assertEquals(hosts(second, third), api.addresses("pg-ro"));
      assertLogged(older, "ERROR standby ahead of the primary: 127.0.0.2");
    } else {
      assertExit(0, older);
      assertEquals(List.of(), api.addresses("pg-ro"), "that they are on one timeline is not known");
    }
    assertLeadsTo(first);
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(60));
  }

  private Run run() {
    return new Run(cluster, api);
  }

  private Run once() {
    return once(run());
  }

  private static Run once(Run run) {
    return once(run, Mode.ONCE);
  }

  /** Runs one cycle to its end. */
  private static Run once(Run run, Mode mode) {
    try (run) {
      run.start(mode);
      run.exitCode();
      return run;
    }
  }

  private void leadTo(PostgresServer server) {
    api.editEndpoints(
        "pg-rw",
        endpoints ->
            endpoints
                .editFirstSubset()
                .withAddresses(new EndpointAddress(null, server.host(), null, null))
                .endSubset());
  }

  private static void assertExit(int code, Run run) {
    assertEquals(code, run.exitCode(), run.log().toString());
  }

  private static void assertLogged(Run run, String text) {
    assertFalse(run.logged(text).isEmpty(), () -> text + " is not in " + run.log());
  }

  private void assertLeadsTo(PostgresServer server) {
    assertEquals(hosts(server), api.addresses("pg-rw"));
  }

  private static List<String> hosts(PostgresServer... servers) {
    return List.of(servers).stream().map(PostgresServer::host).toList();
  }

  private String version(String name) {
    return api.endpoints(name).getMetadata().getResourceVersion();
  }

  private String annotation(String key) {
    return api.endpoints("pg-rw").getMetadata().getAnnotations().get(key);
  }
}
