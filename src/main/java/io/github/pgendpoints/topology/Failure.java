package io.github.pgendpoints.topology;

/** Why a node is DOWN or UNKNOWN, as far as a rule depends on it. */
public enum Failure {
  /** Nobody answered in time; it may just be slow. */
  SILENT,
  /** Its connections are used up (SQLSTATE 53300): it serves others. */
  FULL,
  /** It refused our login (28000, 28P01, 3D000). */
  LOGIN_REFUSED,
  /** Anything else. */
  OTHER
}
