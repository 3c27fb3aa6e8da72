package io.github.pgendpoints.kubernetes.election;

/** This process does not lead, so another replica may be writing: it drops what it decided. */
public final class NotLeaderException extends RuntimeException {
  /**
   * @param message the fact, and what follows from it
   */
  public NotLeaderException(String message) {
    super(message);
  }
}
