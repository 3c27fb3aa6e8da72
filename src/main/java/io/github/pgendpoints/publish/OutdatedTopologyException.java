package io.github.pgendpoints.publish;

/**
 * The basis of a cycle may be outdated: another writer wrote while it probed, or its own probes are
 * old. Its result is dropped, and the nodes are probed again.
 */
public class OutdatedTopologyException extends Exception {
  private static final long serialVersionUID = 1;

  /** The message names what was changed, or is old. */
  public OutdatedTopologyException(String message) {
    super(message);
  }
}
