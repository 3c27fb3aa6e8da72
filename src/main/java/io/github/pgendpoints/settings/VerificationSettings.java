package io.github.pgendpoints.settings;

import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;

/**
 * The rules that a user sets.
 *
 * @param quorum how many nodes must be verified for anything to be written
 * @param onSplitBrain what happens to the read-write Service while there are several primaries
 * @param readOnly which standbys serve reads
 * @param standbyFailures consecutive failed probes after which a standby leaves
 * @param standbySuccesses consecutive successful probes after which a standby enters
 * @param paused whether nothing is written at all
 */
public record VerificationSettings(
    Quorum quorum,
    SplitBrainPolicy onSplitBrain,
    ReadOnlyRules readOnly,
    int standbyFailures,
    int standbySuccesses,
    boolean paused) {
  /** Whether the read-write Endpoints are emptied, not held, while there are several primaries. */
  public boolean clearOnSplitBrain() {
    return onSplitBrain == SplitBrainPolicy.CLEAR;
  }
}
