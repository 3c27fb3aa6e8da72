package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RawFault;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The real routes with an API server that misbehaves in every known way. */
@ManagerTest(cluster = ManagerTest.Cluster.SHARED, tls = true)
class UnreliableApiIT {
  private static final int FOR_EVER = 10_000;
  private static final String RO = "PATCH /api/v1/namespaces/db/endpoints/pg-ro";

  /** The limit for the API work of a cycle, plus extra time for a loaded machine. */
  private static final Duration BOUND = Duration.ofSeconds(15 + 10);

  private final PostgresCluster cluster;
  private final FakeApiServer api;

  UnreliableApiIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  /** Creates both Endpoints without addresses, so that a cycle has something to write. */
  @BeforeEach
  void createObjects() {
    for (String name : List.of("pg-rw", "pg-ro")) {
      api.put(
          new EndpointsBuilder()
              .withNewMetadata()
              .withNamespace("db")
              .withName(name)
              .endMetadata()
              .build());
    }
  }

  /** Faults of the whole API, each with a part of the one line that is logged. */
  static Stream<Arguments> lasting() {
    return Stream.of(
        fault("stopped", "cannot be reached: Connection refused", FakeApiServer::stop),
        fault("silent", "no answer within 2 s", FakeApiServer::hang),
        raw("dripping", "no answer within 2 s", RawFault.drip()),
        raw("cut", "closed the connection before the end of its response", RawFault.cut()),
        raw("hung up", "closed the connection before the end of its response", RawFault.hangUp()),
        raw("flood", "an answer of more than 4 MiB", RawFault.flood()),
        raw(
            "a page",
            "other than the requested Kubernetes object",
            RawFault.body(200, "<html>Sign in</html>")),
        raw("an empty page", "the answer is not Endpoints pg-rw", RawFault.body(200, "")),
        raw(
            "another object",
            "the answer is not Endpoints pg-rw",
            RawFault.body(200, "{\"kind\": \"Pod\", \"metadata\": {\"name\": \"pg-rw\"}}")),
        raw(
            "a proxy's 404",
            "refused the request (404)",
            RawFault.body(404, "<html>Not here</html>")),
        raw(
            "binary",
            "refused the request (500): [2Jxxx",
            RawFault.body(500, "{\"message\": \"\\u0007\\u001b[2J" + "x".repeat(99_999) + "\"}")),
        fault("401", "does not accept our token (401)", api -> api.fail(FOR_EVER, 401)),
        fault("403", "resourceNames [pg-rw], verbs [get]", api -> api.deny("get", "endpoints")),
        fault("429", "refused the request (429)", api -> api.fail(FOR_EVER, 429)),
        fault(
            "429, later",
            "refused the request (429)",
            api -> api.failWithRetryAfter(FOR_EVER, 429, 3600)),
        fault("500", "refused the request (500)", api -> api.fail(FOR_EVER, 500)),
        fault("503", "refused the request (503)", api -> api.fail(FOR_EVER, 503)));
  }

  private static Arguments fault(String what, String says, Consumer<FakeApiServer> order) {
    return Arguments.of(what, says, order);
  }

  private static Arguments raw(String what, String says, RawFault fault) {
    return fault(what, says, api -> api.misbehave(FOR_EVER, fault));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("lasting")
  void reportsItOnceAndEndsInTime(String what, String says, Consumer<FakeApiServer> order) {
    try (Run run = run()) {
      order.accept(api);
      long start = System.nanoTime();

      assertEquals(3, run.once(), run.log().toString());

      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertTrue(took.compareTo(BOUND) < 0, took.toString());
      assertEquals(1, run.logged("ERROR").size(), run.log().toString());
      String line = run.logged("ERROR").get(0);
      assertTrue(line.contains(says), line);
      assertTrue(line.length() < 500 && line.indexOf('\n') < 0, line);
      assertEquals(List.of(), api.addresses("pg-rw"));
    }
  }

  /** Temporary faults: the cycle in which they occur still succeeds. */
  static Stream<Arguments> passing() {
    return Stream.of(
        fault("silent", "", api -> api.misbehave(1, client -> Thread.sleep(60_000))),
        brief("dripping", RawFault.drip()),
        brief("cut", RawFault.cut()),
        brief("a page", RawFault.body(200, "<html>Sign in</html>")),
        brief("502", RawFault.body(502, "<html>Oh</html>")),
        fault("429", "", api -> api.failWithRetryAfter(2, 429, 1)),
        fault("500", "", api -> api.fail(2, 500)),
        fault("503", "", api -> api.fail(2, 503)),
        fault("cut in the write", "", api -> api.misbehave(1, RawFault.cut(), "PATCH ")),
        fault("409 once", "", api -> api.fail(1, 409, "PATCH", "endpoints")));
  }

  private static Arguments brief(String what, RawFault fault) {
    return fault(what, "", api -> api.misbehave(1, fault));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("passing")
  void recoversFromATransientFault(String what, String none, Consumer<FakeApiServer> order) {
    order.accept(api);
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
      assertEquals(List.of(), run.logged("ERROR"));
    }
    assertWritten();
  }

  @Test
  void waitsAsLongAsTheApiAsks() {
    api.failWithRetryAfter(1, 429, 3);
    long start = System.nanoTime();
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
    }
    assertTrue(Duration.ofNanos(System.nanoTime() - start).compareTo(Duration.ofSeconds(3)) >= 0);
  }

  /** Faults of one object: the other object is still written. */
  static Stream<Arguments> ofReadOnly() {
    return Stream.of(
        fault(
            "cut",
            "before the end of its response",
            api -> api.misbehave(FOR_EVER, RawFault.cut(), RO)),
        fault("drip", "no answer within", api -> api.misbehave(FOR_EVER, RawFault.drip(), RO)),
        fault("500", "(500)", api -> api.misbehave(FOR_EVER, RawFault.body(500, "Oh"), RO)),
        fault("422", "(422)", api -> api.misbehave(FOR_EVER, RawFault.body(422, "No"), RO)),
        fault(
            "403",
            "resourceNames [pg-ro], verbs [patch]",
            api -> api.deny("patch", "endpoints", "pg-ro")),
        fault(
            "garbage",
            "other than the requested Kubernetes object",
            api -> api.misbehave(FOR_EVER, RawFault.body(200, "x"), RO)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("ofReadOnly")
  void writesReadWriteThoughReadOnlyCannotBe(
      String what, String says, Consumer<FakeApiServer> order) {
    order.accept(api);
    try (Run run = run()) {
      assertEquals(3, run.once(), run.log().toString());
      assertEquals(1, run.logged("ERROR").size(), run.log().toString());
      assertEquals(1, run.logged(says).size(), run.log().toString());
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));

    api.heal();
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
    }
    assertWritten();
  }

  @Test
  void goesOnCycleByCycleUntilTheApiIsBack() {
    try (Run run = run().with("PROBE_INTERVAL", "100ms").with("KUBERNETES_TIMEOUT", "500ms")) {
      run.start(Mode.CONTINUOUS);
      await().atMost(Duration.ofSeconds(30)).until(() -> api.addresses("pg-ro").size() == 2);
      for (RawFault fault :
          List.of(RawFault.cut(), RawFault.drip(), RawFault.body(200, "<html>"))) {
        int errors = run.logged("ERROR").size();
        int over = run.logged("INFO over: ").size();
        api.misbehave(FOR_EVER, fault);
        await()
            .atMost(Duration.ofSeconds(40))
            .until(() -> run.logged("ERROR").size() == errors + 1);
        api.heal().editEndpoints("pg-rw", EndpointsBuilder::withSubsets);
        await()
            .atMost(Duration.ofSeconds(40))
            .until(() -> run.logged("INFO over: ").size() == over + 1);
        await().until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));
      }
      assertEquals(3, run.logged("ERROR").size(), "said once each: " + run.log());
    }
  }

  @Test
  void startsWithoutTheApiAndBeginsWhenItComes() {
    api.stop();
    try (Run run = run().with("PROBE_INTERVAL", "100ms")) {
      run.start(Mode.CONTINUOUS);
      await()
          .atMost(Duration.ofSeconds(40))
          .until(() -> run.logged("Connection refused").size() == 1);
      api.start();
      await().atMost(Duration.ofSeconds(40)).until(() -> api.addresses("pg-ro").size() == 2);
    }
    assertWritten();
  }

  private Run run() {
    return new Run(cluster, api).with("KUBERNETES_TIMEOUT", "2s");
  }

  private void assertWritten() {
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("pg-ro"));
  }
}
