package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The state of one node in one cycle, and the reason for it.
 *
 * @param node the entry of the node list
 * @param address the probed IP address; null when the name did not resolve
 * @param reason why it is DOWN or UNKNOWN, in the server's own words, or FOREIGN; else empty
 * @param failure the same reason in the detail that rules need; null when the node answered
 * @param server what the server reports; null when the node is DOWN or UNKNOWN
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

  /** Returns the state of a node that answered. */
  public static NodeState answered(Node node, State state, String address, Server server) {
    return new NodeState(node, state, address, "", null, server);
  }

  /** Returns the state of a node that does not answer; {@code address} may be null. */
  public static NodeState down(Node node, String address, Failure failure, String reason) {
    return new NodeState(node, State.DOWN, address, reason, failure, null);
  }

  /** Returns the state of a node that could not be verified; {@code address} may be null. */
  public static NodeState unknown(Node node, String address, Failure failure, String reason) {
    return new NodeState(node, State.UNKNOWN, address, reason, failure, null);
  }

  /** Whether the server reports that it is a primary, even of another cluster. */
  boolean claimsToBePrimary() {
    return state == State.PRIMARY || state == State.FOREIGN && reason.startsWith(FOREIGN_PRIMARY);
  }

  /** Returns this node as FOREIGN: it does not belong to the cluster with this identifier. */
  NodeState foreignTo(String systemIdentifier) {
    String reason =
        "a %s of system identifier %s, not %s"
            .formatted(
                state.name().toLowerCase(Locale.ROOT), server.systemIdentifier(), systemIdentifier);
    return new NodeState(node, State.FOREIGN, address, reason, null, server);
  }

  /** Whether this is the state of one address of {@code entry}: the one that it uses. */
  public boolean isPartOf(NodeState entry) {
    return node.address() != null
        && node.entry().equals(entry.node)
        && address.equals(entry.address);
  }

  /** Returns this state for the entry that has this node's address. */
  NodeState of(Node entry) {
    return new NodeState(entry, state, address, reason, failure, server);
  }

  /** Returns this state with its role in place of FOREIGN. */
  NodeState withItsRole() {
    return state == State.FOREIGN
        ? answered(node, claimsToBePrimary() ? State.PRIMARY : State.STANDBY, address, server)
        : this;
  }

  /** Returns this state with more of what the server reports. */
  public NodeState with(Server reported) {
    return new NodeState(node, state, address, reason, failure, reported);
  }

  /** Returns this state with the address at which the node last answered. */
  NodeState at(String lastAddress) {
    return new NodeState(node, state, lastAddress, reason, failure, server);
  }

  /** Whether the server serves other clients and has no free connection for this program. */
  boolean isFull() {
    return failure == Failure.FULL;
  }

  /** Whether the server reported its role: PRIMARY, STANDBY or FOREIGN. */
  boolean hasAnswered() {
    return server != null;
  }

  /** The history of its timeline; null when it is not known. */
  History history() {
    return hasAnswered() ? server.lineage().history() : null;
  }

  /** Whether both are entries of one server. */
  boolean isSameServerAs(NodeState other) {
    return hasAnswered() && other.hasAnswered() && server.isSameAs(other.server);
  }

  /** Returns the entries without the later ones of a server that is already among them. */
  static List<NodeState> distinct(Stream<NodeState> entries) {
    List<NodeState> servers = new ArrayList<>();
    entries
        .filter(entry -> servers.stream().noneMatch(entry::isSameServerAs))
        .forEachOrdered(servers::add);
    return List.copyOf(servers);
  }

  /** The {@code ip:port} to publish, IPv6 in brackets; null when the node has no address. */
  public String endpoint() {
    return address == null ? null : Addresses.withPort(address, node.port());
  }

  /** Returns one line for the log, such as {@code db2 is DOWN (Connection refused)}. */
  @Override
  public String toString() {
    return node + " is " + state + (reason.isEmpty() ? "" : " (" + reason + ")");
  }
}
