package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.EndpointAddressBuilder;
import io.fabric8.kubernetes.api.model.EndpointPort;
import io.fabric8.kubernetes.api.model.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.EndpointSubsetBuilder;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.NodeState;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The subsets of Endpoints: made from nodes, and compared by what they route to. */
public final class Subsets {
  private Subsets() {}

  /** One subset a port, ascending; its addresses in numeric order, each once. */
  static List<EndpointSubset> of(Collection<NodeState> nodes, String portName) {
    TreeMap<Integer, Set<String>> addressesByPort = new TreeMap<>();
    for (NodeState node : nodes) {
      addressesByPort
          .computeIfAbsent(node.node().port(), port -> new TreeSet<>(Addresses.NUMERIC))
          .add(node.address());
    }
    return addressesByPort.entrySet().stream()
        .map(
            entry ->
                new EndpointSubsetBuilder()
                    .withAddresses(addresses(entry.getValue()))
                    .withPorts(
                        new EndpointPortBuilder()
                            .withName(portName)
                            .withPort(entry.getKey())
                            .withProtocol(Route.TCP)
                            .build())
                    .build())
        .toList();
  }

  private static List<EndpointAddress> addresses(Collection<String> ips) {
    return ips.stream().map(ip -> new EndpointAddressBuilder().withIp(ip).build()).toList();
  }

  static Stream<Route> routes(List<EndpointSubset> subsets) {
    return subsets.stream()
        .flatMap(
            subset ->
                Stream.concat(
                    routes(subset.getAddresses(), subset.getPorts(), ""),
                    routes(subset.getNotReadyAddresses(), subset.getPorts(), Route.NOT_READY)));
  }

  private static Stream<Route> routes(
      List<EndpointAddress> addresses, List<EndpointPort> ports, String state) {
    return addresses.stream()
        .map(EndpointAddress::getIp)
        .flatMap(
            ip ->
                ports.isEmpty()
                    ? Stream.of(Route.withoutPort(ip, state))
                    : ports.stream()
                        .map(
                            port ->
                                Route.of(
                                    ip,
                                    port.getPort(),
                                    port.getProtocol(),
                                    port.getName(),
                                    state)));
  }
}
