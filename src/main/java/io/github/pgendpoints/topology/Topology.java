package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The state of every configured node in one cycle, in the order of the node list. There is no
 * topology of some of the nodes: {@link #of} refuses to make one, so that a probe that was lost on
 * the way can never look like a node that is not there.
 *
 * @param nodes one state per node
 */
public record Topology(List<NodeState> nodes) {
  public Topology {
    nodes = List.copyOf(nodes);
  }

  /**
   * Joins the states of one cycle's probes.
   *
   * @param expected the node list
   * @param states what the probes said, in any order
   * @throws IllegalStateException when a node has no state, or more than one
   */
  public static Topology of(List<Node> expected, List<NodeState> states) {
    List<NodeState> inOrder = new ArrayList<>();
    for (Node node : expected) {
      List<NodeState> found = states.stream().filter(state -> state.node().equals(node)).toList();
      if (found.size() != 1) {
        throw new IllegalStateException(
            "%d of %d probes came back, %d of them for %s"
                .formatted(states.size(), expected.size(), found.size(), node));
      }
      inOrder.addAll(found);
    }
    return new Topology(inOrder);
  }

  /**
   * The servers that accept writes; one that is listed twice counts once, under its first entry.
   */
  public List<NodeState> primaries() {
    return servers(State.PRIMARY);
  }

  /**
   * The servers in recovery; one that is listed twice counts once, under its first entry. A server
   * that was promoted between two of its probes is a primary and not a standby.
   */
  public List<NodeState> standbys() {
    List<NodeState> primaries = primaries();
    return servers(State.STANDBY).stream()
        .filter(node -> primaries.stream().noneMatch(p -> p.server().isSameAs(node.server())))
        .toList();
  }

  private List<NodeState> servers(State state) {
    List<NodeState> distinct = new ArrayList<>();
    for (NodeState node : nodes) {
      if (node.state() == state
          && distinct.stream().noneMatch(seen -> seen.server().isSameAs(node.server()))) {
        distinct.add(node);
      }
    }
    return List.copyOf(distinct);
  }

  /** Every node with its state and reason, for one line of a log. */
  @Override
  public String toString() {
    return nodes.stream().map(NodeState::toString).collect(Collectors.joining(", "));
  }
}
