package io.github.pgendpoints.kubernetes;

/** Another replica may be writing by now: what this cycle decided is dropped. */
public final class NotLeaderException extends RuntimeException {
  NotLeaderException(String message) {
    super(message);
  }
}
