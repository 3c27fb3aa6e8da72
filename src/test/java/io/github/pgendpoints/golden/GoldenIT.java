package io.github.pgendpoints.golden;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.github.pgendpoints.Invocation;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Compares what the program does, as seen from outside, with files: each request to the Kubernetes
 * API in {@code src/test/resources/golden/requests}, each log line and the output in {@code
 * golden/log}. The servers are real, the API is a stand-in. The test depends on the settings and
 * modes of the program, not on its internals, so the internals can be rebuilt.
 *
 * <p>{@code -Dgolden.write} writes both files of each scenario. {@code -Dgolden.write=log} writes
 * only the log files, so that a new wording cannot hide another request. Without it, a difference
 * fails the test.
 *
 * <p>The order of the requests is fixed: a cycle sends one after another, and a sink begins when
 * the cycle is over.
 */
class GoldenIT {
  private static PostgresCluster unchanging;

  private final FakeApiServer api = new FakeApiServer("db", true).start();
  private final Map<String, String> settings = new LinkedHashMap<>();
  private PostgresCluster cluster;
  private Recording recording;
  private int steps;

  /** The folder that contains the folder of the routes. */
  Path home() {
    return Path.of("").toAbsolutePath();
  }

  @BeforeAll
  static void startCluster() throws SQLException {
    unchanging = startWithEveryRight();
  }

  @AfterAll
  static void stopCluster() {
    unchanging.close();
  }

  @BeforeEach
  void createServices() {
    api.createService("pg-rw", "postgresql", 5432);
    api.createService("pg-ro", "postgresql", 5432);
    // Long enough for a loaded machine. A slow node would be another scenario.
    set("PGCONNECT_TIMEOUT", "20");
    set("TCP_CONNECT_TIMEOUT", "10");
  }

  @AfterEach
  void stop() {
    // An API server derives the name of the field manager from the user agent.
    api.requests()
        .forEach(
            request ->
                assertTrue(
                    request.userAgent().startsWith("postgres-endpoint-manager/"),
                    request + " by " + request.userAgent()));
    api.close();
    if (cluster != null && cluster != unchanging) {
      cluster.close();
    }
  }

  @Test
  void firstRun() {
    begin("first-run", unchanging);
    once("nothing is published");
    once("nothing has changed");
    api.deleteEndpoints("pg-ro");
    once("somebody deleted the read-only Endpoints");
    recording.check();
  }

  @Test
  void repair() {
    begin("repair", unchanging);
    publish();
    api.editEndpoints(
        "pg-rw",
        endpoints ->
            endpoints
                .editMetadata()
                .addToLabels("team", "blue")
                .addToAnnotations("helm.sh/chart", "x-1")
                .endMetadata()
                .editFirstSubset()
                .editFirstAddress()
                .withIp("10.9.9.9")
                .endAddress()
                .endSubset());
    once("somebody changed the address of the read-write Endpoints and added a label");
    recording.check();
  }

  @Test
  void failover() throws SQLException {
    begin("failover", startWithEveryRight());
    publish();
    PostgresServer first = cluster.servers().get(0);
    PostgresServer second = cluster.servers().get(1);
    PostgresServer third = cluster.servers().get(2);
    // The standby that follows later stops first: it must not have more WAL than the promoted one.
    third.stop();
    once("a standby is stopped");
    first.stop();
    once("the primary is stopped, too");
    second.promote();
    once("the remaining standby is promoted");
    third.start();
    third.follow(second);
    once("the other standby follows it");
    first.start();
    once("the former primary is back and takes writes");
    recording.check();
  }

  @Test
  void splitBrain() throws SQLException {
    begin("split-brain", start());
    publish();
    PostgresServer second = cluster.servers().get(1);
    second.promote();
    once("a standby is promoted beside the primary");
    set("ON_SPLIT_BRAIN", "clear");
    run("ON_SPLIT_BRAIN=clear", Invocation.of(Mode.DRY_RUN));
    once("ON_SPLIT_BRAIN=clear");
    once("the read-write Endpoints are empty already");
    overrule("127.0.0.2", false);
    overrule("127.0.0.2", true);
    recording.check();
  }

  @Test
  void dryRun() {
    begin("dry-run", unchanging);
    run("nothing is published", Invocation.of(Mode.DRY_RUN));
    publish();
    run("everything is published", Invocation.of(Mode.DRY_RUN));
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    run("the read-write Endpoints are empty", Invocation.of(Mode.DRY_RUN));
    run("the same", Invocation.of(Mode.STATUS));
    run("the same", Invocation.of(Mode.STATUS_JSON));
    recording.check();
  }

  @Test
  void paused() {
    begin("paused", unchanging);
    publish();
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    set("PAUSED", "true");
    once("the read-write Endpoints are empty, PAUSED=true");
    set("PAUSED", "false");
    api.editEndpoints(
        "pg-ro",
        endpoints ->
            endpoints
                .editMetadata()
                .addToAnnotations("postgres.discovery/paused", "true")
                .endMetadata());
    once("the read-only Endpoints have the annotation that pauses");
    api.editEndpoints(
        "pg-ro",
        endpoints ->
            endpoints
                .editMetadata()
                .removeFromAnnotations("postgres.discovery/paused")
                .endMetadata());
    once("nothing pauses any more");
    recording.check();
  }

  @Test
  void publishSwitch() {
    api.withMirroring(Duration.ZERO);
    begin("publish-switch", unchanging);
    publish();
    for (String form : new String[] {"endpointslices", "endpoints"}) {
      set("PUBLISH", form);
      for (int cycle = 1; cycle <= 4; cycle++) {
        api.awaitMirrors();
        once("cycle " + cycle + " with PUBLISH=" + form);
      }
    }
    recording.check();
  }

  @Test
  void slices() {
    begin("slices", unchanging);
    set("PUBLISH", "endpointslices");
    once("nothing is published, PUBLISH=endpointslices");
    once("nothing has changed");
    recording.check();
  }

  @Test
  void conflicts() {
    begin("conflicts", unchanging);
    publish();
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    api.beforeNext("PATCH", "endpoints", () -> touch("team", "red"));
    once("somebody adds a label between the read and the write");
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    api.beforeNext(
        "PATCH",
        "endpoints",
        () ->
            api.editEndpoints(
                "pg-rw",
                endpoints ->
                    endpoints
                        .editMetadata()
                        .addToAnnotations("postgres.discovery/last-update", "by a rival")
                        .endMetadata()));
    once("another manager writes between the read and the write");
    recording.check();
  }

  private void touch(String label, String value) {
    api.editEndpoints(
        "pg-rw", endpoints -> endpoints.editMetadata().addToLabels(label, value).endMetadata());
  }

  @Test
  void apiErrors() {
    begin("api-errors", unchanging);
    api.fail(2, 500);
    once("the API answers 500 twice");
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    api.fail(2, 503, "PATCH", "endpoints");
    once("the API answers 503 to two writes");
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    api.fail(1_000, 500, "PATCH", "endpoints");
    once("the API answers 500 to every write");
    api.heal().deny("patch", "endpoints", "pg-rw");
    once("the Role does not grant patch on the read-write Endpoints");
    api.heal().deny("get", "services");
    once("the Role does not grant get on Services");
    recording.check();
  }

  @Test
  void state() throws SQLException {
    begin("state", startWithEveryRight());
    set("STATE", "state");
    once("nothing is published, STATE=state");
    once("nothing has changed");
    PostgresServer third = cluster.servers().get(2);
    third.promote();
    once("a standby is promoted beside the primary");
    cluster.rejoin(third, cluster.servers().get(0));
    once("it is a standby again");
    recording.check();
  }

  @Test
  void events() {
    begin("events", unchanging);
    set("ALERT_SINKS", "events");
    set("PG_NODES", "127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.11");
    once("a node does not answer, ALERT_SINKS=events");
    recording.check();
  }

  @Test
  void refusals() {
    begin("refusals", unchanging);
    set("PG_NODES", "127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.11,127.0.0.12");
    set("MIN_REACHABLE_NODES", "4");
    once("three of five nodes answer, MIN_REACHABLE_NODES=4");
    set("MIN_REACHABLE_NODES", "majority");
    once("MIN_REACHABLE_NODES=majority");
    set("LEASE_NAME", "pem");
    api.put(
        new LeaseBuilder()
            .withNewMetadata()
            .withNamespace("db")
            .withName("pem")
            .endMetadata()
            .withNewSpec()
            .withHolderIdentity("another")
            .withLeaseDurationSeconds(3600)
            .withRenewTime(ZonedDateTime.now())
            .endSpec()
            .build());
    once("another process holds the Lease of LEASE_NAME");
    run("the same", new Invocation(Mode.ONCE, true, null, false));
    recording.check();
  }

  /** The number of reads depends on the machine, so only the writes are recorded. */
  @Test
  void continuous() {
    begin("continuous", unchanging);
    api.clearRequests();
    Run run = new Run(cluster, api).in(home());
    settings.forEach(run::with);
    try (LogLines lines = new LogLines()) {
      List<ApiRequest> written = repairs(run.with("PROBE_INTERVAL", "100ms"));
      recording.add(
          "somebody changes, then deletes, then withdraws a right and changes: no argument",
          run.exitCode(),
          written,
          lines.all(),
          run.out());
    }
    recording.check();
  }

  private List<ApiRequest> repairs(Run run) {
    try (run) {
      run.start(Mode.CONTINUOUS);
      untilWritten(2);
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
      untilWritten(3);
      api.deleteEndpoints("pg-ro");
      untilWritten(4);
      List<ApiRequest> written = api.writes();
      api.deny("patch", "endpoints", "pg-rw");
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
      until(() -> !run.logged("ERROR ").isEmpty());
      api.heal();
      until(() -> !run.logged("INFO over: ").isEmpty());
      return written;
    }
  }

  private void untilWritten(int times) {
    until(() -> api.writes().size() >= times);
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(20)).until(condition);
  }

  /** Starts a primary and two standbys. Without autovacuum they write no WAL by themselves. */
  private static PostgresCluster start() throws SQLException {
    PostgresCluster started =
        PostgresCluster.start(new PostgresCluster.Options().settings("autovacuum = off"));
    started.waitUntilStreaming();
    return started;
  }

  /** Starts the same cluster, in which the program has every right that it can use. */
  private static PostgresCluster startWithEveryRight() throws SQLException {
    PostgresCluster started = start();
    PostgresServer primary = started.primary();
    primary.sql("GRANT pg_monitor TO " + PostgresCluster.USER);
    primary.sql("ALTER ROLE " + PostgresCluster.USER + " REPLICATION");
    primary.sql(
        "GRANT EXECUTE ON FUNCTION pg_read_file(text, bigint, bigint, boolean) TO "
            + PostgresCluster.USER);
    started.waitUntilReplayed();
    return started;
  }

  private void begin(String name, PostgresCluster used) {
    cluster = used;
    recording = new Recording(name, new Replacements(used.port(), api.port()));
  }

  private void set(String name, String value) {
    settings.put(name, value);
  }

  private void publish() {
    once("nothing is published");
  }

  private void once(String before) {
    run(before, Invocation.of(Mode.ONCE));
  }

  private void overrule(String entry, boolean confirmed) {
    run("the same", new Invocation(Mode.OVERRULE, false, entry, confirmed));
  }

  /**
   * Runs the program to its end and records it.
   *
   * @param before what the run finds
   */
  private void run(String before, Invocation invocation) {
    api.clearRequests();
    try (LogLines lines = new LogLines();
        Run run = new Run(cluster, api).in(home())) {
      settings.forEach(run::with);
      int exitCode = run.start(invocation).exitCode();
      recording.add(
          "%d. %s: %s".formatted(++steps, before, arguments(invocation)),
          exitCode,
          api.requests(),
          lines.all(),
          run.out());
    }
  }

  private static String arguments(Invocation invocation) {
    return switch (invocation.mode()) {
      case CONTINUOUS -> "no argument";
      case ONCE -> invocation.force() ? "--once --force" : "--once";
      case DRY_RUN -> "--dry-run";
      case STATUS -> "status";
      case STATUS_JSON -> "status --output json";
      case OVERRULE -> "overrule " + invocation.entry() + (invocation.confirmed() ? " --yes" : "");
    };
  }
}
