package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.EndpointAddressBuilder;
import io.fabric8.kubernetes.api.model.EndpointPort;
import io.fabric8.kubernetes.api.model.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.EndpointSubsetBuilder;
import io.github.pgendpoints.publish.ClientView.Target;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.NodeState;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The subsets of Endpoints: made from nodes, and compared by what they route to. */
public final class Subsets {
  private static final String PROTOCOL = "TCP";

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
                            .withProtocol(PROTOCOL)
                            .build())
                    .build())
        .toList();
  }

  private static List<EndpointAddress> addresses(Collection<String> ips) {
    return ips.stream().map(ip -> new EndpointAddressBuilder().withIp(ip).build()).toList();
  }

  /**
   * Where the subsets route to, in words that compare and read well: {@code 10.0.0.1:5432
   * (postgresql)}. The order and the grouping that another writer chose do not count; an address
   * that is not ready or a port that is not ours does. So does an address without a port: DNS gives
   * it to the clients of a headless Service.
   */
  public static Set<String> routes(List<EndpointSubset> subsets) {
    return subsets.stream()
        .flatMap(
            subset ->
                Stream.concat(
                    subset.getAddresses().stream()
                        .flatMap(address -> routes(address, subset.getPorts())),
                    subset.getNotReadyAddresses().stream()
                        .flatMap(address -> routes(address, subset.getPorts()))
                        .map(route -> route + " not ready")))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Where the subsets lead clients. */
  static Set<Target> ready(List<EndpointSubset> subsets) {
    Set<Target> targets = new LinkedHashSet<>();
    for (EndpointSubset subset : subsets) {
      for (EndpointAddress address : subset.getAddresses()) {
        if (subset.getPorts().isEmpty()) {
          targets.add(Target.of(address.getIp(), null, null, null));
        }
        for (EndpointPort port : subset.getPorts()) {
          targets.add(
              Target.of(address.getIp(), port.getPort(), port.getProtocol(), port.getName()));
        }
      }
    }
    return targets;
  }

  private static Stream<String> routes(EndpointAddress address, List<EndpointPort> ports) {
    return ports.isEmpty()
        ? Stream.of(address.getIp() + " (no port)")
        : ports.stream().map(port -> route(address, port));
  }

  /** Every {@code ip:port} of the subsets, ready or not. */
  public static Set<String> endpoints(List<EndpointSubset> subsets) {
    return subsets.stream()
        .flatMap(
            subset ->
                subset.getPorts().stream()
                    .flatMap(
                        port ->
                            Stream.concat(
                                    subset.getAddresses().stream(),
                                    subset.getNotReadyAddresses().stream())
                                .map(address -> endpoint(address.getIp(), port.getPort()))))
        .collect(Collectors.toSet());
  }

  private static String route(EndpointAddress address, EndpointPort port) {
    return route(address.getIp(), port.getPort(), port.getProtocol(), port.getName());
  }

  static String route(String ip, Integer port, String protocol, String portName) {
    String other = protocol == null || protocol.equals(PROTOCOL) ? "" : "/" + protocol;
    return endpoint(ip, port) + other + " (" + (portName == null ? "no name" : portName) + ")";
  }

  /** {@code ip:port}; of a slice by another writer the port may be null, which means any. */
  static String endpoint(String ip, Integer port) {
    return Addresses.withPort(ip, port == null ? 0 : port);
  }
}
