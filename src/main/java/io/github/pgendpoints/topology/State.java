package io.github.pgendpoints.topology;

/** The state of one node in one cycle. */
public enum State {
  /** It answers and accepts writes ({@code pg_is_in_recovery()} is false). */
  PRIMARY,
  /** It answers and is in recovery. */
  STANDBY,
  /** No server answers, or the server rejects all clients while it starts up or shuts down. */
  DOWN,
  /**
   * A server answers, but its role could not be verified: authentication, TLS, a missing database,
   * too many connections, a failing query.
   */
  UNKNOWN,
  /** It answers, but belongs to another cluster: its system identifier is not the published one. */
  FOREIGN
}
