package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;

/**
 * The probe of one node in one cycle.
 *
 * @param pool the node's data source
 * @param deadline by when the probe ends, including all its steps and retries
 * @param startedAt when the probe started, as {@link System#nanoTime}
 */
public record NodeProbe(Node node, NodePool pool, Deadline deadline, long startedAt) {
  /** The SQL of the query. It selects the columns that our role may read on the node. */
  public String query() {
    return pool.query().sql();
  }

  /**
   * Whether to retry a query that failed: its connection was kept from an earlier probe and broke,
   * which proves nothing about the node.
   */
  public boolean shouldRetry(Throwable failure) {
    return pool.isKept() && Probe.sessionEnded(failure);
  }
}
