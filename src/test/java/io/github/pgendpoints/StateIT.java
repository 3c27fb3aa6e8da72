package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.sql.SQLException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What STATE keeps beyond the end of a process, and of a term of leadership. */
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class StateIT {
  private final FakeApiServer api;
  private final PostgresCluster cluster;
  private PostgresServer first;
  private PostgresServer third;

  StateIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @BeforeEach
  void startACluster() throws SQLException {
    first = cluster.servers().get(0);
    third = cluster.servers().get(2);
  }

  private Run run() {
    return new Run(cluster, api)
        .with("STATE", "state")
        .with("PROBE_INTERVAL", "200ms")
        .with("PGCONNECT_TIMEOUT", "10")
        .with("TCP_CONNECT_TIMEOUT", "5");
  }

  private Run once(int exitCode) {
    try (Run run = run()) {
      assertEquals(exitCode, run.once(), run.log().toString());
      return run;
    }
  }

  private String readWrite() {
    Endpoints endpoints = api.endpoints("pg-rw");
    return endpoints == null
        ? "none"
        : endpoints.getSubsets().stream()
            .flatMap(subset -> subset.getAddresses().stream())
            .map(EndpointAddress::getIp)
            .collect(Collectors.joining(","));
  }

  private String state() {
    ConfigMap map = api.get(ConfigMap.class, "db", "state");
    return map == null ? "" : map.getData().get("pg-rw");
  }

  private void put(String state) {
    api.put(
        new ConfigMapBuilder(api.get(ConfigMap.class, "db", "state"))
            .withData(Map.of("pg-rw", state))
            .build());
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).until(condition);
  }

  @Test
  void onceKnowsSplitBrainOfPreviousRun() throws SQLException {
    once(0);
    third.promote();
    once(1);
    assertTrue(state().contains("\"rivals\":[{"), state());
    first.stopImmediately();

    Run after = once(1);

    assertEquals("127.0.0.1", readWrite());
    assertFalse(after.logged("ERROR rival primary unaccounted for").isEmpty(), "" + after.log());
  }

  @Test
  void nextLeaderKnowsTheSplitBrain() throws SQLException {
    Run leader = run().with("LEASE_NAME", "pem").start(Mode.CONTINUOUS);
    Run follower = null;
    try {
      until(() -> readWrite().equals("127.0.0.1"));
      follower = run().with("LEASE_NAME", "pem").start(Mode.CONTINUOUS);
      third.promote();
      until(() -> state().contains("\"rivals\":[{"));

      leader.close();
      first.stopImmediately();

      Run other = follower;
      until(() -> !other.logged("ERROR rival primary unaccounted for").isEmpty());
      assertEquals("127.0.0.1", readWrite());
    } finally {
      leader.close();
      if (follower != null) {
        follower.close();
      }
    }
  }

  @Test
  void deletedObjectsDoNotRestoreOldPrimary() throws SQLException {
    once(0);
    first.stopImmediately();
    third.promote();
    once(0);
    third.stopImmediately();
    first.start();
    api.deleteEndpoints("pg-rw");
    api.deleteEndpoints("pg-ro");

    once(1);

    assertEquals("none", readWrite());
  }

  @Test
  void isWrittenOnChangeUnlessDryRunOrStatus() throws SQLException {
    once(0);
    third.promote();
    String before = state();
    for (Mode mode : List.of(Mode.DRY_RUN, Mode.STATUS)) {
      try (Run run = run()) {
        run.start(mode).exitCode();
      }
      assertEquals(before, state());
    }
    api.editEndpoints(
        "pg-rw",
        endpoints ->
            endpoints.editMetadata().addToAnnotations(Annotations.PAUSED, "true").endMetadata());
    once(1);
    assertTrue(state().contains("\"rivals\":[{"), state());
    String paused = state();
    once(1);
    assertEquals(paused, state());
  }

  @Test
  void unreadableStateRefusesWithRemedy() {
    once(0);
    put("{");

    Run run = once(1);

    assertEquals(
        1,
        run.logged(
                "ERROR unreadable state, nothing is written: STATE: ConfigMap state has a key pg-rw that cannot be read, it is not JSON; to replace it: postgres-endpoint-manager overrule")
            .size(),
        run.log().toString());
    try (Run person = run()) {
      assertEquals(0, person.overrule(null, true), person.log().toString());
    }
    once(0);
  }

  /** A run that is killed after its write leaves the earlier conditions in STATE. */
  @Test
  void reportsOnceThePrimaryThatAKilledRunPublished() throws SQLException {
    onceWithEvents(0);
    first.stopImmediately();
    onceWithEvents(1);
    String before = state();
    third.promote();
    once(0);
    assertEquals("127.0.0.3", readWrite());
    String key = "\"conditions\":";
    put(state().substring(0, state().indexOf(key)) + before.substring(before.indexOf(key)));

    onceWithEvents(0);
    onceWithEvents(0);

    assertEquals(
        1,
        api.requests().stream()
            .filter(request -> request.body().contains("\"reason\":\"PrimaryChanged\""))
            .count());
  }

  private void onceWithEvents(int exitCode) {
    try (Run run = run().with("ALERT_SINKS", "events")) {
      assertEquals(exitCode, run.once(), run.log().toString());
    }
  }

  @Test
  void withoutTheRightItIsAsWithoutState() throws SQLException {
    api.deny("get", "configmaps");
    Run run = once(0);
    assertEquals("127.0.0.1", readWrite());
    assertEquals(
        1,
        run.logged("WARN the Role does not grant get, patch, create on configmaps state").size(),
        run.log().toString());
    api.heal();
    api.fail(1000, 500, "GET", "configmaps");
    Run refused = once(1);
    assertEquals(
        1,
        refused
            .logged("ERROR unreadable state, nothing is written: STATE state cannot be read")
            .size(),
        refused.log().toString());
  }

  /** A --once run writes STATE in between: its content applies, and the cycle decides again. */
  @Test
  void twoProcessesDoNotForgetWhatTheOtherSaw() throws SQLException {
    try (Run manager = run().start(Mode.CONTINUOUS)) {
      until(() -> state().contains("127.0.0.1") && api.endpoints("pg-ro") != null);
      once(0);
      third.promote();
      until(() -> state().contains("\"rivals\":[{"));
      once(1);
      until(() -> !manager.logged("ERROR multiple primaries, nothing is written").isEmpty());
      assertTrue(state().contains("\"rivals\":[{"), state());
      assertTrue(manager.logged("STATE").isEmpty(), manager.log().toString());
    }
  }

  @Test
  void onceWritesNothingWithoutTheLease() {
    api.put(
        new LeaseBuilder()
            .withNewMetadata()
            .withName("pem")
            .withNamespace("db")
            .endMetadata()
            .withNewSpec()
            .withHolderIdentity("pod-1_ab")
            .withLeaseDurationSeconds(6)
            .withRenewTime(ZonedDateTime.now())
            .endSpec()
            .build());
    try (Run run = run().with("LEASE_NAME", "pem")) {
      assertEquals(1, run.once());
      assertEquals(
          List.of(
              "ERROR Lease pem is held by pod-1_ab, which writes: --once writes nothing until that process has ended; --force writes anyway"),
          run.log());
    }
    assertEquals("none", readWrite());
    try (Run run = run().with("LEASE_NAME", "pem")) {
      assertEquals(0, run.start(new Invocation(Mode.ONCE, true, null, false)).exitCode());
    }
    assertEquals("127.0.0.1", readWrite());
    try (Run run = run().with("LEASE_NAME", "pem")) {
      assertEquals(0, run.start(Mode.DRY_RUN).exitCode(), "a dry run is not concerned");
    }
    assertEquals("pod-1_ab", api.get(Lease.class, "db", "pem").getSpec().getHolderIdentity());
  }
}
