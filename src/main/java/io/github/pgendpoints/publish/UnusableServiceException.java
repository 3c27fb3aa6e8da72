package io.github.pgendpoints.publish;

/** The Service of the Endpoints is missing, or is not ours to serve. */
public final class UnusableServiceException extends Exception {
  /** Says which Service, and what is wrong with it. */
  public UnusableServiceException(String message) {
    super(message);
  }
}
