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

/** Creates the subsets of Endpoints from nodes, and lists where they route to. */
public final class Subsets {
  private Subsets() {}

  /** Returns one subset per port, ascending, with distinct addresses in numeric order. */
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
                            .withProtocol(Destination.TCP)
                            .build())
                    .build())
        .toList();
  }

  private static List<EndpointAddress> addresses(Collection<String> ips) {
    return ips.stream().map(ip -> new EndpointAddressBuilder().withIp(ip).build()).toList();
  }

  static Stream<Destination> destinations(List<EndpointSubset> subsets) {
    return subsets.stream()
        .flatMap(
            subset ->
                Stream.concat(
                    destinations(subset.getAddresses(), subset.getPorts(), ""),
                    destinations(
                        subset.getNotReadyAddresses(), subset.getPorts(), Destination.NOT_READY)));
  }

  private static Stream<Destination> destinations(
      List<EndpointAddress> addresses, List<EndpointPort> ports, String state) {
    return addresses.stream()
        .map(EndpointAddress::getIp)
        .flatMap(
            ip ->
                ports.isEmpty()
                    ? Stream.of(Destination.withoutPort(ip, state))
                    : ports.stream()
                        .map(
                            port ->
                                Destination.of(
                                    ip,
                                    port.getPort(),
                                    port.getProtocol(),
                                    port.getName(),
                                    state)));
  }
}
