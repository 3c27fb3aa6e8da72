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

/** EndpointSlices: made from nodes, and compared by what they route to. */
public final class Slices {
  static final String SERVICE_NAME = "kubernetes.io/service-name";
  static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

  /** Our own name there. */
  static final String MANAGER = "postgres-endpoint-manager";

  /** The name of the controller that mirrors Endpoints. */
  static final String MIRRORING = "endpointslicemirroring-controller.k8s.io";

  private Slices() {}

  /** The label that every slice of a Service carries. */
  public static Map<String, String> selector(String service) {
    return Map.of(SERVICE_NAME, service);
  }

  /**
   * One slice an address family and port, since both belong to the slice: {@code SERVICE-ipv4} and
   * {@code SERVICE-ipv6}, and {@code SERVICE-ipv4-5433} where the port is not the default one.
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

  /** The name of the slice that the node belongs to. */
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
        .withProtocol(Route.TCP)
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

  /** The slice as it has to be when no node belongs to it any more. */
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

  /** The Service that a slice or Endpoints belong to; null when a slice does not say. */
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

  /** The API server says null of a list that is empty, whatever was written. */
  private static List<Endpoint> endpointsOf(EndpointSlice slice) {
    return Objects.requireNonNullElse(slice.getEndpoints(), List.of());
  }

  private static List<EndpointPort> portsOf(EndpointSlice slice) {
    return Objects.requireNonNullElse(slice.getPorts(), List.of());
  }

  static Stream<Route> routes(EndpointSlice slice) {
    return endpointsOf(slice).stream()
        .flatMap(
            endpoint ->
                endpoint.getAddresses().stream()
                    .flatMap(
                        address -> routes(address, slice, readiness(endpoint.getConditions()))));
  }

  private static Stream<Route> routes(String address, EndpointSlice slice, String state) {
    return portsOf(slice).isEmpty()
        ? Stream.of(Route.withoutPort(address, state))
        : portsOf(slice).stream()
            .map(
                port ->
                    Route.of(address, port.getPort(), port.getProtocol(), port.getName(), state));
  }

  /** Whether Kubernetes made the slice from Endpoints. */
  static boolean isMirrored(EndpointSlice slice) {
    return MIRRORING.equals(ObservedService.label(slice, MANAGED_BY));
  }

  /** What is not said counts as yes. */
  private static String readiness(EndpointConditions conditions) {
    return conditions == null
        ? ""
        : (Boolean.FALSE.equals(conditions.getReady()) ? Route.NOT_READY : "")
            + (Boolean.FALSE.equals(conditions.getServing()) ? " not serving" : "")
            + (Boolean.TRUE.equals(conditions.getTerminating()) ? " terminating" : "");
  }
}
