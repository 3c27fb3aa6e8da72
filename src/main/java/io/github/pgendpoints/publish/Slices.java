package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.NodeState;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Creates EndpointSlices from nodes, and lists where they route to. */
public final class Slices {
  static final String SERVICE_NAME = "kubernetes.io/service-name";
  static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

  /** The name of this program in that label. */
  static final String MANAGER = "postgres-endpoint-manager";

  /** The name of the controller that mirrors Endpoints. */
  static final String MIRRORING = "endpointslicemirroring-controller.k8s.io";

  private Slices() {}

  /** The label that every slice of a Service carries. */
  public static Map<String, String> selector(String service) {
    return Map.of(SERVICE_NAME, service);
  }

  /**
   * Returns one slice per address family and port, which apply to a whole slice: {@code
   * SERVICE-ipv4} and {@code SERVICE-ipv6}, or {@code SERVICE-ipv4-5433} for a non-default port.
   */
  static List<EndpointSlice> of(
      String service, Collection<NodeState> nodes, String portName, int defaultPort) {
    Map<String, List<NodeState>> byName =
        nodes.stream()
            .collect(
                Collectors.groupingBy(
                    node -> name(service, node, defaultPort), TreeMap::new, Collectors.toList()));
    return byName.entrySet().stream()
        .map(entry -> slice(service, entry.getKey(), entry.getValue(), portName))
        .toList();
  }

  static String name(String service, NodeState node, int defaultPort) {
    int port = node.node().port();
    return "%s-%s%s"
        .formatted(
            service,
            isIpv6(node.address()) ? "ipv6" : "ipv4",
            port == defaultPort ? "" : "-" + port);
  }

  private static EndpointSlice slice(
      String service, String name, List<NodeState> nodes, String portName) {
    Set<String> addresses = new TreeSet<>(Addresses.NUMERIC);
    nodes.forEach(node -> addresses.add(node.address()));
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName(name)
        .withLabels(labels(service))
        .endMetadata()
        .withAddressType(isIpv6(nodes.get(0).address()) ? "IPv6" : "IPv4")
        .withEndpoints(addresses.stream().map(Slices::endpoint).toList())
        .addNewPort()
        .withName(portName)
        .withPort(nodes.get(0).node().port())
        .withProtocol(Destination.TCP)
        .endPort()
        .build();
  }

  private static Endpoint endpoint(String address) {
    return new EndpointBuilder()
        .withAddresses(address)
        .withNewConditions()
        .withReady(true)
        .withServing(true)
        .endConditions()
        .build();
  }

  /** Returns the slice without addresses, for when no node belongs to it any more. */
  static EndpointSlice emptied(String service, EndpointSlice slice) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName(slice.getMetadata().getName())
        .withLabels(labels(service))
        .endMetadata()
        .withAddressType(slice.getAddressType())
        .withEndpoints(List.of())
        .withPorts(portsOf(slice))
        .build();
  }

  /** The Service that a slice or Endpoints belong to; null if a slice does not name one. */
  public static String serviceOf(HasMetadata object) {
    return object instanceof EndpointSlice
        ? ObservedService.label(object, SERVICE_NAME)
        : object.getMetadata().getName();
  }

  private static Map<String, String> labels(String service) {
    return new TreeMap<>(Map.of(SERVICE_NAME, service, MANAGED_BY, MANAGER));
  }

  private static boolean isIpv6(String address) {
    return address.indexOf(':') >= 0;
  }

  /** The API server returns null for an empty list, even if an empty list was written. */
  private static List<Endpoint> endpointsOf(EndpointSlice slice) {
    return Objects.requireNonNullElse(slice.getEndpoints(), List.of());
  }

  private static List<EndpointPort> portsOf(EndpointSlice slice) {
    return Objects.requireNonNullElse(slice.getPorts(), List.of());
  }

  static Stream<Destination> destinations(EndpointSlice slice) {
    return endpointsOf(slice).stream()
        .flatMap(
            endpoint ->
                endpoint.getAddresses().stream()
                    .flatMap(
                        address ->
                            destinations(address, slice, readiness(endpoint.getConditions()))));
  }

  private static Stream<Destination> destinations(
      String address, EndpointSlice slice, String state) {
    return portsOf(slice).isEmpty()
        ? Stream.of(Destination.withoutPort(address, state))
        : portsOf(slice).stream()
            .map(
                port ->
                    Destination.of(
                        address, port.getPort(), port.getProtocol(), port.getName(), state));
  }

  static boolean isMirrored(EndpointSlice slice) {
    return MIRRORING.equals(ObservedService.label(slice, MANAGED_BY));
  }

  /** A condition without a value means ready, serving, or not terminating. */
  private static String readiness(EndpointConditions conditions) {
    return conditions == null
        ? ""
        : (Boolean.FALSE.equals(conditions.getReady()) ? Destination.NOT_READY : "")
            + (Boolean.FALSE.equals(conditions.getServing()) ? " not serving" : "")
            + (Boolean.TRUE.equals(conditions.getTerminating()) ? " terminating" : "");
  }
}
