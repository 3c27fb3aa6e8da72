package io.github.pgendpoints.topology;

import java.util.List;
import java.util.Map;

/**
 * What belongs behind the read-only Service.
 *
 * @param standbys the standbys to read from, in the order of the node list
 * @param fallback the primary if it serves reads because no standby is left; else null
 * @param leftOut the standbys that answer but are not published, each with the reason
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
