package io.github.pgendpoints.topology;

/**
 * How many of the listed servers must answer before the program writes anything.
 *
 * @param nodes MIN_REACHABLE_NODES; 0 for the majority
 */
public record Quorum(int nodes) {
  /** More than half of the listed servers. */
  public static final Quorum MAJORITY = new Quorum(0);

  /** Returns the quorum for this number of listed servers. */
  int of(int listed) {
    return nodes == 0 ? listed / 2 + 1 : nodes;
  }
}
