package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Addresses;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where a slice or a subset routes to. Comparisons ignore the order and the grouping that another
 * writer chose, but not addresses that are not ready, ports that are not ours, or addresses without
 * a port: DNS returns the latter to the clients of a headless Service.
 *
 * @param address as it is written there
 * @param port null for none, or for any
 * @param portName empty for none
 * @param state a note on its readiness, such as {@code " not ready"}; otherwise empty
 */
record Destination(String address, Integer port, String protocol, String portName, String state) {
  /** The protocol if none is given. */
  static final String TCP = "TCP";

  static final String NOT_READY = " not ready";

  /**
   * A destination to a port.
   *
   * @param port null for any
   * @param protocol null for TCP
   * @param portName null for none
   */
  static Destination of(
      String address, Integer port, String protocol, String portName, String state) {
    return new Destination(
        address,
        port,
        Objects.requireNonNullElse(protocol, TCP),
        Objects.requireNonNullElse(portName, ""),
        state);
  }

  static Destination withoutPort(String address, String state) {
    return of(address, null, null, null, state);
  }

  /** The destinations as texts to compare and to show: {@code 10.0.0.1:5432 (postgresql)}. */
  static Set<String> texts(Stream<Destination> destinations) {
    return destinations.map(Destination::toString).collect(Collectors.toCollection(TreeSet::new));
  }

  /** Every {@code ip:port} of the destinations, ready or not. */
  static Set<String> endpoints(Stream<Destination> destinations) {
    return destinations
        .filter(destination -> destination.port != null)
        .map(destination -> Addresses.withPort(destination.address, destination.port))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The destinations that clients are routed to, with one spelling for each address. */
  static Set<Destination> ready(Stream<Destination> destinations) {
    return destinations
        .filter(destination -> !destination.state.contains(NOT_READY))
        .map(
            destination ->
                of(
                    spelled(destination.address),
                    destination.port,
                    destination.protocol,
                    destination.portName,
                    ""))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** Slices of other writers may spell an IPv6 address differently, or hold a host name. */
  private static String spelled(String address) {
    try {
      return Addresses.text(Addresses.parse(address));
    } catch (IllegalArgumentException e) {
      return address;
    }
  }

  /** Whether a client that is routed here reaches the other one: port names do not matter. */
  boolean reaches(Destination other) {
    return address.equals(other.address)
        && (port == null || port.equals(other.port) && protocol.equals(other.protocol));
  }

  @Override
  public String toString() {
    if (port == null) {
      return address + " (no port)" + state;
    }
    return "%s%s (%s)%s"
        .formatted(
            Addresses.withPort(address, port),
            protocol.equals(TCP) ? "" : "/" + protocol,
            portName.isEmpty() ? "no name" : portName,
            state);
  }
}
