package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
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
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The subcommand overrule on real servers, for each refusal that it can end. */
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class OverruleIT {
  private final FakeApiServer api;
  private final PostgresCluster cluster;
  private PostgresServer first;
  private PostgresServer second;
  private PostgresServer third;
  private String publish = "endpoints";

  OverruleIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @BeforeEach
  void startACluster() throws SQLException {
    first = cluster.servers().get(0);
    second = cluster.servers().get(1);
    third = cluster.servers().get(2);
  }

  private Run run() {
    return new Run(cluster, api)
        .with("STATE", "state")
        .with("PUBLISH", publish)
        .with("PGCONNECT_TIMEOUT", "10")
        .with("TCP_CONNECT_TIMEOUT", "5")
        .with("PROBE_INTERVAL", "200ms");
  }

  private void once(int exitCode) {
    try (Run run = run()) {
      assertEquals(exitCode, run.once(), run.log().toString());
    }
  }

  private String shown(String entry, int exitCode) {
    List<String> before = versions();
    try (Run run = run()) {
      assertEquals(exitCode, run.overrule(entry, false), run.log().toString());
      assertEquals(before, versions(), "it writes nothing");
      return run.out() + String.join("\n", run.log());
    }
  }

  private void overrule(String entry) {
    try (Run run = run()) {
      assertEquals(0, run.overrule(entry, true), run.log() + run.out());
    }
  }

  private List<String> versions() {
    return Stream.concat(
            Stream.of("pg-rw", "pg-ro").map(api::endpoints),
            Stream.concat(
                api.list(EndpointSlice.class).stream(), api.list(ConfigMap.class).stream()))
        .map(object -> object == null ? "none" : object.getMetadata().getResourceVersion())
        .toList();
  }

  private String readWrite() {
    if (publish.equals("endpointslices")) {
      return api.list(EndpointSlice.class).stream()
          .filter(slice -> slice.getMetadata().getName().startsWith("pg-rw"))
          .flatMap(slice -> slice.getEndpoints().stream())
          .flatMap(endpoint -> endpoint.getAddresses().stream())
          .collect(Collectors.joining(","));
    }
    Endpoints endpoints = api.endpoints("pg-rw");
    return endpoints == null
        ? "none"
        : endpoints.getSubsets().stream()
            .flatMap(subset -> subset.getAddresses().stream())
            .map(EndpointAddress::getIp)
            .collect(Collectors.joining(","));
  }

  private Map<String, String> annotations(String service) {
    return api.endpoints(service).getMetadata().getAnnotations();
  }

  private long generation() {
    return Long.parseLong(annotations("pg-rw").get(Annotations.GENERATION));
  }

  private String state() {
    return api.get(ConfigMap.class, "db", "state").getData().get("pg-rw");
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).until(condition);
  }

  /** Two standbys were promoted separately, and the published one has stopped. */
  @ParameterizedTest
  @ValueSource(strings = {"endpoints", "endpointslices"})
  void publishesATwin(String form) throws SQLException {
    publish = form;
    once(0);
    first.stopImmediately();
    second.promote();
    once(0);
    third.promote();
    assertEquals(second.timeline(), third.timeline());
    once(1);
    second.stopImmediately();
    once(1);
    assertEquals("127.0.0.2", readWrite());

    String shown = shown(null, 1);
    assertTrue(
        Pattern.compile("^To be published, as generation \\d{10}:$", Pattern.MULTILINE)
            .matcher(shown)
            .find(),
        shown);
    assertTrue(shown.contains("  primary 127.0.0.3 at 127.0.0.3:" + cluster.port()), shown);
    assertTrue(shown.contains("To be forgotten, of generation 0:"), shown);
    assertTrue(shown.contains("  primary 127.0.0.2 at 127.0.0.2:" + cluster.port()), shown);
    assertTrue(shown.contains("was a primary beside another one since "), shown);
    assertTrue(shown.contains("Nothing is written. To write it, add --yes."), shown);

    overrule("127.0.0.3");

    assertEquals("127.0.0.3", readWrite());
    assertTrue(Pattern.compile("\"generation\":\\d{10}\\D").matcher(state()).find(), state());
    assertTrue(state().contains("\"rivals\":[]"), state());
    once(0);
    assertEquals("127.0.0.3", readWrite());
  }

  /** As after pg_upgrade, the system identifier differs. A manager runs at the same time. */
  @Test
  void publishesAnotherClusterBesideARunningManager() throws SQLException {
    try (Run manager = run().start(Mode.CONTINUOUS)) {
      until(() -> readWrite().equals("127.0.0.1") && api.endpoints("pg-ro") != null);
      String before = annotations("pg-rw").get(Annotations.SYSTEM_IDENTIFIER);
      try (PostgresCluster upgraded =
          PostgresCluster.start(
              new PostgresCluster.Options()
                  .standbys(0)
                  .addresses("127.0.0.9")
                  .port(cluster.port()))) {
        first.stopImmediately();
        second.stop();
        third.stop();
        until(() -> !manager.logged("ERROR no primary").isEmpty());
        String nodes = "127.0.0.1,127.0.0.2,127.0.0.3," + upgraded.primary().host();
        try (Run person = run().with("PG_NODES", nodes)) {
          assertEquals(0, person.overrule(null, true), person.log() + person.out());
        }
        assertEquals("127.0.0.9", readWrite());
        assertTrue(!annotations("pg-rw").get(Annotations.SYSTEM_IDENTIFIER).equals(before));
        assertEquals(generation() + "", annotations("pg-ro").get(Annotations.GENERATION));
        try (Run next = run().with("PG_NODES", nodes).start(Mode.CONTINUOUS)) {
          until(() -> !next.logged("topology verified: primary:127.0.0.9").isEmpty());
        }
        assertEquals("127.0.0.9", readWrite());
      }
    }
  }

  /** The published line is lost for good, and the remaining server was never on it. */
  @Test
  void runningManagerKeepsPublishedDeadBranch() throws SQLException {
    once(0);
    first.stopImmediately();
    second.promote();
    once(0);
    second.stopImmediately();
    third.stopImmediately();
    first.start();
    try (Run manager = run().start(Mode.CONTINUOUS)) {
      until(() -> !manager.logged("ERROR no primary").isEmpty());
      assertTrue(
          manager.logged("overrule 127.0.0.1:" + cluster.port()).size() > 0,
          manager.log().toString());
      assertEquals("127.0.0.2", readWrite());

      overrule("127.0.0.1:" + cluster.port());

      assertEquals("127.0.0.1", readWrite());
      until(() -> !manager.logged("topology verified: primary:127.0.0.1").isEmpty());
      assertEquals("127.0.0.1", readWrite());
      assertEquals("1", annotations("pg-rw").get(Annotations.TIMELINE));
      String generation = "\"generation\":" + generation();
      until(() -> state().contains(generation));

      // The former line is now the dead branch: its higher timeline proves nothing.
      second.start();
      until(() -> !manager.logged("127.0.0.2").isEmpty());
      await()
          .during(Duration.ofSeconds(2))
          .atMost(Duration.ofSeconds(10))
          .until(() -> readWrite().equals("127.0.0.1"));
    }
  }

  @Test
  void asksWhichOfSeveralPrimariesAndEndsASplitBrain() throws SQLException {
    once(0);
    third.promote();
    once(1);

    String shown = shown(null, 1);
    assertTrue(
        shown.contains("ERROR overrule: several primaries answer; name the one to publish: "),
        shown);
    shown = shown("db9", 1);
    assertTrue(
        shown.contains(
            "ERROR overrule: db9 names no node that answers as a primary; these do: 127.0.0.1 at 127.0.0.1:"),
        shown);
    shown = shown("127.0.0.2", 1);
    assertTrue(shown.contains("ERROR overrule: 127.0.0.2 names no node"), shown);
    shown = shown("127.0.0.3", 1);
    assertTrue(shown.contains("Accepts writes beside it, and has to be fenced:"), shown);

    overrule("127.0.0.3");
    assertEquals("127.0.0.3", readWrite());
    first.stopImmediately();
    once(0);
    assertEquals("127.0.0.3", readWrite());
  }

  @Test
  void recreatesStateEvenWhilePaused() throws SQLException {
    once(0);
    api.deleteEndpoints("pg-rw");
    api.deleteEndpoints("pg-ro");
    overrule(null);
    assertEquals("127.0.0.1", readWrite());
    assertEquals(null, api.endpoints("pg-ro"));
    long first = generation();
    once(0);

    api.editEndpoints(
        "pg-rw",
        endpoints ->
            endpoints
                .editMetadata()
                .addToAnnotations(Annotations.TIMELINE, "x")
                .addToAnnotations(Annotations.BEGIN, "y")
                .addToAnnotations(Annotations.PAUSED, "true")
                .endMetadata());
    once(1);
    String shown = shown(null, 1);
    assertTrue(shown.contains("has the annotation postgres.discovery/timeline: 'x'"), shown);
    assertTrue(
        shown.contains(
            "The annotation postgres.discovery/paused stays: this change is written anyway"),
        shown);

    overrule(null);

    assertEquals("1", annotations("pg-rw").get(Annotations.TIMELINE));
    assertEquals("true", annotations("pg-rw").get(Annotations.PAUSED));
    assertTrue(generation() > first, generation() + " after " + first);
    once(0);
  }

  @Test
  void reportsWhichRightIsMissing() {
    once(0);
    api.deny("patch", "endpoints", "pg-rw");
    try (Run run = run()) {
      assertEquals(3, run.overrule(null, true), run.log().toString());
      assertEquals(
          1,
          run.logged(
                  "add to the Role: apiGroups [\"\"], resources [endpoints], resourceNames [pg-rw]")
              .size(),
          run.log().toString());
    }
  }

  @Test
  void beginsAnewWhenAManagerWritesMeanwhile() {
    once(0);
    api.beforeNext(
        "PATCH",
        "endpoints",
        () ->
            api.editEndpoints(
                "pg-rw",
                endpoints ->
                    endpoints
                        .editMetadata()
                        .addToAnnotations(Annotations.LAST_UPDATE, "2026-11-28")
                        .endMetadata()));
    try (Run run = run()) {
      assertEquals(0, run.overrule(null, true), run.log().toString());
      assertEquals(2, run.out().split("To be published", -1).length - 1, run.out());
    }
    assertTrue(generation() > 1_700_000_000, "the time is part of it: " + generation());
  }
}
