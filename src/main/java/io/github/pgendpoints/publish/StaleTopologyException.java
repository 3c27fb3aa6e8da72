package io.github.pgendpoints.publish;

import java.time.Duration;

/** The result of a cycle must no longer be written: the process was held up. */
public final class StaleTopologyException extends OutdatedTopologyException {
  private static final String EFFECT = "nothing is written, and the nodes are probed again";

  private StaleTopologyException(String headline, String details) {
    super(headline, details);
  }

  static StaleTopologyException ofAge(Duration age, Duration limit) {
    return new StaleTopologyException(
        "the cycle began too long ago",
        "%d s, more than the %d s it may take; %s"
            .formatted(age.toSeconds(), limit.toSeconds(), EFFECT));
  }

  /** This process lost the Lease meanwhile, and another replica may have written. */
  static StaleTopologyException ofAnotherTerm() {
    return new StaleTopologyException("the cycle began in an earlier term of leadership", EFFECT);
  }
}
