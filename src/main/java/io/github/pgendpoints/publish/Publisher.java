package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Turns a verified topology into the Endpoints, or EndpointSlices, of the two Services.
 *
 * @param slices whether PUBLISH is endpointslices
 * @param defaultPort PGPORT, which signatures leave out
 * @param clock for the time of a write
 */
public record Publisher(
    String rwService,
    String roService,
    String portName,
    int defaultPort,
    boolean slices,
    Clock clock) {
  /** The plans by which both Services follow the verdict, the read-write one first. */
  public List<Plan> plans(
      Topology topology,
      Verdict verdict,
      LastPublished published,
      ObservedService readWrite,
      ObservedService readOnly) {
    Map<String, String> state = state(topology, verdict, published);
    return List.of(
        plan(rwService, Plan.Purpose.FOLLOW, List.of(verdict.primary()), state, readWrite),
        plan(roService, Plan.Purpose.FOLLOW, verdict.readOnly().members(), state, readOnly));
  }

  /** Returns the plan that puts the last verified primary back. The stored topology stays. */
  public Plan repaired(Verdict verdict, ObservedService observed) {
    return plan(
        rwService, Plan.Purpose.FOLLOW, List.of(nodeAt(verdict.repair())), Map.of(), observed);
  }

  /**
   * Returns the plans that put a primary that an operator has chosen behind the read-write Service.
   * The read-only Service keeps its addresses, and has no plan if it has no object.
   *
   * @param chosen a primary that answered
   * @param primary what is to be stored about it
   * @param generation the generation that this choice begins
   */
  public List<Plan> chosen(
      NodeState chosen,
      PublishedPrimary primary,
      long generation,
      Topology topology,
      ObservedService readWrite,
      ObservedService readOnly) {
    List<NodeState> served = readOnly.publishedEndpoints().stream().map(this::nodeAt).toList();
    Map<String, String> state =
        state(
            chosen,
            primary,
            served.stream().filter(node -> !node.endpoint().equals(chosen.endpoint())).toList(),
            topology,
            chosen.server().systemIdentifier(),
            generation);
    Plan first = plan(rwService, Plan.Purpose.OVERRULE, List.of(chosen), state, readWrite);
    return readOnly.isMissing()
        ? List.of(first)
        : List.of(first, plan(roService, Plan.Purpose.OVERRULE, served, state, readOnly));
  }

  private NodeState nodeAt(String endpoint) {
    Node entry = NodeList.parse(endpoint, defaultPort, true).nodes().get(0);
    return NodeState.unknown(entry, entry.host(), Failure.OTHER, "");
  }

  /** Returns the plan that empties the read-write Service. The stored topology stays. */
  public Plan cleared(ObservedService observed) {
    return new Plan(
        rwService,
        Plan.Purpose.CLEAR,
        slices,
        observed,
        observed.endpoints() == null
            ? null
            : endpoints(rwService, List.of(), Map.of(), Map.of(), observed),
        null,
        slices(rwService, List.of(), Map.of(), observed));
  }

  private Plan plan(
      String service,
      Plan.Purpose purpose,
      Collection<NodeState> nodes,
      Map<String, String> state,
      ObservedService observed) {
    // Removes the label only in these cases: otherwise it belongs to another writer.
    Map<String, String> shown = new HashMap<>();
    if (!observed.own().isEmpty() || observed.isUnseen()) {
      shown.put(ObservedService.SKIP_MIRROR, null);
    }
    return new Plan(
        service,
        purpose,
        slices,
        observed,
        endpoints(service, nodes, shown, state, observed),
        endpoints(service, nodes, Map.of(ObservedService.SKIP_MIRROR, "true"), state, observed),
        slices(service, nodes, state, observed));
  }

  private Publication endpoints(
      String service,
      Collection<NodeState> nodes,
      Map<String, String> labels,
      Map<String, String> state,
      ObservedService observed) {
    Endpoints desired =
        new EndpointsBuilder()
            .withNewMetadata()
            .withName(service)
            .withLabels(labels)
            .withAnnotations(state)
            .endMetadata()
            .withSubsets(Subsets.of(nodes, portName))
            .build();
    return new Publication(desired, observed.endpoints(), clock.instant());
  }

  /**
   * Returns the slices in the order of their writes. A read-write slice is emptied before another
   * is filled, so that an old primary of another address family is never visible beside the new
   * one. A read-only slice is filled first, so that there is always a standby. Every read-only
   * slice has a copy of the state, so that a deleted slice never makes a stale primary credible.
   */
  private List<Publication> slices(
      String service,
      Collection<NodeState> nodes,
      Map<String, String> state,
      ObservedService observed) {
    List<Publication> filled = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (EndpointSlice desired : Slices.of(service, nodes, portName, defaultPort)) {
      String name = desired.getMetadata().getName();
      names.add(name);
      desired.getMetadata().setAnnotations(state);
      EndpointSlice found =
          observed.own().stream()
              .filter(slice -> slice.getMetadata().getName().equals(name))
              .findFirst()
              .orElse(null);
      filled.add(new Publication(desired, found, clock.instant()));
    }
    List<Publication> emptied =
        observed.own().stream()
            .filter(slice -> !names.contains(slice.getMetadata().getName()))
            .map(slice -> emptied(service, slice, state))
            .toList();
    List<Publication> inOrder = new ArrayList<>(service.equals(rwService) ? emptied : filled);
    inOrder.addAll(service.equals(rwService) ? filled : emptied);
    return inOrder;
  }

  private Publication emptied(String service, EndpointSlice slice, Map<String, String> state) {
    EndpointSlice desired = Slices.emptied(service, slice);
    if (service.equals(roService)) {
      desired.getMetadata().setAnnotations(state);
    }
    return new Publication(desired, slice, clock.instant());
  }

  /** The annotations that store a topology; one with the value null is to be removed. */
  private Map<String, String> state(Topology topology, Verdict verdict, LastPublished published) {
    NodeState node = verdict.primary();
    return state(
        node,
        verdict.publishing(),
        verdict.readOnly().standbys(),
        topology,
        node.server() == null || node.server().systemIdentifier() == null
            ? published.systemIdentifier()
            : node.server().systemIdentifier(),
        published.generation());
  }

  private Map<String, String> state(
      NodeState node,
      PublishedPrimary primary,
      List<NodeState> standbys,
      Topology topology,
      String identifier,
      long generation) {
    Map<String, String> state = new TreeMap<>();
    state.put(Annotations.LAST_TOPOLOGY, Signature.of(node, standbys, defaultPort));
    state.put(
        Annotations.NODES,
        NodeList.text(
            topology.nodes().stream().map(each -> each.node().entry()).distinct().toList()));
    state.put(Annotations.PRIMARY, primary.name());
    state.put(Annotations.ENTRIES, String.join(",", primary.entries()));
    state.put(Annotations.STARTED_AT, text(primary.startedAt()));
    state.put(Annotations.GENERATION, generation == 0 ? null : text(generation));
    state.put(Annotations.SYSTEM_IDENTIFIER, identifier);
    state.put(
        Annotations.TIMELINE, primary.line() == null ? null : text(primary.line().timeline()));
    state.put(Annotations.BEGIN, primary.line() == null ? null : text(primary.line().begin()));
    return state;
  }

  private static String text(Object value) {
    return value == null ? null : value.toString();
  }
}
