package io.github.pgendpoints.publish;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.everyStandby;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Servers;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PublisherTest {
  private static final Topology TOPOLOGY =
      topology(
          standby("10.0.0.10"),
          primary("10.0.0.1", 1),
          standby("10.0.0.9"),
          down("10.0.0.8"),
          standby("10.0.0.7:5433"));

  private final Publisher publisher =
      new Publisher(
          "pg-rw",
          "pg-ro",
          "postgresql",
          5432,
          false,
          Clock.fixed(Instant.parse("2026-11-24T12:34:56.120Z"), ZoneOffset.UTC));

  private final StoredTopologyReader stored = new StoredTopologyReader(5432, false, warning -> {});

  @Test
  void publishesPrimaryAndStandbys() {
    assertEquals(
        """
        ---
        - addresses:
          - ip: "10.0.0.1"
          ports:
          - name: "postgresql"
            port: 5432
            protocol: "TCP"
        """,
        Serialization.asYaml(subsets(readWrite(TOPOLOGY, null))));
    assertEquals(
        """
        ---
        - addresses:
          - ip: "10.0.0.9"
          - ip: "10.0.0.10"
          ports:
          - name: "postgresql"
            port: 5432
            protocol: "TCP"
        - addresses:
          - ip: "10.0.0.7"
          ports:
          - name: "postgresql"
            port: 5433
            protocol: "TCP"
        """,
        Serialization.asYaml(subsets(readOnly(TOPOLOGY, null))));
  }

  @Test
  void writesNoSubsetWithoutAnAddress() {
    assertEquals(List.of(), subsets(readOnly(topology(primary("10.0.0.1", 1)), null)));
  }

  @Test
  void storesTheTopologyAndEveryNodeOnBothObjects() {
    Map<String, String> expected = new HashMap<>();
    // Null removes an annotation that exists.
    expected.put("postgres.discovery/begin", null);
    expected.put("postgres.discovery/generation", null);
    expected.putAll(
        Map.of(
            "postgres.discovery/entries",
            "10.0.0.1:5432",
            "postgres.discovery/started-at",
            "" + Nodes.startedAt("10.0.0.1"),
            "postgres.discovery/last-topology",
            "primary:10.0.0.1;standbys:10.0.0.10,10.0.0.7:5433,10.0.0.9",
            "postgres.discovery/last-update",
            "2026-11-24T12:34:56.120000+00:00",
            "postgres.discovery/nodes",
            "10.0.0.10,10.0.0.1,10.0.0.9,10.0.0.8,10.0.0.7:5433",
            "postgres.discovery/primary",
            "10.0.0.1",
            "postgres.discovery/system-identifier",
            "7000000000000000001",
            "postgres.discovery/timeline",
            "1"));

    assertEquals(expected, annotations(readWrite(TOPOLOGY, null)));
    assertEquals(expected, annotations(readOnly(TOPOLOGY, null)));
  }

  @Test
  void storesTheEntryOfANameWithSeveralServers() {
    Node entry = new Node("db.example.com", 5432, "db.example.com");
    NodeState one = primary("10.0.0.1", 1);
    NodeState other = standby("10.0.0.2");
    Topology topology =
        topology(
            NodeState.answered(entry.at("10.0.0.1"), State.PRIMARY, "10.0.0.1", one.server()),
            NodeState.answered(entry.at("10.0.0.2"), State.STANDBY, "10.0.0.2", other.server()));

    String stored = annotations(readWrite(topology, null)).get(Annotations.NODES);

    assertEquals("db.example.com", stored);
    assertEquals(List.of(entry), NodeList.parse(stored, 5432, false).nodes());
  }

  static Stream<Arguments> differences() {
    return Stream.of(
        difference("nothing", true, endpoints -> endpoints),
        difference(
            "a label and an annotation of others",
            true,
            endpoints ->
                endpoints
                    .edit()
                    .editMetadata()
                    .addToLabels("app", "x")
                    .addToAnnotations("helm.sh/x", "y")
                    .endMetadata()
                    .build()),
        difference(
            "the time of the last write",
            true,
            endpoints -> annotate(endpoints, Annotations.LAST_UPDATE, "yesterday")),
        difference(
            "the order and grouping of addresses",
            true,
            endpoints ->
                endpoints
                    .edit()
                    .withSubsets(
                        endpoints.getSubsets().get(1),
                        withAddress(endpoints.getSubsets().get(0), 1),
                        withAddress(endpoints.getSubsets().get(0), 0))
                    .build()),
        difference(
            "an address",
            false,
            endpoints ->
                endpoints
                    .edit()
                    .editFirstSubset()
                    .editFirstAddress()
                    .withIp("10.0.0.99")
                    .endAddress()
                    .endSubset()
                    .build()),
        difference(
            "one address more",
            false,
            endpoints ->
                endpoints
                    .edit()
                    .editFirstSubset()
                    .addNewAddress()
                    .withIp("10.0.0.99")
                    .endAddress()
                    .endSubset()
                    .build()),
        difference(
            "an address that is not ready",
            false,
            endpoints ->
                endpoints
                    .edit()
                    .editFirstSubset()
                    .addNewNotReadyAddress()
                    .withIp("10.0.0.99")
                    .endNotReadyAddress()
                    .endSubset()
                    .build()),
        difference(
            "a port",
            false,
            endpoints ->
                endpoints
                    .edit()
                    .editFirstSubset()
                    .editFirstPort()
                    .withPort(6432)
                    .endPort()
                    .endSubset()
                    .build()),
        difference(
            "a port's name",
            false,
            endpoints ->
                endpoints
                    .edit()
                    .editFirstSubset()
                    .editFirstPort()
                    .withName(null)
                    .endPort()
                    .endSubset()
                    .build()),
        difference(
            "an address without a port",
            false,
            endpoints ->
                endpoints
                    .edit()
                    .addNewSubset()
                    .addNewAddress()
                    .withIp("10.0.0.99")
                    .endAddress()
                    .endSubset()
                    .build()),
        difference("no subset", false, endpoints -> endpoints.edit().withSubsets().build()),
        difference(
            "the stored topology",
            false,
            endpoints -> annotate(endpoints, Annotations.LAST_TOPOLOGY, "primary:x;standbys:")),
        difference(
            "the order of the stored nodes",
            true,
            endpoints ->
                annotate(
                    endpoints,
                    Annotations.NODES,
                    "10.0.0.1,10.0.0.7:5433,10.0.0.8,10.0.0.9,10.0.0.10")),
        difference(
            "a stored node more",
            false,
            endpoints ->
                annotate(
                    endpoints,
                    Annotations.NODES,
                    "10.0.0.10,10.0.0.1,10.0.0.9,10.0.0.8,10.0.0.7:5433,10.0.0.6")),
        difference(
            "the stored nodes",
            false,
            endpoints ->
                endpoints
                    .edit()
                    .editMetadata()
                    .removeFromAnnotations(Annotations.NODES)
                    .endMetadata()
                    .build()));
  }

  private static Arguments difference(
      String what, boolean unchanged, UnaryOperator<Endpoints> edit) {
    return Arguments.of(what, unchanged, edit);
  }

  private static EndpointSubset withAddress(EndpointSubset subset, int index) {
    return subset.edit().withAddresses(subset.getAddresses().get(index)).build();
  }

  private static Endpoints annotate(Endpoints endpoints, String key, String value) {
    return endpoints.edit().editMetadata().addToAnnotations(key, value).endMetadata().build();
  }

  @ParameterizedTest(name = "{0}: unchanged {1}")
  @MethodSource("differences")
  void comparesAddressesPortsAndStoredTopology(
      String what, boolean unchanged, UnaryOperator<Endpoints> edit) {
    Endpoints edited = edit.apply(written(readOnly(TOPOLOGY, null)));

    assertEquals(unchanged, readOnly(TOPOLOGY, edited).isUnchanged());
  }

  @Test
  void findsMissingEndpointsChanged() {
    Publication publication = readOnly(TOPOLOGY, null);

    assertFalse(publication.isUnchanged());
    assertEquals("createEndpoints", publication.write().operation());
  }

  @Test
  void showsADryRunAsADiff() {
    Endpoints read = written(readWrite(topology(primary("10.0.0.2", 1)), null));

    assertEquals(
        """
        Endpoints pg-rw
        - 10.0.0.2:5432 (postgresql)
        + 10.0.0.1:5432 (postgresql)
        - postgres.discovery/entries: 10.0.0.2:5432
        + postgres.discovery/entries: 10.0.0.1:5432
        - postgres.discovery/last-topology: primary:10.0.0.2;standbys:
        + postgres.discovery/last-topology: primary:10.0.0.1;standbys:
        - postgres.discovery/nodes: 10.0.0.2
        + postgres.discovery/nodes: 10.0.0.1
        - postgres.discovery/primary: 10.0.0.2
        + postgres.discovery/primary: 10.0.0.1
        - postgres.discovery/started-at: %d
        + postgres.discovery/started-at: %d
          postgres.discovery/system-identifier: 7000000000000000001
          postgres.discovery/timeline: 1\
        """
            .formatted(Nodes.startedAt("10.0.0.2"), Nodes.startedAt("10.0.0.1"))
            .lines()
            .toList(),
        readWrite(topology(primary("10.0.0.1", 1)), read).diff().lines().toList());
  }

  /** If a role loses the right to read histories, and gets it back, each change is one write. */
  @Test
  void storesAndDropsTimelineBeginOnce() {
    Topology granted = topology(onTimelineTwo(Set.of(Right.HISTORY)));
    Topology denied = topology(onTimelineTwo(Set.of()));
    Endpoints with = decided(granted, Nodes.nothingPublished(), null);
    assertEquals("0/5000060", ObservedService.annotation(with, Annotations.BEGIN));
    assertTrue(isUnchanged(granted, with));

    assertFalse(isUnchanged(denied, with), "it is dropped");
    Endpoints without = decided(denied, publishedBy(with), with);
    assertNull(ObservedService.annotation(without, Annotations.BEGIN));
    assertTrue(isUnchanged(denied, without), "and not each cycle");

    assertFalse(isUnchanged(granted, without), "it is stored again");
    Endpoints again = decided(granted, publishedBy(without), without);
    assertEquals("0/5000060", ObservedService.annotation(again, Annotations.BEGIN));
    assertTrue(isUnchanged(granted, again));
  }

  private static NodeState onTimelineTwo(Set<Right> rights) {
    return primary(
        "10.0.0.1",
        Servers.granting(
                rights,
                new Server(
                    Nodes.CLUSTER, Nodes.startedAt("10.0.0.1"), 2L, Lsn.of("0/6000000"), false))
            .with(
                rights.isEmpty()
                    ? null
                    : HistoryAnswer.read(History.of(2, "1\t0/5000060\tno recovery target"))));
  }

  private Publication decide(Topology topology, LastPublished published, Endpoints observed) {
    return publisher
        .plans(
            topology,
            Nodes.verdict(topology, published),
            published,
            new ObservedService(observed, List.of()),
            new ObservedService(observed, List.of()))
        .get(0)
        .endpoints();
  }

  private boolean isUnchanged(Topology topology, Endpoints observed) {
    return decide(topology, publishedBy(observed), observed).isUnchanged();
  }

  private Endpoints decided(Topology topology, LastPublished published, Endpoints observed) {
    Publication publication = decide(topology, published, observed);
    Endpoints written = written(publication);
    written.getMetadata().getAnnotations().values().removeIf(value -> value == null);
    return written;
  }

  private LastPublished publishedBy(Endpoints readWrite) {
    return stored.published(
        new ObservedService(readWrite, List.of()), new ObservedService(null, List.of()));
  }

  @Test
  void keepsOverruledGenerationInEachWrite() {
    Endpoints chosen = written(readWrite(TOPOLOGY, null));
    chosen.getMetadata().getAnnotations().put(Annotations.GENERATION, "4");

    Publication next = decide(TOPOLOGY, publishedBy(chosen), chosen);

    assertEquals("4", annotations(next).get(Annotations.GENERATION));
  }

  @Test
  void publishesWhatAPersonHasChosenOnBothServices() {
    Endpoints readOnly = written(readOnly(TOPOLOGY, null));
    NodeState chosen = standbyTurnedPrimary();
    PublishedPrimary primary =
        new PublishedPrimary(
            new Line(Nodes.CLUSTER, 2, null), List.of("10.0.0.9:5432"), "10.0.0.9", 7L);
    ObservedService rw = new ObservedService(null, List.of());
    ObservedService ro = new ObservedService(readOnly, List.of());

    Publication first =
        publisher.chosen(chosen, primary, 5, TOPOLOGY, rw, ro).get(0).inForce().get(0);
    Publication second =
        publisher.chosen(chosen, primary, 5, TOPOLOGY, rw, ro).get(1).inForce().get(0);

    assertEquals(Set.of("10.0.0.9:5432 (postgresql)"), first.desiredDestinations());
    assertEquals(
        Destination.texts(Subsets.destinations(readOnly.getSubsets())),
        second.desiredDestinations(),
        "it keeps what it has");
    assertEquals(annotations(first), annotations(second));
    assertEquals("5", annotations(first).get(Annotations.GENERATION));
    assertEquals("7", annotations(first).get(Annotations.STARTED_AT));
    assertEquals("2", annotations(first).get(Annotations.TIMELINE));
    assertTrue(annotations(first).containsKey(Annotations.BEGIN));
    assertFalse(annotations(first).containsKey(Annotations.PAUSED));
  }

  private static NodeState standbyTurnedPrimary() {
    return primary("10.0.0.9", 2);
  }

  @Test
  void findsTheNodesAgainWithoutPgNodes() {
    Endpoints readWrite = written(readWrite(TOPOLOGY, null));
    Endpoints originals =
        new EndpointsBuilder()
            .withNewMetadata()
            .addToAnnotations(Annotations.LAST_TOPOLOGY, "primary:10.0.0.1;standbys:10.0.0.2")
            .endMetadata()
            .build();

    assertEquals(
        "10.0.0.10,10.0.0.1,10.0.0.9,10.0.0.8,10.0.0.7:5433",
        NodeList.text(nodes(readWrite, null)));
    assertEquals(
        "10.0.0.10,10.0.0.1,10.0.0.9,10.0.0.8,10.0.0.7:5433",
        NodeList.text(nodes(originals, readWrite)));
    assertEquals("10.0.0.1,10.0.0.2", NodeList.text(nodes(originals, null)));
    assertEquals(List.of(), nodes(null, null));
  }

  private Publication readWrite(Topology topology, Endpoints observed) {
    return publisher
        .plans(
            topology,
            everyStandby(topology),
            Nodes.nothingPublished(),
            new ObservedService(observed, List.of()),
            new ObservedService(observed, List.of()))
        .get(0)
        .endpoints();
  }

  private Publication readOnly(Topology topology, Endpoints observed) {
    return publisher
        .plans(
            topology,
            everyStandby(topology),
            Nodes.nothingPublished(),
            new ObservedService(observed, List.of()),
            new ObservedService(observed, List.of()))
        .get(1)
        .endpoints();
  }

  private List<Node> nodes(Endpoints readWrite, Endpoints readOnly) {
    return stored.nodes(
        new ObservedService(readWrite, List.of()), new ObservedService(readOnly, List.of()));
  }

  private static List<EndpointSubset> subsets(Publication publication) {
    return ((Endpoints) publication.desired()).getSubsets();
  }

  private static Map<String, String> annotations(Publication publication) {
    return publication.write().object().getMetadata().getAnnotations();
  }

  private Endpoints written(Publication publication) {
    return new EndpointsBuilder()
        .withNewMetadata()
        .withName(publication.name())
        .withResourceVersion("7")
        .withAnnotations(annotations(publication))
        .endMetadata()
        .withSubsets(subsets(publication))
        .build();
  }
}
