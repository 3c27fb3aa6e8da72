package io.github.pgendpoints.cycle;

/** How the program runs. */
public enum Mode {
  /** A cycle every PROBE_INTERVAL, until SIGTERM. */
  CONTINUOUS,
  /** One cycle. */
  ONCE,
  /** One cycle that shows what it would write, and writes nothing. */
  DRY_RUN,
  /** One cycle that shows people what it finds and wants, and writes nothing. */
  STATUS,
  /** The same for programs, as JSON. */
  STATUS_JSON,
  /** One cycle that shows, and publishes once it is confirmed, the primary that a person chose. */
  OVERRULE;

  /** Whether it writes; OVERRULE does also while paused, and only if it is confirmed. */
  public boolean writes() {
    return this == CONTINUOUS || this == ONCE || this == OVERRULE;
  }

  /** Whether the cycle shows, at its end, all that it found. */
  public boolean isStatus() {
    return this == STATUS || this == STATUS_JSON;
  }
}
