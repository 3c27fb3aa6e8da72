package io.github.pgendpoints.topology;

import java.util.List;
import java.util.Map;

/**
 * What belongs behind the read-only Service.
 *
 * @param standbys those worth reading from, in the order of the node list
 * @param fallback the primary where it stands in because no standby is left; else null
 * @param leftOut the standbys that answer and are not among them, each with the reason
 */
public record ReadOnly(List<NodeState> standbys, NodeState fallback, Map<Node, String> leftOut) {
  public ReadOnly {
    standbys = List.copyOf(standbys);
    leftOut = Map.copyOf(leftOut);
  }

  /** The nodes to publish. */
  public List<NodeState> members() {
    return fallback == null ? standbys : List.of(fallback);
  }
}
