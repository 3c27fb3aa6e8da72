package io.github.pgendpoints.topology;

/** What one node is in one cycle. */
public enum State {
  /** It answers and accepts writes ({@code pg_is_in_recovery()} is false). */
  PRIMARY,
  /** It answers and is in recovery. */
  STANDBY,
  /** Nobody answers there, or the server rejects everyone while it starts up or shuts down. */
  DOWN,
  /**
   * Somebody answers, but what it is could not be verified: authentication, TLS, a missing
   * database, too many connections, a failing query.
   */
  UNKNOWN,
  /** It answers, but belongs to another cluster: its system identifier is not the published one. */
  FOREIGN
}
