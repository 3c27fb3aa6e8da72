package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Node;
import java.util.List;

/** The node list of a cycle: PG_NODES, or the nodes that the Endpoints store. */
public final class KnownNodes {
  private final StoredTopologyReader stored;
  private List<Node> known;

  /**
   * @param configured PG_NODES; empty if it is not set
   */
  public KnownNodes(List<Node> configured, StoredTopologyReader stored) {
    this.known = configured;
    this.stored = stored;
  }

  /**
   * Returns the nodes to probe. Once known, they stay known, even if the Endpoints are deleted.
   *
   * @throws NoNodesException naming PG_NODES, if no node is known or what is stored cannot be read
   */
  public List<Node> from(ObservedService readWrite, ObservedService readOnly)
      throws NoNodesException {
    if (known.isEmpty()) {
      try {
        known = stored.nodes(readWrite, readOnly);
      } catch (IllegalArgumentException e) {
        throw new NoNodesException(
            "PG_NODES is not set, and the stored nodes cannot be read: " + e.getMessage());
      }
    }
    if (known.isEmpty()) {
      throw new NoNodesException(
          "PG_NODES is not set, and neither Endpoints has an annotation %s or %s; allowed: a comma-separated list of nodes"
              .formatted(Annotations.NODES, Annotations.LAST_TOPOLOGY));
    }
    return known;
  }
}
