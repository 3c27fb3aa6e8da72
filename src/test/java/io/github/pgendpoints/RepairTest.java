package io.github.pgendpoints;

import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.topology.Topology;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The published primary is unreachable, and another writer points the read-write Service at an old
 * primary that accepts writes: a refused cycle resets the Service.
 */
@ManagerTest(loopback = false)
class RepairTest {
  private static final Topology BEFORE = topology(primary("10.0.0.2", 2), standby("10.0.0.3"));
  private static final Topology DEAD = topology(primary("10.0.0.1", 1), standby("10.0.0.3"));

  private final FakeApiServer api;
  private RoutesContext cycles;

  RepairTest(FakeApiServer api) {
    this.api = api;
  }

  @AfterEach
  void stop() {
    cycles.close();
  }

  private void publish(boolean slices) {
    cycles =
        new RoutesContext(api).with("PUBLISH", slices ? "endpointslices" : "endpoints").start();
    assertEquals(0, cycles.run(BEFORE));
    assertEquals(1, cycles.run(DEAD));
    assertEquals("10.0.0.2", address(slices), "left as it is");
  }

  private void point(boolean slices, String address) {
    if (slices) {
      EndpointSlice slice = api.get(EndpointSlice.class, "db", "pg-rw-ipv4");
      api.put(
          new EndpointSliceBuilder(slice)
              .editFirstEndpoint()
              .withAddresses(address)
              .endEndpoint()
              .build());
    } else {
      api.editEndpoints(
          "pg-rw",
          endpoints ->
              endpoints
                  .editFirstSubset()
                  .editFirstAddress()
                  .withIp(address)
                  .endAddress()
                  .endSubset());
    }
  }

  private String address(boolean slices) {
    return slices
        ? api.get(EndpointSlice.class, "db", "pg-rw-ipv4")
            .getEndpoints()
            .get(0)
            .getAddresses()
            .get(0)
        : api.endpoints("pg-rw").getSubsets().get(0).getAddresses().get(0).getIp();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void putsBackWhatWasVerifiedLast(boolean slices) {
    publish(slices);
    point(slices, "10.0.0.1");
    cycles.news();

    assertEquals(1, cycles.run(DEAD));

    assertEquals("10.0.0.2", address(slices));
    List<String> news = cycles.news();
    assertTrue(
        news.contains(
            "pg-rw routes to 10.0.0.1:5432, which is not the published primary: it is reset to 10.0.0.2:5432; to keep a manual change, set PAUSED=true"),
        news.toString());
    api.clearRequests();
    assertEquals(1, cycles.run(DEAD));
    assertEquals(List.of(), api.writes(), "once");
    assertEquals(0, cycles.run(BEFORE), "what is stored has stayed");
    assertEquals(List.of(), api.writes());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void leavesAnAddressThatIsNotProvenWrong(boolean slices) {
    publish(slices);
    point(slices, "10.0.0.9");
    api.clearRequests();

    assertEquals(1, cycles.run(DEAD));

    assertEquals(List.of(), api.writes());
  }

  @Test
  void hidesEndpointsThatCameBackBesideSlices() {
    publish(true);
    api.put(
        new EndpointsBuilder()
            .withNewMetadata()
            .withNamespace("db")
            .withName("pg-rw")
            .endMetadata()
            .addNewSubset()
            .addNewAddress()
            .withIp("10.0.0.1")
            .endAddress()
            .addNewPort()
            .withName("postgresql")
            .withPort(5432)
            .endPort()
            .endSubset()
            .build());

    assertEquals(1, cycles.run(DEAD));

    assertEquals("10.0.0.2", address(true));
    assertEquals("10.0.0.2", address(false));
    assertEquals(
        "true",
        api.endpoints("pg-rw")
            .getMetadata()
            .getLabels()
            .get("endpointslice.kubernetes.io/skip-mirror"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void doesNotMakeAnewWhatSomebodyDeleted(boolean slices) {
    publish(slices);
    api.deleteEndpoints("pg-rw");
    api.list(EndpointSlice.class).stream()
        .map(slice -> slice.getMetadata().getName())
        .filter(name -> name.startsWith("pg-rw"))
        .forEach(name -> api.delete(EndpointSlice.class, "db", name));
    api.clearRequests();

    assertEquals(1, cycles.run(DEAD));

    assertEquals(List.of(), api.writes());
    assertNull(api.endpoints("pg-rw"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"pg-rw", "pg-ro"})
  void writesNothingWhilePausedOnEitherService(String service) {
    publish(false);
    point(false, "10.0.0.1");
    api.editEndpoints(
        service,
        endpoints ->
            endpoints.editMetadata().addToAnnotations(Annotations.PAUSED, "true").endMetadata());
    api.clearRequests();

    assertEquals(1, cycles.run(DEAD));

    assertEquals("10.0.0.1", address(false));
    assertEquals(List.of(), api.writes());
  }

  @Test
  void isReportedOnlyIfItIsDone() {
    publish(false);
    point(false, "10.0.0.1");
    api.deny("patch", "endpoints");
    cycles.news();

    assertEquals(3, cycles.run(DEAD));

    assertEquals("10.0.0.1", address(false));
    List<String> news = cycles.news();
    assertEquals(List.of(), news.stream().filter(line -> line.contains("it is reset to")).toList());
    assertTrue(news.stream().anyMatch(line -> line.contains("403")), news.toString());
  }

  @Test
  void isShownByADryRun() {
    publish(false);
    point(false, "10.0.0.1");
    cycles.close();
    api.clearRequests();
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    cycles = new RoutesContext(api).in(Mode.DRY_RUN).printingTo(new PrintStream(shown)).start();

    assertEquals(1, cycles.run(DEAD));

    assertTrue(shown.toString().contains("+ 10.0.0.2:5432"), shown.toString());
    assertEquals(List.of(), api.writes());
  }
}
