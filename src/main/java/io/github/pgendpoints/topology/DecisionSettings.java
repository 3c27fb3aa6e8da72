package io.github.pgendpoints.topology;

import java.time.Duration;

/**
 * The settings that a decision depends on.
 *
 * @param quorum MIN_REACHABLE_NODES
 * @param readOnly which standbys are read from
 * @param stateAge after which what nodes were in an earlier cycle says nothing: PGCONNECT_TIMEOUT
 *     and two PROBE_INTERVALs
 */
public record DecisionSettings(Quorum quorum, ReadOnlyRules readOnly, Duration stateAge) {}
