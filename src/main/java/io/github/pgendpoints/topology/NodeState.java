package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * What one node was in one cycle, and why.
 *
 * @param node the entry of the node list
 * @param state what it is
 * @param address the IP address it was asked at, null when its name did not resolve
 * @param reason why it is DOWN or UNKNOWN, in the server's own words; empty for the other states
 * @param server what it says of itself; null when it is DOWN or UNKNOWN
 */
public record NodeState(Node node, State state, String address, String reason, Server server) {
  public NodeState {
    Objects.requireNonNull(node, "node");
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(reason, "reason");
    if ((state == State.PRIMARY || state == State.STANDBY) && (address == null || server == null)) {
      throw new IllegalArgumentException(node + " is " + state + " without address or server");
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

  /** One line for people, such as {@code db2 is DOWN (Connection refused)}. */
  @Override
  public String toString() {
    return node + " is " + state + (reason.isEmpty() ? "" : " (" + reason + ")");
  }
}
