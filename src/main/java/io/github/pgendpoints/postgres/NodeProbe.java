package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;

/**
 * The probe of one node in one cycle.
 *
 * @param pool the node's data source
 * @param deadline by which the probe ends, with all its steps and second tries
 * @param startedAt as {@link System#nanoTime}
 */
public record NodeProbe(Node node, NodePool pool, Deadline deadline, long startedAt) {
  /** The query, as SQL: the columns that our role may read on the node. */
  public String query() {
    return pool.query().sql();
  }
}
