package io.github.pgendpoints.settings;

import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;

/**
 * What may be written, and what is worth reading from.
 *
 * @param quorum nodes that have to be verified
 * @param clearOnSplitBrain whether the read-write Endpoints are emptied while there are several
 *     primaries; else they are held
 * @param readOnly which standbys are read from
 * @param standbyFailures probes in a row that have to fail before a standby leaves
 * @param standbySuccesses probes in a row that have to succeed before one enters
 * @param paused whether nothing is written at all
 */
public record VerificationSettings(
    Quorum quorum,
    boolean clearOnSplitBrain,
    ReadOnlyRules readOnly,
    int standbyFailures,
    int standbySuccesses,
    boolean paused) {}
