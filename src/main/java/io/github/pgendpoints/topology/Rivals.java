package io.github.pgendpoints.topology;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The primaries of a split brain. It is over when each but one of them says that it is none any
 * more, or nobody is there: one that answers and cannot be verified, since its connections are used
 * up or a password was changed, goes on as what it was. Used by one cycle at a time.
 */
public final class Rivals {
  private Set<Node> primaries = Set.of();

  /**
   * The rivals of the one primary that are not accounted for.
   *
   * @param topology of this cycle
   * @return none while there are several primaries, which is another matter
   */
  public List<NodeState> of(Topology topology) {
    if (topology.primaries().size() > 1) {
      primaries =
          topology.primaries().stream()
              .map(NodeState::node)
              .collect(Collectors.toUnmodifiableSet());
      return List.of();
    }
    List<NodeState> unverified =
        topology.nodes().stream()
            .filter(node -> node.state() == State.UNKNOWN && primaries.contains(node.node()))
            .toList();
    if (unverified.isEmpty() && !topology.primaries().isEmpty()) {
      primaries = Set.of();
    }
    return unverified;
  }
}
