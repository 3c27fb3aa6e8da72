package io.github.pgendpoints.alert;

/**
 * One thing worth saying, once.
 *
 * @param kind what happened
 * @param severity how bad it is
 * @param message one sentence for people, its subject first
 */
public record Alert(Kind kind, Severity severity, String message) {
  /** How bad a thing is; the names are those of the log levels. */
  public enum Severity {
    INFO,
    WARN,
    ERROR
  }

  /** What can happen. */
  public enum Kind {
    /** A topology was verified for the first time, or is another than before. */
    TOPOLOGY,
    /** A node's state is another than before. */
    NODE,
    /** More than one primary was found: nothing is written. */
    MULTIPLE_PRIMARIES,
    /** No primary was found: nothing is written. */
    NO_PRIMARY,
    /** The only primary is on an older timeline than the published one, or beside it. */
    STALE_PRIMARY,
    /** A node belongs to another cluster, or which cluster is ours cannot be told. */
    FOREIGN_NODE,
    /** Fewer nodes than MIN_REACHABLE_NODES could be verified. */
    QUORUM,
    /** What the Endpoints remember cannot be read. */
    UNREADABLE_STATE,
    /** A standby is no longer read from, or is again. */
    STANDBY,
    /** Writing is paused. */
    PAUSED,
    /** Endpoints were written. */
    WRITTEN,
    /** The Kubernetes API could not be reached or said no, or a Service is not as it must be. */
    PUBLISH_FAILED,
    /** The cycle ended by an error of the program itself: it decided nothing. */
    CYCLE_FAILED,
    /** No node is known. */
    NO_NODES,
    /** A check is off, or a setting is odd. */
    DEGRADED,
    /** A condition that was reported is over. */
    RECOVERED
  }
}
