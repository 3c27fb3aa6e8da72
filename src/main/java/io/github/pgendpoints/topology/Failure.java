package io.github.pgendpoints.topology;

/** Why a node is DOWN or UNKNOWN, as far as a rule depends on it. */
public enum Failure {
  /** No server answered in time; it may only be slow. */
  SILENT,
  /** The server has no free connection (SQLSTATE 53300): it serves other clients. */
  FULL,
  /** The server refused the login of our role (28000, 28P01, 3D000). */
  LOGIN_REFUSED,
  /** Anything else. */
  OTHER
}
