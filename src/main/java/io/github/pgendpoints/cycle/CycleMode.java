package io.github.pgendpoints.cycle;

/** What a cycle may do. */
public enum CycleMode {
  /** Writes what differs. */
  WRITE,
  /** Shows what it would write. */
  DRY_RUN,
  /** Only looks. */
  READ_ONLY,
  /** Writes what a person has chosen, also while paused. */
  OVERRULE;

  /** Whether it writes. */
  public boolean writes() {
    return this == WRITE || this == OVERRULE;
  }
}
