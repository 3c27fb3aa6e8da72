package io.github.pgendpoints.publish;

import java.time.Duration;

/** What a cycle found is too old to be written: the process was held up. */
public final class StaleTopologyException extends OutdatedTopologyException {
  private static final long serialVersionUID = 1;

  StaleTopologyException(Duration age, Duration limit) {
    super(
        "the cycle began %d s ago, which is more than the %d s it may take: nothing is written, and the nodes are asked again"
            .formatted(age.toSeconds(), limit.toSeconds()));
  }
}
