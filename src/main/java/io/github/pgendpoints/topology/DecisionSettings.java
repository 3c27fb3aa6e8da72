package io.github.pgendpoints.topology;

import java.time.Duration;

/**
 * The settings that a decision depends on.
 *
 * @param quorum MIN_REACHABLE_NODES
 * @param readOnly the rules that select the standbys to read from
 * @param stateAge the age after which the node states of an earlier cycle no longer apply:
 *     PGCONNECT_TIMEOUT plus two PROBE_INTERVALs
 */
public record DecisionSettings(Quorum quorum, ReadOnlyRules readOnly, Duration stateAge) {}
