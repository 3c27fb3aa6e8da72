package io.github.pgendpoints.publish;

/** STATE cannot be read now. The message names the request and the reason of its failure. */
public final class UnreadableStateException extends Exception {
  public UnreadableStateException(String message, Throwable cause) {
    super(message, cause);
  }
}
