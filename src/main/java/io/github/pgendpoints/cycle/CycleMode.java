package io.github.pgendpoints.cycle;

/** The name that {@link Conclusion} has for a {@link Mode}. */
final class CycleMode {
  static final Mode OVERRULE = Mode.OVERRULE;

  private CycleMode() {}
}
