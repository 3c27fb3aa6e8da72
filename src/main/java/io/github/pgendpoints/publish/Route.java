package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Addresses;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where a slice or a subset leads. The order and the grouping that another writer chose do not
 * count; an address that is not ready or a port that is not ours does. So does an address without a
 * port: DNS gives it to the clients of a headless Service.
 *
 * @param address as it is written there
 * @param port null for none, or for any
 * @param portName empty for none
 * @param state what is to be said of its readiness, such as {@code " not ready"}; else empty
 */
record Route(String address, Integer port, String protocol, String portName, String state) {
  /** The protocol where none is given. */
  static final String TCP = "TCP";

  static final String NOT_READY = " not ready";

  /**
   * A route to a port.
   *
   * @param port null for any
   * @param protocol null for TCP
   * @param portName null for none
   */
  static Route of(String address, Integer port, String protocol, String portName, String state) {
    return new Route(
        address,
        port,
        Objects.requireNonNullElse(protocol, TCP),
        Objects.requireNonNullElse(portName, ""),
        state);
  }

  static Route withoutPort(String address, String state) {
    return of(address, null, null, null, state);
  }

  /** The routes in words that compare and read well: {@code 10.0.0.1:5432 (postgresql)}. */
  static Set<String> texts(Stream<Route> routes) {
    return routes.map(Route::toString).collect(Collectors.toCollection(TreeSet::new));
  }

  /** Every {@code ip:port} of the routes, ready or not. */
  static Set<String> endpoints(Stream<Route> routes) {
    return routes
        .filter(route -> route.port != null)
        .map(route -> Addresses.withPort(route.address, route.port))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Where the routes lead clients, each in one spelling. */
  static Set<Route> ready(Stream<Route> routes) {
    return routes
        .filter(route -> !route.state.contains(NOT_READY))
        .map(route -> of(spelled(route.address), route.port, route.protocol, route.portName, ""))
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

  /** Whether a client that is led here reaches the other one: names of ports do not matter. */
  boolean reaches(Route other) {
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
