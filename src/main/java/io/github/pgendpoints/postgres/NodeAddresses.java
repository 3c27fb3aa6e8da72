package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The addresses of the nodes of a cycle.
 *
 * @param addresses the address of each node, in the order of the node list; an entry with several
 *     addresses is one node for each address
 * @param unresolved the states of the entries whose names do not resolve
 */
public record NodeAddresses(Map<Node, InetAddress> addresses, List<NodeState> unresolved) {
  /** The nodes that can be probed. */
  public List<Node> nodes() {
    return new ArrayList<>(addresses.keySet());
  }
}
