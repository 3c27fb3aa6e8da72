package io.github.pgendpoints.kubernetes.election;

/** This process does not lead, so it discards its decision: another replica may be writing. */
public final class NotLeaderException extends RuntimeException {
  /**
   * @param message the fact and its consequence
   */
  public NotLeaderException(String message) {
    super(message);
  }
}
