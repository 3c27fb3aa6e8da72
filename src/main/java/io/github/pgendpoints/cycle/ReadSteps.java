package io.github.pgendpoints.cycle;

import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.publish.NoNodesException;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Node;
import java.util.List;
import org.apache.camel.Variable;

/** The steps that read what both Services route to, and what is remembered. */
public final class ReadSteps {

  /** Reads what is behind the read-write Service. */
  public ObservedService readWrite(@Variable("cluster") Cluster cluster) {
    return cluster.reader().read(cluster.publisher().rwService());
  }

  /** Reads what is behind the read-only Service. */
  public ObservedService readOnly(@Variable("cluster") Cluster cluster) {
    return cluster.reader().read(cluster.publisher().roService());
  }

  /**
   * Returns what was verified last: what the objects store, completed by the memory of earlier
   * cycles and STATE, so that deleting an object does not erase it.
   */
  public LastPublished recallPublished(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("rw") ObservedService readWrite,
      @Variable("ro") ObservedService readOnly) {
    LastPublished published =
        cluster.memory().recall(cluster.stored().published(readWrite, readOnly));
    if (cycle.isLeading()) {
      cluster.remembered().recallLate();
    }
    cycle.pausedBy(pausedBy(cluster, published));
    return published;
  }

  private static String pausedBy(Cluster cluster, LastPublished published) {
    if (cluster.mode() == Mode.OVERRULE) {
      return null;
    }
    return cluster.paused()
        ? "PAUSED"
        : published.paused() ? "the annotation " + Annotations.PAUSED : null;
  }

  /** Returns the node list. */
  public List<Node> nodeList(
      @Variable("cluster") Cluster cluster,
      @Variable("rw") ObservedService readWrite,
      @Variable("ro") ObservedService readOnly)
      throws NoNodesException {
    return cluster.nodes().from(readWrite, readOnly);
  }
}
