package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * What one node was in one cycle, and why.
 *
 * @param node the entry of the node list
 * @param address the IP address it was asked at, null when its name did not resolve
 * @param reason why it is DOWN or UNKNOWN, in the server's own words, or FOREIGN; else empty
 * @param failure the same as far as a rule depends on it; null when it answered
 * @param server what it says of itself; null when it is DOWN or UNKNOWN
 */
public record NodeState(
    Node node, State state, String address, String reason, Failure failure, Server server) {
  /** How the reason of a primary of another cluster begins. */
  private static final String FOREIGN_PRIMARY = "a primary of ";

  public NodeState {
    Objects.requireNonNull(node, "node");
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(reason, "reason");
    boolean answered = state != State.DOWN && state != State.UNKNOWN;
    if (answered != (server != null)
        || answered != (failure == null)
        || answered && address == null) {
      throw new IllegalArgumentException(
          "%s is %s with address %s and server %s".formatted(node, state, address, server));
    }
  }

  /** A node that answered. */
  public static NodeState answered(Node node, State state, String address, Server server) {
    return new NodeState(node, state, address, "", null, server);
  }

  /** A node nobody answers at; {@code address} may be null. */
  public static NodeState down(Node node, String address, Failure failure, String reason) {
    return new NodeState(node, State.DOWN, address, reason, failure, null);
  }

  /** A node that could not be verified; {@code address} may be null. */
  public static NodeState unknown(Node node, String address, Failure failure, String reason) {
    return new NodeState(node, State.UNKNOWN, address, reason, failure, null);
  }

  /** Whether it says that it is a primary, if only of another cluster. */
  boolean claimsToBePrimary() {
    return state == State.PRIMARY || state == State.FOREIGN && reason.startsWith(FOREIGN_PRIMARY);
  }

  /** The same node, found to belong to another cluster than the one with this identifier. */
  NodeState foreignTo(String systemIdentifier) {
    String reason =
        "a %s of system identifier %s, not %s"
            .formatted(
                state.name().toLowerCase(Locale.ROOT), server.systemIdentifier(), systemIdentifier);
    return new NodeState(node, State.FOREIGN, address, reason, null, server);
  }

  /** Whether this is the state of one address of that node, and of the one that it has. */
  public boolean isPartOf(NodeState entry) {
    return node.address() != null
        && node.entry().equals(entry.node)
        && address.equals(entry.address);
  }

  /** The same of the entry that has this node's address. */
  NodeState of(Node entry) {
    return new NodeState(entry, state, address, reason, failure, server);
  }

  /** The same answer, whatever cluster the node belongs to. */
  NodeState withItsRole() {
    return state == State.FOREIGN
        ? answered(node, claimsToBePrimary() ? State.PRIMARY : State.STANDBY, address, server)
        : this;
  }

  /** The same answer with more of what the server says of itself. */
  public NodeState with(Server told) {
    return new NodeState(node, state, address, reason, failure, told);
  }

  /** The same node with the address it last answered at. */
  NodeState at(String lastAddress) {
    return new NodeState(node, state, lastAddress, reason, failure, server);
  }

  /** Whether it serves others, and has no connection left for us. */
  boolean isFull() {
    return failure == Failure.FULL;
  }

  /** Whether it says what it is: PRIMARY, STANDBY or FOREIGN. */
  boolean hasAnswered() {
    return server != null;
  }

  /** The history of its timeline; null when that is not known. */
  History history() {
    return hasAnswered() ? server.lineage().history() : null;
  }

  /** Whether both are entries of one server. */
  boolean isSameServerAs(NodeState other) {
    return hasAnswered() && other.hasAnswered() && server.isSameAs(other.server);
  }

  /** Of several entries of one server, the first. */
  static List<NodeState> distinct(Stream<NodeState> entries) {
    List<NodeState> servers = new ArrayList<>();
    entries
        .filter(entry -> servers.stream().noneMatch(entry::isSameServerAs))
        .forEachOrdered(servers::add);
    return List.copyOf(servers);
  }

  /** Where it is published: {@code ip:port}, IPv6 in brackets; null when it has no address. */
  public String endpoint() {
    return address == null ? null : Addresses.withPort(address, node.port());
  }

  /** One line for people, such as {@code db2 is DOWN (Connection refused)}. */
  @Override
  public String toString() {
    return node + " is " + state + (reason.isEmpty() ? "" : " (" + reason + ")");
  }
}
