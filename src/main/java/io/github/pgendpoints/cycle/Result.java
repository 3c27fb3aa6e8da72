package io.github.pgendpoints.cycle;

import io.github.pgendpoints.publish.Actual;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Duration;

/**
 * What one cycle found and did.
 *
 * @param leading whether it was the cycle of a replica that leads
 * @param duration how long it took
 * @param readWrite what was behind the read-write Service; null when it could not be read
 * @param readOnly what was behind the read-only Service; null when it could not be read
 * @param published what was verified last; null when it could not be read
 * @param topology null when the nodes were not probed
 * @param verdict null when there is none
 */
public record Result(
    Outcome outcome,
    boolean leading,
    Duration duration,
    Actual readWrite,
    Actual readOnly,
    Published published,
    Topology topology,
    Verdict verdict) {

  /** Whether the topology was verified, and no part of the cycle has failed. */
  public boolean isVerified() {
    return verdict != null
        && verdict.isVerified()
        && (outcome == Outcome.VERIFIED || outcome == Outcome.REFUSED);
  }

  /** Whether verification refused what was found. */
  public boolean isRefused() {
    return verdict == null ? outcome == Outcome.REFUSED : !verdict.isVerified();
  }
}
