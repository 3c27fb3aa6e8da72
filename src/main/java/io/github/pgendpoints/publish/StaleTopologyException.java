package io.github.pgendpoints.publish;

import java.time.Duration;

/** The result of a cycle must no longer be written: the process was held up. */
public final class StaleTopologyException extends OutdatedTopologyException {
  private static final long serialVersionUID = 1;

  private StaleTopologyException(String when) {
    super("the cycle began " + when + ": nothing is written, and the nodes are probed again");
  }

  /** The cycle began too long ago. */
  static StaleTopologyException ofAge(Duration age, Duration limit) {
    return new StaleTopologyException(
        "%d s ago, which is more than the %d s it may take"
            .formatted(age.toSeconds(), limit.toSeconds()));
  }

  /** This process lost the Lease meanwhile, and another replica may have written. */
  static StaleTopologyException ofAnotherTerm() {
    return new StaleTopologyException("in an earlier term of leadership");
  }
}
