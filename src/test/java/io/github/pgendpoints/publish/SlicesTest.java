package io.github.pgendpoints.publish;

import static io.github.pgendpoints.topology.Nodes.everyStandby;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.alert.ApiRight;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which EndpointSlices a cycle writes, and what their annotations store. */
class SlicesTest {
  private static final Topology TOPOLOGY =
      topology(
          primary("10.0.0.1", 1),
          standby("10.0.0.9"),
          standby("10.0.0.10"),
          standby("10.0.0.8:5433"),
          standby("[2001:db8::2]:5432"));

  private static final Endpoints HIDDEN =
      new EndpointsBuilder()
          .withNewMetadata()
          .addToLabels("endpointslice.kubernetes.io/skip-mirror", "true")
          .endMetadata()
          .build();

  private static final Endpoints SHOWN =
      new EndpointsBuilder().withNewMetadata().endMetadata().build();

  private long seconds;
  private final ApiRights rights =
      new ApiRights(List.of("pg-rw", "pg-ro"), null, missing -> {}, () -> seconds * 1_000_000_000);
  private final Publisher publisher =
      new Publisher("pg-rw", "pg-ro", "postgresql", 5432, true, Clock.systemUTC());

  @Test
  void makesOneSliceAFamilyAndPort() {
    List<Publication> slices = readOnly(TOPOLOGY, List.of()).slices();

    assertEquals(
        List.of("pg-ro-ipv4", "pg-ro-ipv4-5433", "pg-ro-ipv6"),
        slices.stream().map(Publication::name).toList());
    EndpointSlice desired = (EndpointSlice) slices.get(0).desired();
    desired.getMetadata().setAnnotations(null);
    assertEquals(
        """
        ---
        apiVersion: "discovery.k8s.io/v1"
        kind: "EndpointSlice"
        metadata:
          labels:
            endpointslice.kubernetes.io/managed-by: "postgres-endpoint-manager"
            kubernetes.io/service-name: "pg-ro"
          name: "pg-ro-ipv4"
        addressType: "IPv4"
        endpoints:
        - addresses:
          - "10.0.0.9"
          conditions:
            ready: true
            serving: true
        - addresses:
          - "10.0.0.10"
          conditions:
            ready: true
            serving: true
        ports:
        - name: "postgresql"
          port: 5432
          protocol: "TCP"
        """,
        Serialization.asYaml(desired));
    assertEquals("IPv6", ((EndpointSlice) slices.get(2).desired()).getAddressType());
  }

  @Test
  void keepsACopyOfTheMemoryOnEveryReadOnlySlice() {
    Map<String, String> state = readWrite(TOPOLOGY, List.of()).slices().get(0).state();
    List<Publication> alone =
        readOnly(topology(primary("10.0.0.1", 1)), written(readOnly(TOPOLOGY, List.of()))).slices();

    assertEquals("1", state.get(Annotations.TIMELINE));
    readOnly(TOPOLOGY, List.of()).slices().forEach(ro -> assertEquals(state, ro.state()));
    assertEquals(3, alone.size());
    alone.forEach(ro -> assertEquals("1", ro.state().get(Annotations.TIMELINE), "emptied, too"));
  }

  @Test
  void emptiesTheOldFamilyBeforeItFillsTheNew() {
    List<EndpointSlice> written = written(readWrite(TOPOLOGY, List.of()));
    Plan plan = readWrite(topology(primary("2001:db8::2", 2)), written);

    assertEquals(
        List.of(
            "pg-rw-ipv4 now has no address (was 10.0.0.1:5432 (postgresql))",
            "pg-rw-ipv6 created with [2001:db8::2]:5432 (postgresql)"),
        plan.slices().stream().map(Publication::summary).toList());
    assertEquals(Map.of(), plan.slices().get(0).state());
  }

  @Test
  void detectsEditsOfWrittenSlices() {
    List<EndpointSlice> written = written(readOnly(TOPOLOGY, List.of()));
    assertTrue(readOnly(TOPOLOGY, written).isUnchanged());

    written.get(0).getEndpoints().get(0).getConditions().setReady(false);
    assertFalse(readOnly(TOPOLOGY, written).isUnchanged());
  }

  @Test
  void prefersLatestSliceAndHighestTimeline() {
    List<EndpointSlice> old = written(readWrite(topology(primary("10.0.0.1", 5)), List.of()));
    List<EndpointSlice> slices =
        new ArrayList<>(written(readWrite(topology(primary("2001:db8::2", 6)), old)));
    slices.get(1).getMetadata().getAnnotations().put(Annotations.LAST_UPDATE, "2026-02");
    slices.get(0).getMetadata().setAnnotations(old.get(0).getMetadata().getAnnotations());
    slices.get(0).getMetadata().getAnnotations().put(Annotations.LAST_UPDATE, "2026-01");

    for (List<EndpointSlice> order : List.of(slices, List.of(slices.get(1), slices.get(0)))) {
      var published =
          new StoredTopologyReader(5432, false, warning -> {})
              .published(new ObservedService(null, order), new ObservedService(null, List.of()));
      assertEquals("[2001:db8::2]", published.primary().name());
      assertEquals(6, published.line().timeline());
    }
  }

  @Test
  void reportsHowManyAddressesOneObjectWouldHold() {
    List<NodeState> nodes = new ArrayList<>(List.of(primary("10.0.0.1", 1)));
    IntStream.range(0, 1001)
        .forEach(i -> nodes.add(standby("10.1.%d.%d".formatted(i / 250, i % 250))));
    Topology many = new Topology(nodes, Nodes.AT);

    assertEquals(1001, readOnly(many, List.of()).largest());
    assertEquals(1, readWrite(many, List.of()).largest());
  }

  @Test
  void looksForSlicesUntilThereAreNone() {
    ServiceReader reader = reader(false);
    List<EndpointSlice> ours = written(readOnly(TOPOLOGY, List.of()));

    assertTrue(reader.maySlicesBeThere("pg-ro", SHOWN));
    reader.noted("pg-ro", SHOWN, ours);
    assertTrue(reader.maySlicesBeThere("pg-ro", SHOWN));
    reader.noted("pg-ro", SHOWN, List.of());
    assertFalse(reader.maySlicesBeThere("pg-ro", SHOWN));
    assertTrue(reader.maySlicesBeThere("pg-ro", HIDDEN), "there must be a reason for it");
    assertTrue(reader.maySlicesBeThere("pg-ro", null), "and for that");
    rights.refused(ApiRight.LIST_SLICES);
    assertFalse(reader.maySlicesBeThere("pg-ro", HIDDEN));
    seconds = 30;
    assertTrue(reader.maySlicesBeThere("pg-ro", HIDDEN));
    assertTrue(reader(true).maySlicesBeThere("pg-ro", SHOWN));
  }

  @Test
  void looksForSlicesAgainAfterARefusal() {
    ServiceReader reader = reader(false);
    rights.refused(ApiRight.LIST_SLICES);
    reader.noted("pg-ro", SHOWN, null);

    seconds = 30;

    assertTrue(reader.maySlicesBeThere("pg-ro", SHOWN));
  }

  /** The other replica may have published slices, and deleted the Endpoints. */
  @Test
  void looksForSlicesAgainAfterAnotherReplicaLed() {
    ServiceReader reader = reader(false);
    reader.noted("pg-ro", SHOWN, List.of());
    assertFalse(reader.maySlicesBeThere("pg-ro", SHOWN));

    reader.forget();
    assertTrue(reader.maySlicesBeThere("pg-ro", SHOWN));
    reader.noted("pg-ro", SHOWN, List.of());
    assertFalse(reader.maySlicesBeThere("pg-ro", SHOWN));
  }

  /** Returns a reader without clients: these tests send no requests. */
  private ServiceReader reader(boolean publishSlices) {
    WatchedServices unwatched =
        new WatchedServices(
            null, "db", List.of(), publishSlices, rights, text -> {}, () -> 0, () -> {});
    return new ServiceReader(null, null, unwatched, rights, publishSlices, null);
  }

  /** The API server returns an emptied slice without its lists. */
  @Test
  void readsASliceWithoutLists() {
    EndpointSlice emptied = new EndpointSlice();
    emptied.setMetadata(written(readOnly(TOPOLOGY, List.of())).get(0).getMetadata());
    emptied.setAddressType("IPv4");
    emptied.setEndpoints(null);
    emptied.setPorts(null);
    ObservedService observed = new ObservedService(null, List.of(emptied));

    assertEquals(Set.of(), observed.publishedEndpoints());
    assertEquals(Set.of(), observed.destinations());
    assertFalse(readOnly(TOPOLOGY, List.of(emptied)).isUnchanged());
    Topology alone = new Topology(List.of(primary("10.0.0.1", 1)), Nodes.AT);
    assertEquals(0, readOnly(alone, List.of(emptied)).largest());
  }

  @Test
  void unhidesEndpointsOnlyWithoutSlices() {
    EndpointSlice other =
        new EndpointSliceBuilder().withNewMetadata().withName("x").endMetadata().build();

    assertEquals(
        Collections.singletonMap("endpointslice.kubernetes.io/skip-mirror", null),
        labels(new ObservedService(HIDDEN, List.of())));
    assertEquals(Map.of(), labels(new ObservedService(HIDDEN, List.of(other))));
    assertEquals(Map.of(), labels(new ObservedService(HIDDEN, null)), "nobody looked");
  }

  private Map<String, String> labels(ObservedService observed) {
    return publisher
        .plans(TOPOLOGY, everyStandby(TOPOLOGY), nothingPublished(), observed, observed)
        .get(0)
        .endpoints()
        .labels();
  }

  private Plan readWrite(Topology topology, List<EndpointSlice> slices) {
    ObservedService observed = new ObservedService(null, slices);
    return publisher
        .plans(topology, everyStandby(topology), nothingPublished(), observed, observed)
        .get(0);
  }

  private Plan readOnly(Topology topology, List<EndpointSlice> slices) {
    ObservedService observed = new ObservedService(null, slices);
    return publisher
        .plans(topology, everyStandby(topology), nothingPublished(), observed, observed)
        .get(1);
  }

  private List<EndpointSlice> written(Plan plan) {
    List<EndpointSlice> written = new ArrayList<>();
    for (Publication publication : plan.slices()) {
      EndpointSlice slice = Serialization.clone((EndpointSlice) publication.desired());
      slice
          .getMetadata()
          .setAnnotations(publication.write().object().getMetadata().getAnnotations());
      written.add(slice);
    }
    return written;
  }
}
