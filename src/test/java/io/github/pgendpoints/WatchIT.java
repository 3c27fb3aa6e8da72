package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.CycleCount;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RawFault;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A watch keeps the Endpoints known. They are read whenever the watch may be unreliable. */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.SHARED)
class WatchIT {
  private final PostgresCluster cluster;
  private final FakeApiServer api;
  private final CycleCount cycles = new CycleCount();

  WatchIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void readsNothingWhileNothingChanges() {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      untilWatched(run);

      untilCycles(20);

      List<String> calls = api.calls();
      assertEquals(
          List.of(), calls.stream().filter(call -> !call.contains("/endpointslices?")).toList());
      assertTrue(
          calls.size() <= 2, () -> "what clients see, a few seconds after a write: " + calls);
      assertEquals(List.of(), warnings(run));
    }
  }

  @Test
  void repairsAtOnceWhatOthersChange() {
    try (Run run = run().with("PROBE_INTERVAL", "10s").start(Mode.CONTINUOUS)) {
      untilWatched(run);

      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
      soon(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));
      api.deleteEndpoints("pg-ro");
      soon(() -> api.addresses("pg-ro").size() == 2);
      api.editEndpoints(
          "pg-rw", endpoints -> endpoints.editMetadata().addToAnnotations("a", "b").endMetadata());
      soon(() -> reads("pg-rw") == 2);
      assertEquals(2, api.writes().size(), "both repairs");
    }
  }

  @Test
  void knowsWhatItHasWrittenItself() {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      untilWatched(run);
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
      soon(() -> run.logged("pg-rw now has 127.0.0.1").size() == 1);
      int reads = reads("pg-rw");
      untilCycles(5);

      assertEquals(reads, reads("pg-rw"), "read again after its own write: " + api.calls());
      assertEquals(1, run.logged("pg-rw now has").size());
    }
  }

  @Test
  void watchesAgainWhatTheServerHasEnded() {
    try (Run run = run().with("PROBE_INTERVAL", "10s").start(Mode.CONTINUOUS)) {
      for (int i = 0; i < 2; i++) {
        untilWatched(run);
        if (i == 0) {
          api.endWatches();
        } else {
          api.expireWatches();
        }
        soon(() -> api.watches() >= 4);

        api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
        soon(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));
      }
      assertEquals(List.of(), warnings(run));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"list", "watch"})
  void readsInEachCycleWhatItMayNotWatch(String verb) {
    api.deny(verb, "endpoints");
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("pg-ro created").size() == 1);
      api.clearRequests();
      int before = cycles.ended();
      untilCycles(20);

      assertTrue(reads("pg-rw") >= cycles.ended() - before - 1, api.calls().toString());
      assertEquals(
          List.of(
              "WARN the Role does not grant list, watch on endpoints pg-rw, pg-ro: changes by other"
                  + " writers are found at the next read, not immediately; add to the Role: apiGroups [\"\"], resources [endpoints], resourceNames"
                  + " [pg-rw, pg-ro], verbs [list, watch]"),
          warnings(run));
    }
  }

  // --- slices -----------------------------------------------------------------------------------

  @Test
  void repairsASliceLongBeforeTheNextCycleIsDue() {
    try (Run run =
        run()
            .with("PUBLISH", "endpointslices")
            .with("PROBE_INTERVAL", "10s")
            .start(Mode.CONTINUOUS)) {
      until(() -> api.visible("pg-ro").size() == 2 && api.watches() >= 4);
      untilCycles(1);
      api.put(
          api.get(EndpointSlice.class, "db", "pg-rw-ipv4")
              .edit()
              .editFirstEndpoint()
              .withAddresses("127.0.0.9")
              .endEndpoint()
              .build());
      soon(() -> api.visible("pg-rw").equals(Set.of("127.0.0.1")));
      api.delete(EndpointSlice.class, "db", "pg-ro-ipv4");
      soon(() -> api.visible("pg-ro").size() == 2);
      assertEquals(List.of(), warnings(run));
    }
  }

  @Test
  void listsNoSlicesWhileNothingChanges() {
    try (Run run = run().with("PUBLISH", "endpointslices").start(Mode.CONTINUOUS)) {
      until(() -> api.visible("pg-ro").size() == 2 && api.watches() >= 4);
      untilCycles(20);
      api.clearRequests();
      untilCycles(20);
      assertEquals(List.of(), api.calls());
      assertEquals(List.of(), warnings(run));
    }
  }

  @Test
  void reportsASliceOfAnotherWithinSeconds() {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      untilWatched(run);
      api.put(
          new EndpointSliceBuilder()
              .withNewMetadata()
              .withNamespace("db")
              .withName("other")
              .addToLabels("kubernetes.io/service-name", "pg-ro")
              .endMetadata()
              .withAddressType("IPv4")
              .addNewEndpoint()
              .withAddresses("10.9.9.9")
              .endEndpoint()
              .addNewPort()
              .withName("postgresql")
              .withPort(5432)
              .withProtocol("TCP")
              .endPort()
              .build());
      await()
          .atMost(Duration.ofSeconds(8))
          .until(() -> run.logged("WARN clients of pg-ro see other addresses").size() == 1);
    }
  }

  @Test
  void reportsWhichRightItLacksToWatchSlices() {
    api.deny("watch", "endpointslices");
    try (Run run = run().with("PUBLISH", "endpointslices").start(Mode.CONTINUOUS)) {
      until(() -> api.visible("pg-ro").size() == 2);
      api.clearRequests();
      untilCycles(20);

      assertTrue(api.calls().size() >= 20, api.calls()::toString);
      assertEquals(
          List.of(
              "WARN the Role does not grant list, watch on endpointslices: changes by other"
                  + " writers are found at the next read, not immediately; add to the Role: apiGroups [\"discovery.k8s.io\"], resources [endpointslices],"
                  + " verbs [list, watch]"),
          warnings(run));
    }
  }

  // --- watches that fail ------------------------------------------------------------------------

  /** By the end of the outage, fabric8's informer waits 30 s before its next attempt. */
  @Test
  void watchesSlicesAgainSoonAfterAnOutage() {
    try (Run run = run().with("PUBLISH", "endpointslices").start(Mode.CONTINUOUS)) {
      until(() -> api.visible("pg-ro").size() == 2 && api.watches() >= 4);
      AtomicInteger attempts = new AtomicInteger();
      RawFault unavailable = RawFault.body(503, "<html>");
      api.misbehave(
          100_000,
          client -> {
            attempts.incrementAndGet();
            unavailable.answer(client);
          },
          "GET /apis/discovery.k8s.io/v1/namespaces/db/endpointslices?");
      api.misbehave(100_000, unavailable);
      // The fifth of each of the two watches, after 1, 2, 4, 8, and 16 s.
      await().atMost(Duration.ofSeconds(40)).until(() -> attempts.get() >= 10);
      api.heal();
      untilCycles(20);
      await()
          .atMost(Duration.ofSeconds(10))
          .until(
              () -> {
                api.clearRequests();
                untilCycles(5);
                return api.calls().isEmpty();
              });
      assertEquals(List.of(), warnings(run));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {502, 503})
  void readsInEachCycleWhileWatchesAreBroken(int code) {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      untilWatched(run);
      api.misbehave(10_000, RawFault.body(code, "<html>"), "GET /api/v1/namespaces/db/endpoints?");
      api.clearRequests();
      untilCycles(20);
      assertTrue(reads("pg-rw") >= 10, api.calls().toString());
      until(
          () ->
              run.logged("WARN the Endpoints of pg-rw cannot be watched, so they are read instead")
                      .size()
                  == 1);

      api.heal();
      untilWatched(run);
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
      soon(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));
    }
  }

  @Test
  void noticesThatAConnectionCarriesNothing() {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      untilWatched(run);
      api.silenceConnections();
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);

      // It takes two pings, 10 s apart, or 30 s.
      await()
          .atMost(Duration.ofSeconds(40))
          .until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));
      untilWatched(run);
    }
  }

  @Test
  void readsAgainInTimeWhatAMuteWatchDoesNotTell() {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      untilWatched(run);
      api.muteWatches();
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);

      await()
          .atMost(Duration.ofSeconds(40))
          .until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));
      until(() -> run.logged("the informer of the Endpoints of pg-rw missed a change").size() == 1);
    }
  }

  @Test
  void readsOnceItLeadsAgain() {
    try (Run run = run().with("LEASE_NAME", "pem").start(Mode.CONTINUOUS)) {
      untilWatched(run);
      api.muteWatches();
      api.put(
          new LeaseBuilder(api.get(Lease.class, "db", "pem"))
              .editSpec()
              .withHolderIdentity("another")
              .withRenewTime(ZonedDateTime.now())
              .endSpec()
              .build());
      until(() -> run.logged("INFO this replica no longer leads").size() == 1);
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
      until(() -> run.logged("INFO this replica leads: ").size() == 2);

      // Long before the periodic read, which is due after 30 s.
      await()
          .atMost(Duration.ofSeconds(8))
          .until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));
    }
  }

  /** Returns the warnings, except those about our role, which has LOGIN and nothing else. */
  private static List<String> warnings(Run run) {
    return run.logged("WARN").stream().filter(line -> !line.contains("to our role")).toList();
  }

  private Run run() {
    return new Run(cluster, api).with("PROBE_INTERVAL", "100ms").bind("cycles", cycles);
  }

  /** Waits until the Endpoints are correct and watched, and a cycle reads only the changed ones. */
  private void untilWatched(Run run) {
    until(() -> api.addresses("pg-ro").size() == 2 && api.watches() >= 4);
    until(
        () -> {
          api.clearRequests();
          int before = cycles.ended();
          api.editEndpoints(
              "pg-rw",
              endpoints -> endpoints.editMetadata().addToLabels("n", "" + before).endMetadata());
          await().atMost(Duration.ofSeconds(20)).until(() -> cycles.ended() > before + 1);
          return reads("pg-rw") > 0 && reads("pg-ro") == 0;
        });
    api.clearRequests();
  }

  private void untilCycles(int more) {
    int before = cycles.ended();
    until(() -> cycles.ended() >= before + more);
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).until(condition);
  }

  /** Waits for a condition, for a much shorter time than PROBE_INTERVAL. */
  private static void soon(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(3)).pollInterval(Duration.ofMillis(10)).until(condition);
  }

  private int reads(String name) {
    return (int)
        api.requests().stream()
            .map(ApiRequest::toString)
            .filter(("GET /api/v1/namespaces/db/endpoints/" + name)::equals)
            .count();
  }
}
