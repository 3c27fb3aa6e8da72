package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the clients of one Service see, compared with what was written. Clients see the ready
 * addresses in the union of all EndpointSlices of a Service, including those of other writers.
 *
 * @param observed the objects behind the Service, with its slices
 */
record ClientView(String namespace, String service, ObservedService observed) {
  /** Endpoints with this annotation belong to a leader election, and are not mirrored. */
  static final String LEADER = "control-plane.alpha.kubernetes.io/leader";

  /** The most addresses of a subset that Kubernetes mirrors. */
  private static final int MAX_MIRRORED = 1000;

  /** The most slices that a message names. */
  private static final int MAX_NAMED = 10;

  /**
   * Whether clients see an address that was not written, or miss one that was. Before the first
   * write nothing differs.
   */
  boolean differs() {
    return !observed.isMissing() && (!misleadingSlices().isEmpty() || !missing().isEmpty());
  }

  /** Where clients are routed to, in the format of {@link Destination#texts}. */
  Set<String> seen() {
    return Destination.texts(Destination.ready(slices().flatMap(Slices::destinations)).stream());
  }

  /**
   * Returns the difference, with the reason for each part of it and the command that fixes it.
   *
   * @param problem of the Service itself; null if there is none, or it is unknown
   */
  Mismatch mismatch(ServiceCheck.Problem problem) {
    List<EndpointSlice> misleading = misleadingSlices();
    List<String> causes = new ArrayList<>();
    misleading.stream().limit(MAX_NAMED).forEach(slice -> causes.add(misleads(slice)));
    if (misleading.size() > MAX_NAMED) {
      causes.add("%d more EndpointSlices do so".formatted(misleading.size() - MAX_NAMED));
    }
    Set<Destination> missing = missing();
    if (!missing.isEmpty()) {
      causes.add(text(missing) + " is missing");
    }
    boolean mirrorDiffers =
        observed.isEndpointsInForce()
            && (!missing.isEmpty() || misleading.stream().anyMatch(Slices::isMirrored));
    if (mirrorDiffers || problem != null) {
      causes.add(whyNotMirrored(problem));
    }
    return new Mismatch(service, seen(), causes);
  }

  private String misleads(EndpointSlice slice) {
    String name = slice.getMetadata().getName();
    String manager = ObservedService.label(slice, Slices.MANAGED_BY);
    return "EndpointSlice %s, managed by %s, routes to %s; kubectl delete endpointslice %s -n %s"
        .formatted(
            name,
            manager == null ? "no controller" : manager,
            text(unwritten(slice)),
            name,
            namespace);
  }

  private String whyNotMirrored(ServiceCheck.Problem problem) {
    if (problem != null) {
      return problem.describe(service, namespace);
    }
    if (ObservedService.annotation(observed.endpoints(), LEADER) != null) {
      return "the annotation %s of Endpoints %s stops the mirroring; kubectl annotate endpoints %s -n %s %s-"
          .formatted(LEADER, service, service, namespace, LEADER);
    }
    if (ObservedService.isHidden(observed.endpoints())) {
      return "the label %s of Endpoints %s stops the mirroring; kubectl label endpoints %s -n %s %s-"
          .formatted(
              ObservedService.SKIP_MIRROR,
              service,
              service,
              namespace,
              ObservedService.SKIP_MIRROR);
    }
    boolean tooMany =
        observed.endpoints().getSubsets().stream()
            .map(EndpointSubset::getAddresses)
            .anyMatch(addresses -> addresses.size() > MAX_MIRRORED);
    return tooMany
        ? "Kubernetes mirrors %d addresses of a subset at most".formatted(MAX_MIRRORED)
        : "Kubernetes has not mirrored Endpoints %s; check that kube-controller-manager runs"
            .formatted(service);
  }

  private List<EndpointSlice> misleadingSlices() {
    return slices().filter(slice -> !unwritten(slice).isEmpty()).toList();
  }

  private Set<Destination> unwritten(EndpointSlice slice) {
    Set<Destination> written = written();
    return Destination.ready(Slices.destinations(slice)).stream()
        .filter(destination -> written.stream().noneMatch(destination::reaches))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private Set<Destination> missing() {
    Set<Destination> missing = written();
    slices().forEach(slice -> missing.removeAll(Destination.ready(Slices.destinations(slice))));
    return missing;
  }

  /** What was written to the form in force: to our slices, or to the Endpoints. */
  private Set<Destination> written() {
    return Destination.ready(observed.inForce());
  }

  private Stream<EndpointSlice> slices() {
    return observed.slices().stream();
  }

  private static String text(Set<Destination> destinations) {
    return String.join(", ", Destination.texts(destinations.stream()));
  }
}
