package io.github.pgendpoints.cycle;

/** How the program runs. */
public enum Mode {
  /** A cycle every PROBE_INTERVAL, until SIGTERM. */
  CONTINUOUS,
  /** One cycle. */
  ONCE,
  /** One cycle that shows what it would write, and writes nothing. */
  DRY_RUN,
  /** One cycle that shows operators what it finds and would write, and writes nothing. */
  STATUS,
  /** The same for programs, as JSON. */
  STATUS_JSON,
  /** One cycle that shows the primary that an operator chose, and publishes it once confirmed. */
  OVERRULE;

  /** Whether the mode writes; OVERRULE also writes while paused, but only once confirmed. */
  public boolean writes() {
    return this == CONTINUOUS || this == ONCE || this == OVERRULE;
  }

  /** Whether the cycle shows all its findings at its end. */
  public boolean isStatus() {
    return this == STATUS || this == STATUS_JSON;
  }
}
