package io.github.pgendpoints.topology;

import java.util.Locale;
import java.util.Objects;

/**
 * What one node was in one cycle, and why.
 *
 * @param node the entry of the node list
 * @param state what it is
 * @param address the IP address it was asked at, null when its name did not resolve
 * @param reason why it is DOWN or UNKNOWN, in the server's own words, or FOREIGN; else empty
 * @param server what it says of itself; null when it is DOWN or UNKNOWN
 */
public record NodeState(Node node, State state, String address, String reason, Server server) {
  public NodeState {
    Objects.requireNonNull(node, "node");
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(reason, "reason");
    boolean answered = state != State.DOWN && state != State.UNKNOWN;
    if (answered != (server != null) || answered && address == null) {
      throw new IllegalArgumentException(
          "%s is %s with address %s and server %s".formatted(node, state, address, server));
    }
  }

  /** A node that answered. */
  public static NodeState answered(Node node, State state, String address, Server server) {
    return new NodeState(node, state, address, "", server);
  }

  /** A node nobody answers at; {@code address} may be null. */
  public static NodeState down(Node node, String address, String reason) {
    return new NodeState(node, State.DOWN, address, reason, null);
  }

  /** A node that could not be verified; {@code address} may be null. */
  public static NodeState unknown(Node node, String address, String reason) {
    return new NodeState(node, State.UNKNOWN, address, reason, null);
  }

  /** The same node, found to belong to another cluster than the one with this identifier. */
  NodeState foreignTo(String systemIdentifier) {
    String reason =
        "a %s of system identifier %s, not %s"
            .formatted(
                state.name().toLowerCase(Locale.ROOT), server.systemIdentifier(), systemIdentifier);
    return new NodeState(node, State.FOREIGN, address, reason, server);
  }

  /** The same answer but for the WAL position, which is not believed. */
  NodeState withoutPosition() {
    Server unplaced =
        new Server(
            server.systemIdentifier(),
            server.startedAt(),
            server.timeline(),
            null,
            server.streaming());
    return new NodeState(node, state, address, reason, unplaced);
  }

  /** Whether it says what it is: PRIMARY, STANDBY or FOREIGN. */
  boolean hasAnswered() {
    return server != null;
  }

  /** Whether both are entries of one server. */
  boolean isSameServerAs(NodeState other) {
    return hasAnswered() && other.hasAnswered() && server.isSameAs(other.server);
  }

  /** Where it is published: {@code ip:port}, IPv6 in brackets; null when it has no address. */
  public String endpoint() {
    return address == null ? null : Addresses.withPort(address, node.port(), -1);
  }

  /** One line for people, such as {@code db2 is DOWN (Connection refused)}. */
  @Override
  public String toString() {
    return node + " is " + state + (reason.isEmpty() ? "" : " (" + reason + ")");
  }
}
