package io.github.pgendpoints.topology;

/**
 * How many of the listed servers have to be primaries or standbys for anything to be written.
 *
 * @param nodes MIN_REACHABLE_NODES; 0 for the majority
 */
public record Quorum(int nodes) {
  /** More than half of the listed servers. */
  public static final Quorum MAJORITY = new Quorum(0);

  /** The number for this topology. */
  public int of(Topology topology) {
    return nodes == 0 ? topology.listed() / 2 + 1 : nodes;
  }
}
