package io.github.pgendpoints.demo;

/** Thrown when the outcome of a step differs from what the demo describes. */
final class UnexpectedOutcomeException extends RuntimeException {
  UnexpectedOutcomeException(String message) {
    super(message);
  }
}
