package io.github.pgendpoints.publish;

import static io.github.pgendpoints.topology.Nodes.everyStandby;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a cycle writes for one Service, given the objects that exist: the table of docs/adr/0008. In
 * the rows, {@code right} routes to the primary, {@code old} to the previous one; {@code -}: none.
 */
class NextWritesTest {
  private static final Topology OLD = topology(primary("10.0.0.1", 1), standby("10.0.0.2"));
  private static final Topology RIGHT = topology(standby("10.0.0.1"), primary("10.0.0.2", 2));

  private static final Publisher PUBLISH_ENDPOINTS = publisher(false);
  private static final Publisher PUBLISH_SLICES = publisher(true);

  private static Publisher publisher(boolean slices) {
    return new Publisher("pg-rw", "pg-ro", "postgresql", 5432, slices, Clock.systemUTC());
  }

  @ParameterizedTest(name = "PUBLISH={0}, Endpoints {1}, our slices {2}, the mirror {3}: {4}")
  @CsvSource(
      delimiter = '|',
      value = {
        // No switch: the form that PUBLISH requires follows the topology.
        "endpoints | -          | -     | -     | createEndpoints pg-rw",
        "endpoints | old        | -     | old   | patchOrCreateEndpoints pg-rw",
        "endpoints | right      | -     | old   | nothing",
        "endpoints | right      | -     | right | nothing",
        "slices    | -          | -     | -     | createEndpointSlice pg-rw-ipv4",
        "slices    | -          | old   | -     | patchOrCreateEndpointSlice pg-rw-ipv4",
        "slices    | -          | right | -     | nothing",
        // From Endpoints to slices, step by step.
        "slices    | right      | -     | old   | nothing",
        "slices    | right      | -     | right | createEndpointSlice pg-rw-ipv4",
        "slices    | right      | right | right | patchOrCreateEndpoints pg-rw hidden",
        "slices    | hidden     | right | right | deleteEndpoints pg-rw",
        "slices    | hidden     | right | -     | deleteEndpoints pg-rw",
        // From slices to Endpoints, step by step.
        "endpoints | -          | right | -     | createEndpoints pg-rw hidden",
        "endpoints | hidden     | right | -     | patchOrCreateEndpoints pg-rw shown",
        "endpoints | right      | right | -     | nothing",
        "endpoints | right      | right | right | deleteEndpointSlice pg-rw-ipv4",
        // The topology changes during a switch: the form in force is written first.
        "slices    | old        | -     | old   | patchOrCreateEndpoints pg-rw",
        "slices    | old        | old   | old   | deleteEndpointSlice pg-rw-ipv4,"
            + " patchOrCreateEndpoints pg-rw",
        "endpoints | old        | old   | old   | deleteEndpointSlice pg-rw-ipv4,"
            + " patchOrCreateEndpoints pg-rw",
        "slices    | right      | old   | right | deleteEndpointSlice pg-rw-ipv4",
        "slices    | hidden-old | old   | -     | patchOrCreateEndpointSlice pg-rw-ipv4",
        "endpoints | hidden-old | old   | -     | patchOrCreateEndpointSlice pg-rw-ipv4",
        "endpoints | hidden-old | right | -     | patchOrCreateEndpoints pg-rw hidden",
        "endpoints | -          | old   | -     | patchOrCreateEndpointSlice pg-rw-ipv4",
        // The mirrored slices still exist: no other address may be added beside them.
        "slices    | hidden-old | old   | old   | refused",
        "endpoints | hidden-old | old   | old   | refused",
        "slices    | -          | old   | old   | refused",
        // Another writer restored old Endpoints beside correct slices: the slices apply.
        "slices    | old        | right | old   | patchOrCreateEndpoints pg-rw hidden",
        "endpoints | old        | right | old   | patchOrCreateEndpoints pg-rw",
        // Another writer deleted our slices during a switch.
        "endpoints | hidden     | -     | -     | patchOrCreateEndpoints pg-rw shown",
        "slices    | hidden     | -     | -     | createEndpointSlice pg-rw-ipv4"
      })
  void areOneStepOfTheTable(
      String publish, String endpoints, String ours, String mirror, String writes) {
    Plan plan = plan(publish, observed(endpoints, ours, mirror));

    assertEquals(writes, writes(plan));
  }

  @ParameterizedTest(name = "PUBLISH={0}, Endpoints {1}, our slices {2}, the mirror {3}: {4}")
  @CsvSource(
      delimiter = '|',
      value = {
        "endpoints | -          | -   | -   | createEndpoints pg-rw",
        "slices    | -          | -   | -   | createEndpointSlice pg-rw-ipv4",
        "slices    | old        | -   | old | patchOrCreateEndpoints pg-rw",
        "slices    | old        | old | old | deleteEndpointSlice pg-rw-ipv4,"
            + " patchOrCreateEndpoints pg-rw",
        "endpoints | -          | old | -   | patchOrCreateEndpointSlice pg-rw-ipv4",
        "endpoints | hidden-old | old | -   | patchOrCreateEndpointSlice pg-rw-ipv4",
        "endpoints | hidden-old | old | old | refused",
        // A switch does not continue.
        "slices    | right      | -     | right | nothing",
        "endpoints | -          | right | -     | nothing"
      })
  void overruledPrimaryUsesFormInForce(
      String publish, String endpoints, String ours, String mirror, String writes) {
    Plan plan = plan(publish, observed(endpoints, ours, mirror));

    assertEquals(writes, writes(withPurpose(plan, Plan.Purpose.OVERRULE)));
  }

  @ParameterizedTest(name = "PUBLISH={0}, Endpoints {1}, our slices {2}: {3}")
  @CsvSource(
      delimiter = '|',
      value = {
        "endpoints | -      | -   | nothing",
        "slices    | -      | -   | nothing",
        "slices    | old    | -   | patchOrCreateEndpoints pg-rw",
        "slices    | -      | old | patchOrCreateEndpointSlice pg-rw-ipv4",
        "endpoints | hidden | old | patchOrCreateEndpoints pg-rw, patchOrCreateEndpointSlice"
            + " pg-rw-ipv4"
      })
  void ofAServiceThatIsClearedEmptyWhateverIsThere(
      String publish, String endpoints, String ours, String writes)
      throws UnusableServiceException {
    Plan plan = publisher(publish).cleared(observed(endpoints, ours, "-"));

    assertEquals(writes, writes(plan));
    for (ObjectWrite write : plan.nextWrites()) {
      assertEquals(Set.of(), routes(write));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"endpoints", "slices"})
  void areRefusedForMoreAddressesThanKubernetesTakes(String publish)
      throws UnusableServiceException {
    ObservedService nothing = new ObservedService(null, List.of());

    assertEquals(1, readOnly(publish, 1000, false, nothing).nextWrites().size());
    assertEquals(
        "Service pg-ro would get more addresses in one object than Kubernetes takes: 1001, at most"
            + " 1000: it is left as it is",
        assertThrows(
                UnusableServiceException.class,
                () -> readOnly(publish, 1001, false, nothing).nextWrites())
            .getMessage());
  }

  @Test
  void areASliceOfAThousandAddressesOfEachFamily() throws UnusableServiceException {
    ObservedService nothing = new ObservedService(null, List.of());

    assertEquals(
        List.of("pg-ro-ipv4", "pg-ro-ipv6"),
        readOnly("slices", 1000, true, nothing).nextWrites().stream()
            .map(write -> write.object().getMetadata().getName())
            .toList());
    // They do not fit into Endpoints, which are a single object.
    assertThrows(
        UnusableServiceException.class,
        () -> readOnly("endpoints", 1000, true, nothing).nextWrites());
  }

  private static Plan readOnly(
      String publish, int standbys, boolean six, ObservedService observed) {
    List<NodeState> nodes = new ArrayList<>(List.of(primary("10.0.0.1", 1)));
    IntStream.range(0, standbys)
        .forEach(
            i -> {
              nodes.add(standby("10.1.%d.%d".formatted(i / 250, i % 250)));
              if (six) {
                nodes.add(standby("2001:db8::%x".formatted(i + 1)));
              }
            });
    Topology many = new Topology(nodes, Nodes.AT);
    return publisher(publish)
        .plans(many, everyStandby(many), nothingPublished(), observed, observed)
        .get(1);
  }

  // --- objects that exist -----------------------------------------------------------------------

  private static ObservedService observed(String endpoints, String ours, String mirror) {
    return new ObservedService(
        endpoints.equals("-") ? null : endpoints(endpoints),
        Stream.of(slice(ours), mirrored(slice(mirror))).flatMap(List::stream).toList());
  }

  private static Endpoints endpoints(String which) {
    Plan plan = plan(PUBLISH_ENDPOINTS, topologyOf(which), new ObservedService(null, List.of()));
    Publication desired = which.startsWith("hidden") ? plan.hiddenEndpoints() : plan.endpoints();
    Endpoints read = new EndpointsBuilder((Endpoints) desired.desired()).build();
    asRead(read.getMetadata());
    return read;
  }

  private static List<EndpointSlice> slice(String which) {
    if (which.equals("-")) {
      return List.of();
    }
    Plan plan = plan(PUBLISH_SLICES, topologyOf(which), new ObservedService(null, List.of()));
    EndpointSlice read =
        new EndpointSliceBuilder((EndpointSlice) plan.slices().get(0).desired()).build();
    asRead(read.getMetadata());
    return List.of(read);
  }

  private static List<EndpointSlice> mirrored(List<EndpointSlice> slices) {
    return slices.stream()
        .map(
            slice ->
                new EndpointSliceBuilder(slice)
                    .editMetadata()
                    .withName("pg-rw-x7k2p")
                    .addToLabels(
                        "endpointslice.kubernetes.io/managed-by",
                        "endpointslicemirroring-controller.k8s.io")
                    .withAnnotations(null)
                    .endMetadata()
                    .build())
        .toList();
  }

  private static Topology topologyOf(String which) {
    return which.endsWith("old") ? OLD : RIGHT;
  }

  private static void asRead(ObjectMeta metadata) {
    metadata.setResourceVersion("7");
    metadata.getAnnotations().values().removeIf(value -> value == null);
  }

  // --- plans and their writes -------------------------------------------------------------------

  private static Publisher publisher(String publish) {
    return publish.equals("slices") ? PUBLISH_SLICES : PUBLISH_ENDPOINTS;
  }

  private static Plan plan(String publish, ObservedService observed) {
    return plan(publisher(publish), RIGHT, observed);
  }

  private static Plan plan(Publisher publisher, Topology topology, ObservedService observed) {
    return publisher
        .plans(topology, everyStandby(topology), nothingPublished(), observed, observed)
        .get(0);
  }

  private static Plan withPurpose(Plan plan, Plan.Purpose purpose) {
    return new Plan(
        plan.service(),
        purpose,
        plan.wantsSlices(),
        plan.observed(),
        plan.endpoints(),
        plan.hiddenEndpoints(),
        plan.slices());
  }

  private static String writes(Plan plan) {
    try {
      List<ObjectWrite> writes = plan.nextWrites();
      for (ObjectWrite write : writes) {
        boolean isNew = write.operation().startsWith("create");
        assertEquals(isNew ? null : "7", write.object().getMetadata().getResourceVersion());
        if (plan.purpose() != Plan.Purpose.CLEAR && !write.operation().startsWith("delete")) {
          assertEquals(Set.of("10.0.0.2:5432 (postgresql)"), routes(write), "the new primary");
        }
      }
      return writes.isEmpty()
          ? "nothing"
          : writes.stream()
              .map(write -> text(write, plan.observed()))
              .collect(Collectors.joining(", "));
    } catch (UnusableServiceException e) {
      return "refused";
    }
  }

  private static String text(ObjectWrite write, ObservedService observed) {
    String skipMirror = ObservedService.label(write.object(), ObservedService.SKIP_MIRROR);
    boolean wasHidden = !write.isSlice() && ObservedService.isHidden(observed.endpoints());
    boolean shows =
        wasHidden
            && !write.operation().startsWith("delete")
            && write.object().getMetadata().getLabels().containsKey(ObservedService.SKIP_MIRROR)
            && skipMirror == null;
    return "%s %s%s"
        .formatted(
            write.operation(),
            write.object().getMetadata().getName(),
            shows ? " shown" : hides(write, skipMirror) ? " hidden" : "");
  }

  private static boolean hides(ObjectWrite write, String skipMirror) {
    return "true".equals(skipMirror) && !write.operation().startsWith("delete");
  }

  private static Set<String> routes(ObjectWrite write) {
    return write.object() instanceof EndpointSlice slice
        ? Destination.texts(Slices.destinations(slice))
        : Destination.texts(Subsets.destinations(((Endpoints) write.object()).getSubsets()));
  }
}
