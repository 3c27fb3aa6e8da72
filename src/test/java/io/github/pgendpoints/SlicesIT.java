package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cluster in which one node has an IPv6 address, published in either form. */
@ManagerTest(
    cluster = ManagerTest.Cluster.PER_TEST,
    addresses = {SlicesIT.ONE, SlicesIT.SIX, SlicesIT.THREE},
    mirrorMillis = 5)
class SlicesIT {
  static final String ONE = "127.0.0.1";
  static final String SIX = "::1";
  static final String THREE = "127.0.0.3";

  private final PostgresCluster cluster;
  private final FakeApiServer api;

  SlicesIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @ParameterizedTest
  @ValueSource(strings = {"endpoints", "endpointslices"})
  void followsAFailoverToTheOtherFamilyRunByRun(String form) throws SQLException {
    once(form);
    assertSeen(Set.of(ONE), Set.of(SIX, THREE));
    if (form.equals("endpointslices")) {
      assertEquals(
          Set.of("pg-rw-ipv4", "pg-ro-ipv4", "pg-ro-ipv6"), names(api.list(EndpointSlice.class)));
      assertNull(api.endpoints("pg-rw"));
    }
    api.clearRequests();
    once(form);
    assertEquals(List.of(), api.writes());

    cluster.primary().kill();
    cluster.servers().get(1).promote();
    once(form);
    assertSeen(Set.of(SIX), Set.of(THREE));

    cluster.servers().get(2).kill();
    once(form);
    assertSeen(Set.of(SIX), Set.of());

    // The old primary is back, and the new one is unreachable.
    cluster.servers().get(1).freeze();
    cluster.servers().get(0).start();
    api.clearRequests();
    try (Run run = run(form)) {
      assertEquals(1, run.once());
      assertEquals(
          1, run.logged("ERROR no primary, nothing is written").size(), run.log()::toString);
    }
    assertEquals(List.of(), api.writes());
  }

  @Test
  void keepsSlicesTrueAndCountsAndShowsThem() throws SQLException, IOException {
    int port = Http.freePort();
    try (Run run =
        run("endpointslices")
            .with("PROBE_INTERVAL", "100ms")
            .with("MANAGEMENT_PORT", String.valueOf(port))
            .start(Mode.CONTINUOUS)) {
      until(() -> api.visible("pg-ro").equals(Set.of(SIX, THREE)));

      edit(
          "pg-rw-ipv4",
          slice -> slice.editFirstEndpoint().withAddresses("127.0.0.9").endEndpoint());
      until(() -> api.visible("pg-rw").equals(Set.of(ONE)));
      api.delete(EndpointSlice.class, "db", "pg-ro-ipv6");
      until(() -> api.visible("pg-ro").equals(Set.of(SIX, THREE)));

      cluster.servers().get(2).kill();
      until(() -> api.visible("pg-ro").equals(Set.of(SIX)));
      cluster.primary().kill();
      cluster.servers().get(1).promote();
      until(() -> api.visible("pg-rw").equals(Set.of(SIX)));
      until(() -> api.visible("pg-ro").isEmpty());
      until(() -> value(port, "pgendpoints_service_addresses{service=\"pg-ro\"}") == 0);
      assertEquals(1, value(port, "pgendpoints_service_addresses{service=\"pg-rw\"}"));
      assertTrue(value(port, "pgendpoints_writes_total{service=\"pg-rw\"}") >= 4);
      assertEquals(List.of(), run.logged("cycle failed"));
    }
    assertEquals("2", annotation("pg-rw-ipv6", Annotations.TIMELINE));
    assertEquals("2", annotation("pg-ro-ipv4", Annotations.TIMELINE), "a copy");

    JsonNode status = status(0);
    String primary = "[\"[::1]:%d (postgresql)\"]".formatted(cluster.port());
    assertEquals(primary, status.at("/services/0/desired").toString());
    assertEquals(primary, status.at("/services/0/observed").toString());
    assertTrue(status.at("/services/0/upToDate").asBoolean());
    assertEquals("[\"pg-rw\"]", status.at("/nodes/1/publishedIn").toString());
    assertEquals("[]", status.at("/nodes/0/publishedIn").toString());
  }

  @Test
  void showsWhatASwitchHasYetToDo() throws IOException {
    once("endpoints");
    api.clearRequests();

    JsonNode status = status(0);

    assertTrue(status.at("/services/0/desired").isArray(), status::toString);
    assertEquals(
        status.at("/services/0/desired"), status.at("/services/0/observed"), status::toString);
    assertEquals("false", status.at("/services/0/upToDate").toString());
    assertEquals(List.of(), api.writes());
  }

  @Test
  void reportsRuleNeededToListSlices() {
    api.deny("list", "endpointslices");
    try (Run run = run("endpointslices")) {
      assertEquals(3, run.once());
      assertEquals(
          1,
          run.logged(
                  "add to the Role: apiGroups [\"discovery.k8s.io\"], resources [endpointslices], verbs [list]")
              .size(),
          run.log()::toString);
    }
    assertEquals(List.of(), api.writes());
  }

  private void once(String form) {
    try (Run run = run(form)) {
      assertEquals(0, run.once(), run.log().toString());
    }
    api.awaitMirrors();
  }

  private JsonNode status(int exitCode) throws IOException {
    try (Run run = run("endpointslices")) {
      run.start(Mode.STATUS_JSON);
      assertEquals(exitCode, run.exitCode(), run.log().toString());
      return new ObjectMapper().readTree(run.out());
    }
  }

  private Run run(String form) {
    return new Run(cluster, api).with("PUBLISH", form);
  }

  private void assertSeen(Set<String> readWrite, Set<String> readOnly) {
    assertEquals(readWrite, api.visible("pg-rw"));
    assertEquals(readOnly, api.visible("pg-ro"));
  }

  private void edit(String name, UnaryOperator<EndpointSliceBuilder> change) {
    api.put(
        change.apply(new EndpointSliceBuilder(api.get(EndpointSlice.class, "db", name))).build());
  }

  private String annotation(String slice, String key) {
    return api.get(EndpointSlice.class, "db", slice).getMetadata().getAnnotations().get(key);
  }

  private static Set<String> names(List<EndpointSlice> slices) {
    Set<String> names = new TreeSet<>();
    slices.forEach(slice -> names.add(slice.getMetadata().getName()));
    return names;
  }

  private static double value(int port, String sample) throws IOException {
    return new Http(port)
        .get("/observe/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(sample + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(sample.length() + 1)))
        .findFirst()
        .orElse(Double.NaN);
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50)).until(condition);
  }
}
