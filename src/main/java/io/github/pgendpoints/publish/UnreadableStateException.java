package io.github.pgendpoints.publish;

/** What STATE keeps cannot be read now; the message says what was asked for and why it failed. */
public final class UnreadableStateException extends Exception {
  private static final long serialVersionUID = 1;

  public UnreadableStateException(String message, Throwable cause) {
    super(message, cause);
  }
}
