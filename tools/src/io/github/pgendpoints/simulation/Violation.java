package io.github.pgendpoints.simulation;

/** Something is not as it must be; the message says what. */
final class Violation extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * @param invariant its short name, for figures
   */
  Violation(String invariant, String details) {
    super(invariant + ": " + details);
  }
}
