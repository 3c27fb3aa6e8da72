package io.github.pgendpoints;

/** How the program runs. */
public enum Mode {
  /** A cycle every PROBE_INTERVAL, until SIGTERM. */
  CONTINUOUS,
  /** One cycle. */
  ONCE,
  /** One cycle that shows what it would write, and writes nothing. */
  DRY_RUN
}
