package io.github.pgendpoints.demo;

/** Something did not come out as the demo tells it. */
final class NotAsToldException extends RuntimeException {
  NotAsToldException(String message) {
    super(message);
  }
}
