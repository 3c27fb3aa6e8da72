package io.github.pgendpoints.cycle;

import io.github.pgendpoints.postgres.NodeProbe;
import io.github.pgendpoints.topology.NodeState;

/** Is told of each probe of a node. */
@FunctionalInterface
public interface ProbeListener {
  /** A probe has ended. */
  void probed(NodeProbe probe, NodeState state);
}
