package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.topology.Addresses;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the clients of one Service see, against what was written. Clients see the ready addresses in
 * the union of all EndpointSlices of a Service, whoever made them.
 *
 * @param namespace of the Service
 * @param service its name
 * @param actual the objects behind the Service, with its slices
 */
record ClientView(String namespace, String service, Actual actual) {
  /** Endpoints with this annotation belong to a leader election, and are not mirrored. */
  static final String LEADER = "control-plane.alpha.kubernetes.io/leader";

  /** The most addresses of a subset that Kubernetes mirrors. */
  private static final int MAX_MIRRORED = 1000;

  /** The most slices that a message names. */
  private static final int MAX_NAMED = 10;

  /**
   * Where a slice or a subset leads.
   *
   * @param port null for none, or for any
   * @param portName empty for none
   */
  record Target(String address, Integer port, String protocol, String portName) {
    static Target of(String address, Integer port, String protocol, String portName) {
      return new Target(
          canonical(address),
          port,
          protocol == null ? "TCP" : protocol,
          portName == null ? "" : portName);
    }

    /** Slices of other writers may spell an IPv6 address differently, or hold a host name. */
    private static String canonical(String address) {
      try {
        return Addresses.text(Addresses.parse(address));
      } catch (IllegalArgumentException e) {
        return address;
      }
    }

    /** Whether a client that is led here reaches the other target: names of ports do not matter. */
    private boolean reaches(Target other) {
      return address.equals(other.address)
          && (port == null || port.equals(other.port) && protocol.equals(other.protocol));
    }

    @Override
    public String toString() {
      return port == null
          ? address + " (no port)"
          : Subsets.route(address, port, protocol, portName.isEmpty() ? null : portName);
    }
  }

  /**
   * Whether clients see an address that was not written, or miss one that was. Before the first
   * write nothing differs.
   */
  boolean differs() {
    return !actual.isMissing() && (!misleadingSlices().isEmpty() || !missing().isEmpty());
  }

  /** Where clients are led, in the words of {@link Subsets#routes}. */
  Set<String> seen() {
    return slices()
        .flatMap(slice -> Slices.ready(slice).stream())
        .map(Target::toString)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * The difference, with the reason for each part of it and the command that ends it.
   *
   * @param problem of the Service itself; null if there is none, or it is not known
   */
  Mismatch mismatch(ServiceCheck.Problem problem) {
    List<EndpointSlice> misleading = misleadingSlices();
    List<String> causes = new ArrayList<>();
    misleading.stream().limit(MAX_NAMED).forEach(slice -> causes.add(misleads(slice)));
    if (misleading.size() > MAX_NAMED) {
      causes.add("%d more EndpointSlices do so".formatted(misleading.size() - MAX_NAMED));
    }
    Set<Target> missing = missing();
    if (!missing.isEmpty()) {
      causes.add(text(missing) + " is missing");
    }
    boolean mirrorDiffers =
        actual.isEndpointsInForce()
            && (!missing.isEmpty() || misleading.stream().anyMatch(Slices::isMirrored));
    if (mirrorDiffers || problem != null) {
      causes.add(whyNotMirrored(problem));
    }
    return new Mismatch(service, seen(), causes);
  }

  private String misleads(EndpointSlice slice) {
    String name = slice.getMetadata().getName();
    String manager = Actual.label(slice, Slices.MANAGED_BY);
    return "EndpointSlice %s, managed by %s, leads to %s; kubectl delete endpointslice %s -n %s"
        .formatted(
            name, manager == null ? "nobody" : manager, text(unwritten(slice)), name, namespace);
  }

  private String whyNotMirrored(ServiceCheck.Problem problem) {
    if (problem != null) {
      return problem.describe(service, namespace);
    }
    if (Actual.annotation(actual.endpoints(), LEADER) != null) {
      return "the annotation %s of Endpoints %s stops the mirroring; kubectl annotate endpoints %s -n %s %s-"
          .formatted(LEADER, service, service, namespace, LEADER);
    }
    if (Actual.isHidden(actual.endpoints())) {
      return "the label %s of Endpoints %s stops the mirroring; kubectl label endpoints %s -n %s %s-"
          .formatted(Actual.SKIP_MIRROR, service, service, namespace, Actual.SKIP_MIRROR);
    }
    boolean tooMany =
        actual.endpoints().getSubsets().stream()
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

  private Set<Target> unwritten(EndpointSlice slice) {
    Set<Target> written = written();
    return Slices.ready(slice).stream()
        .filter(target -> written.stream().noneMatch(target::reaches))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private Set<Target> missing() {
    Set<Target> missing = new LinkedHashSet<>(written());
    slices().forEach(slice -> missing.removeAll(Slices.ready(slice)));
    return missing;
  }

  /** What was written to the form in force: to our slices, or to the Endpoints. */
  private Set<Target> written() {
    Set<Target> written = new LinkedHashSet<>();
    actual.own().forEach(slice -> written.addAll(Slices.ready(slice)));
    if (actual.isEndpointsInForce()) {
      written.addAll(Subsets.ready(actual.endpoints().getSubsets()));
    }
    return written;
  }

  private Stream<EndpointSlice> slices() {
    return actual.slices().stream();
  }

  private static String text(Set<Target> targets) {
    return targets.stream().map(Target::toString).sorted().collect(Collectors.joining(", "));
  }
}
