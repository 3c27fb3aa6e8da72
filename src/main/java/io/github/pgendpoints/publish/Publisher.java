package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Turns a verified topology into the Endpoints, or EndpointSlices, of the two Services. */
public final class Publisher {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxxx");

  private final String rwService;
  private final String roService;
  private final String portName;
  private final int defaultPort;
  private final boolean slices;
  private final Clock clock;

  /**
   * @param slices whether PUBLISH asks for EndpointSlices
   * @param defaultPort PGPORT: the one that signatures leave out
   * @param clock tells the time of a write
   */
  public Publisher(
      String rwService,
      String roService,
      String portName,
      int defaultPort,
      boolean slices,
      Clock clock) {
    this.rwService = rwService;
    this.roService = roService;
    this.portName = portName;
    this.defaultPort = defaultPort;
    this.slices = slices;
    this.clock = clock;
  }

  /** Name of the read-write Service. */
  public String rwService() {
    return rwService;
  }

  /** Name of the read-only Service. */
  public String roService() {
    return roService;
  }

  /** The primary behind the read-write Service. */
  public Plan readWrite(Topology topology, ReadOnly readOnly, Published published, Actual actual) {
    return plan(
        rwService, List.of(topology.primary()), state(topology, readOnly, published), actual);
  }

  /** The standbys behind the read-only Service. */
  public Plan readOnly(Topology topology, ReadOnly readOnly, Published published, Actual actual) {
    return plan(roService, readOnly.members(), state(topology, readOnly, published), actual);
  }

  /** Nothing behind the read-write Service; what is stored stays. */
  public Plan cleared(Actual actual) {
    return new Plan(
        rwService,
        slices,
        true,
        actual,
        actual.endpoints() == null
            ? null
            : endpoints(rwService, List.of(), Map.of(), Map.of(), actual),
        null,
        slices(rwService, List.of(), Map.of(), actual));
  }

  private Plan plan(
      String service, Collection<NodeState> nodes, Map<String, String> state, Actual actual) {
    // Somebody else's label stays where it is no business of ours.
    Map<String, String> shown = new HashMap<>();
    if (!actual.own().isEmpty() || actual.isUnseen()) {
      shown.put(Actual.SKIP_MIRROR, null);
    }
    return new Plan(
        service,
        slices,
        false,
        actual,
        endpoints(service, nodes, shown, state, actual),
        endpoints(service, nodes, Map.of(Actual.SKIP_MIRROR, "true"), state, actual),
        slices(service, nodes, state, actual));
  }

  private Publication endpoints(
      String service,
      Collection<NodeState> nodes,
      Map<String, String> labels,
      Map<String, String> state,
      Actual actual) {
    Endpoints wanted =
        new EndpointsBuilder()
            .withNewMetadata()
            .withName(service)
            .withLabels(labels)
            .withAnnotations(state)
            .endMetadata()
            .withSubsets(Subsets.of(nodes, portName))
            .build();
    return new Publication(service, wanted, actual.endpoints(), 0);
  }

  /**
   * A slice that is to be empty is so before another is written: with a primary of another family
   * the old one must not stand beside it. Of standbys the new ones come first, so that there is
   * always one. The state lives with the primary; the read-only slices keep a copy, all of them, so
   * that nobody who deletes a slice makes us believe a primary that is stale.
   */
  private List<Publication> slices(
      String service, Collection<NodeState> nodes, Map<String, String> state, Actual actual) {
    List<Publication> filled = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (EndpointSlice wanted : Slices.of(service, nodes, portName, defaultPort)) {
      String name = wanted.getMetadata().getName();
      names.add(name);
      wanted.getMetadata().setAnnotations(state);
      EndpointSlice found =
          actual.own().stream()
              .filter(slice -> slice.getMetadata().getName().equals(name))
              .findFirst()
              .orElse(null);
      filled.add(new Publication(service, wanted, found, 0));
    }
    List<Publication> emptied =
        actual.own().stream()
            .filter(slice -> !names.contains(slice.getMetadata().getName()))
            .map(slice -> emptied(service, slice, state))
            .toList();
    List<Publication> inOrder = new ArrayList<>(service.equals(rwService) ? emptied : filled);
    inOrder.addAll(service.equals(rwService) ? filled : emptied);
    return inOrder;
  }

  private Publication emptied(String service, EndpointSlice slice, Map<String, String> state) {
    EndpointSlice wanted = Slices.emptied(service, slice);
    if (service.equals(roService)) {
      wanted.getMetadata().setAnnotations(state);
    }
    return new Publication(service, wanted, slice, 0);
  }

  /** What is stored of a topology. What a node may not tell us leaves the stored value as it is. */
  private Map<String, String> state(Topology topology, ReadOnly readOnly, Published published) {
    NodeState primary = topology.primary();
    String identifier = primary.server().systemIdentifier();
    Long timeline = primary.server().timeline();
    Map<String, String> state = new TreeMap<>();
    state.put(Annotations.LAST_TOPOLOGY, Signature.of(primary, readOnly.standbys(), defaultPort));
    state.put(
        Annotations.NODES, NodeList.text(topology.nodes().stream().map(NodeState::node).toList()));
    state.put(Annotations.PRIMARY, primary.node().name());
    if (identifier != null || published.systemIdentifier() != null) {
      state.put(
          Annotations.SYSTEM_IDENTIFIER,
          identifier == null ? published.systemIdentifier() : identifier);
    }
    if (timeline != null || published.timeline() > 0) {
      state.put(
          Annotations.TIMELINE, String.valueOf(timeline == null ? published.timeline() : timeline));
    }
    return state;
  }

  /**
   * The annotations to write now; the time is spelled as the original's {@code
   * datetime.now(timezone.utc).isoformat()}.
   */
  public Map<String, String> annotations(Publication publication) {
    Map<String, String> annotations = new TreeMap<>(publication.state());
    if (!annotations.isEmpty()) {
      annotations.put(
          Annotations.LAST_UPDATE, TIME.format(clock.instant().atOffset(ZoneOffset.UTC)));
    }
    return annotations;
  }
}
