package io.github.pgendpoints.cycle;

import io.github.pgendpoints.publish.Mismatch;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;

/**
 * What one cycle found and did.
 *
 * @param leading whether it was a cycle of the leader
 * @param paused whether a setting or an annotation stopped every write
 * @param duration how long the cycle took
 * @param readWrite what was behind the read-write Service; null when it could not be read
 * @param readOnly what was behind the read-only Service; null when it could not be read
 * @param published what was verified last; null when it could not be read
 * @param topology null when the nodes were not probed
 * @param verdict null when there is none
 * @param mismatches where clients see other addresses than those written
 */
public record Result(
    Outcome outcome,
    boolean leading,
    boolean paused,
    Duration duration,
    ObservedService readWrite,
    ObservedService readOnly,
    LastPublished published,
    Topology topology,
    Verdict verdict,
    List<Mismatch> mismatches) {

  public Result {
    mismatches = List.copyOf(mismatches);
  }

  /** Whether the topology was verified, and no part of the cycle has failed. */
  public boolean isVerified() {
    return verdict != null
        && verdict.isVerified()
        && EnumSet.of(Outcome.VERIFIED, Outcome.REFUSED, Outcome.MISMATCH).contains(outcome);
  }

  /** Whether verification refused what was found. */
  public boolean isRefused() {
    return verdict == null ? outcome == Outcome.REFUSED : !verdict.isVerified();
  }
}
