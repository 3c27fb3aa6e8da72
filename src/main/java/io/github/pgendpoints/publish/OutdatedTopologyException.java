package io.github.pgendpoints.publish;

import io.github.pgendpoints.alert.FailureMessage;

/**
 * The basis of a cycle may be outdated: another writer wrote while it probed, or its own probes are
 * old. Its result is dropped, and the nodes are probed again.
 */
public class OutdatedTopologyException extends Exception {
  private final transient FailureMessage failure;

  /**
   * @param headline names what was changed, or is old
   * @param details the reason and the effect; empty if the headline says it all
   */
  public OutdatedTopologyException(String headline, String details) {
    super(new FailureMessage(headline, details).text());
    this.failure = new FailureMessage(headline, details);
  }

  /** What was changed, or is old. */
  public FailureMessage failure() {
    return failure;
  }
}
