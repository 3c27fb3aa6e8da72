package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --once} against a primary and two standbys that stay as they are. */
@ManagerTest(cluster = ManagerTest.Cluster.SHARED)
class OnceIT {
  private final PostgresCluster cluster;
  private final FakeApiServer api;

  OnceIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void createsBothEndpointsThenLeavesThemAlone() {
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
    }

    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));
    Map<String, String> annotations = api.endpoints("pg-rw").getMetadata().getAnnotations();
    assertEquals(
        "primary:127.0.0.1;standbys:127.0.0.2,127.0.0.3",
        annotations.get(Annotations.LAST_TOPOLOGY));
    assertEquals("127.0.0.1,127.0.0.2,127.0.0.3", annotations.get(Annotations.NODES));
    assertEquals(
        annotations.get(Annotations.LAST_TOPOLOGY),
        api.endpoints("pg-ro").getMetadata().getAnnotations().get(Annotations.LAST_TOPOLOGY));

    api.clearRequests();
    try (Run again = run()) {
      assertEquals(0, again.once());
      assertEquals(List.of(), api.writes());
    }
  }

  @Test
  void repairsWhatOthersChangedAndKeepsWhatIsTheirs() {
    runOnce();
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
    api.deleteEndpoints("pg-ro");

    assertEquals(0, runOnce());

    Endpoints repaired = api.endpoints("pg-rw");
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals("blue", repaired.getMetadata().getLabels().get("team"));
    assertEquals("x-1", repaired.getMetadata().getAnnotations().get("helm.sh/chart"));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));
  }

  @Test
  void writesAgainOnlyWhatDiffers() {
    runOnce();
    String untouched = api.endpoints("pg-rw").getMetadata().getResourceVersion();
    api.editEndpoints("pg-ro", EndpointsBuilder::withSubsets);

    assertEquals(0, runOnce());

    assertEquals(untouched, api.endpoints("pg-rw").getMetadata().getResourceVersion());
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));
  }

  @Test
  void takesOverEndpointsAndNodesOfOriginal() {
    for (String name : List.of("pg-rw", "pg-ro")) {
      api.put(
          new EndpointsBuilder()
              .withNewMetadata()
              .withNamespace("db")
              .withName(name)
              .addToAnnotations(
                  Annotations.LAST_TOPOLOGY, "primary:127.0.0.3;standbys:127.0.0.1,127.0.0.2")
              .endMetadata()
              .build());
    }

    try (Run run = new Run(api).with("PGPORT", String.valueOf(cluster.port()))) {
      assertEquals(0, run.once(), run.log().toString());
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));
  }

  @Test
  void endsWithUsageWhenNoNodeIsKnown() {
    try (Run run = new Run(api)) {
      assertEquals(2, run.once());
      assertEquals(1, run.logged("ERROR PG_NODES is not set").size(), run.log().toString());
    }
  }

  @Test
  void takesOneServerUnderSeveralNamesForOne() {
    try (Run run = run().with("PG_NODES", "127.0.0.1,localhost,127.0.0.2,127.0.0.3")) {
      assertEquals(0, run.once(), run.log().toString());
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
  }

  @Test
  void publishesOtherPortsAsSubsetsOfTheirOwn() {
    String ports =
        cluster.servers().stream()
            .map(PostgresServer::host)
            .map(host -> host + ":" + cluster.port())
            .reduce((a, b) -> a + "," + b)
            .orElseThrow();
    try (Run run = run().with("PGPORT", "5432").with("PG_NODES", ports)) {
      assertEquals(0, run.once(), run.log().toString());
    }
    assertEquals(
        cluster.port(), api.endpoints("pg-rw").getSubsets().get(0).getPorts().get(0).getPort());
    assertEquals(
        "primary:127.0.0.1:%1$d;standbys:127.0.0.2:%1$d,127.0.0.3:%1$d".formatted(cluster.port()),
        api.endpoints("pg-rw").getMetadata().getAnnotations().get(Annotations.LAST_TOPOLOGY));
  }

  @Test
  void showsADryRunAndWritesNothing() {
    try (Run run = run()) {
      run.start(Mode.DRY_RUN);
      assertEquals(0, run.exitCode());
      assertTrue(run.out().contains("Endpoints pg-rw (to be created)"), run.out());
      assertTrue(run.out().contains("+ 127.0.0.1:" + cluster.port() + " (postgresql)"), run.out());
    }
    assertEquals(List.of(), api.writes());
    assertNull(api.endpoints("pg-rw"));
  }

  @Test
  void probesAfreshWhenARivalPublishedMeanwhile() {
    runOnce();
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    AtomicBoolean once = new AtomicBoolean();
    api.beforeNext(
        "PATCH",
        "endpoints",
        () -> {
          once.set(true);
          api.editEndpoints(
              "pg-rw",
              endpoints ->
                  endpoints
                      .editMetadata()
                      .addToAnnotations(Annotations.LAST_UPDATE, "by a rival")
                      .endMetadata());
        });
    api.clearRequests();

    assertEquals(0, runOnce());

    assertTrue(once.get());
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(
        2, api.writes().size(), "one was refused, then one of a fresh cycle: " + api.writes());
    assertEquals(
        2,
        api.calls().stream()
            .filter(call -> call.equals("GET /api/v1/namespaces/db/endpoints/pg-rw"))
            .count(),
        api.calls().toString());
  }

  @Test
  void reportsThatARivalDoesNotStopWriting() {
    runOnce();
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    rivalBeforeEachPatch(0);

    try (Run run = run()) {
      assertEquals(3, run.once(), run.log().toString());
      assertEquals(
          List.of(
              "ERROR endpoints pg-rw was changed while the nodes were probed, 4 times in a row"),
          run.logged("ERROR "));
    }
  }

  private void rivalBeforeEachPatch(int number) {
    api.beforeNext(
        "PATCH",
        "endpoints",
        () -> {
          rivalBeforeEachPatch(number + 1);
          api.editEndpoints(
              "pg-rw",
              endpoints ->
                  endpoints
                      .editMetadata()
                      .addToAnnotations(Annotations.LAST_UPDATE, "rival " + number)
                      .endMetadata());
        });
  }

  @Test
  void retriesWriteIfOnlyOtherFieldsChanged() {
    runOnce();
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    api.beforeNext(
        "PATCH",
        "endpoints",
        () ->
            api.editEndpoints(
                "pg-rw",
                endpoints -> endpoints.editMetadata().addToLabels("team", "red").endMetadata()));

    assertEquals(0, runOnce());

    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals("red", api.endpoints("pg-rw").getMetadata().getLabels().get("team"));
  }

  @Test
  void writesReadOnlyLaterWhenItsWriteFailed() {
    runOnce();
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
    api.editEndpoints("pg-ro", EndpointsBuilder::withSubsets);
    api.deny("patch", "endpoints", "pg-ro");

    try (Run run = run()) {
      assertEquals(3, run.once(), run.log().toString());
      assertEquals(1, run.logged("cannot patch resource \"endpoints\"").size());
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(List.of(), api.addresses("pg-ro"));

    api.heal();
    assertEquals(0, runOnce());
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 500, 503})
  void triesAgainWhenTheApiIsBusy(int code) {
    api.fail(2, code);

    assertEquals(0, runOnce());
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
  }

  @Test
  void reportsWhichRightIsMissing() {
    api.deny("get", "endpoints");
    try (Run run = run()) {
      assertEquals(3, run.once());
      assertEquals(1, run.logged("cannot get resource \"endpoints\"").size(), run.log().toString());
    }
  }

  @Test
  void reportsAMissingServiceAndServesTheOther() {
    api.delete(Service.class, "db", "pg-rw");
    try (Run run = run()) {
      assertEquals(3, run.once());
      assertEquals(
          1,
          run.logged("ERROR Service pg-rw does not exist in namespace db").size(),
          run.log().toString());
    }
    assertNull(api.endpoints("pg-rw"));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));
  }

  @Test
  void leavesAServiceWithASelectorAlone() {
    api.put(api.service("pg-rw").edit().editSpec().addToSelector("app", "x").endSpec().build());
    try (Run run = run()) {
      assertEquals(3, run.once());
      assertEquals(1, run.logged("Service pg-rw has a selector").size(), run.log().toString());
    }
    assertNull(api.endpoints("pg-rw"));
  }

  @Test
  void worksWithoutTheRightToLookAtServices() {
    api.deny("get", "services");
    try (Run run = run()) {
      assertEquals(0, run.once());
      assertEquals(1, run.logged("WARN the Role does not grant get on services").size());
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
  }

  @Test
  void warnsOfAPortByAnotherName() {
    try (Run run = run().with("PORT_NAME", "pg")) {
      assertEquals(0, run.once());
      assertEquals(2, run.logged("names its port 'postgresql'").size(), run.log().toString());
    }
  }

  @Test
  void namesTheServerThatCannotBeReached() {
    api.stop();
    try (Run run = run().with("KUBERNETES_TIMEOUT", "200ms")) {
      assertEquals(3, run.once());
      assertEquals(
          1,
          run.logged("the Kubernetes API at 127.0.0.1:" + api.port() + " cannot be reached").size(),
          run.log().toString());
    }
  }

  @Test
  void givesUpOnASilentApiWithinFifteenSeconds() {
    api.hang();
    long start = System.nanoTime();
    try (Run run = run()) {
      assertEquals(3, run.once(), run.log().toString());
    }
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    assertTrue(took.compareTo(Duration.ofSeconds(18)) < 0, took.toString());
  }

  private Run run() {
    return new Run(cluster, api);
  }

  private int runOnce() {
    try (Run run = run()) {
      return run.once();
    }
  }
}
