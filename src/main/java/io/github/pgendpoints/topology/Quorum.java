package io.github.pgendpoints.topology;

/**
 * How many of the listed servers have to answer for anything to be written.
 *
 * @param nodes MIN_REACHABLE_NODES; 0 for the majority
 */
public record Quorum(int nodes) {
  /** More than half of the listed servers. */
  public static final Quorum MAJORITY = new Quorum(0);

  /** The number for so many listed servers. */
  int of(int listed) {
    return nodes == 0 ? listed / 2 + 1 : nodes;
  }
}
