package io.github.pgendpoints.publish;

/**
 * What a cycle goes by may be outdated: somebody else wrote while it probed, or its own answers are
 * old. Its result is dropped, and the nodes are probed afresh.
 */
public class OutdatedTopologyException extends Exception {
  private static final long serialVersionUID = 1;

  /** Says what was changed, or is old. */
  public OutdatedTopologyException(String message) {
    super(message);
  }
}
