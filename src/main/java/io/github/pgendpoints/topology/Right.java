package io.github.pgendpoints.topology;

/** What our role may do on a server in addition to LOGIN. Each right enables one protection. */
public enum Right {
  /** To see all of {@code pg_stat_wal_receiver} and {@code pg_stat_replication}: pg_monitor. */
  MONITOR,
  /**
   * To read the history of a timeline: REPLICATION, EXECUTE on {@code pg_read_file}, or the
   * function of docs/rules.md.
   */
  HISTORY
}
