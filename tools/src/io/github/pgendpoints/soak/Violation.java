package io.github.pgendpoints.soak;

/** The manager did what it must not do, or did not do what it must. */
final class Violation extends RuntimeException {
  Violation(String message) {
    super(message);
  }
}
