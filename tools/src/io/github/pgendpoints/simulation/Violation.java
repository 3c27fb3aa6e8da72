package io.github.pgendpoints.simulation;

/** A broken invariant; the message describes it. */
final class Violation extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * @param invariant its short name, for statistics
   */
  Violation(String invariant, String details) {
    super(invariant + ": " + details);
  }
}
