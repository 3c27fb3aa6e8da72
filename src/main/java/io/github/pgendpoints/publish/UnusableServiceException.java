package io.github.pgendpoints.publish;

/** The Service of the Endpoints is missing, or is not ours to serve. */
public final class UnusableServiceException extends Exception {
  private static final long serialVersionUID = 1;

  private final String service;

  /**
   * @param message names the Service, and says what is wrong with it
   */
  public UnusableServiceException(String service, String message) {
    super(message);
    this.service = service;
  }

  /** The name of the Service. */
  public String service() {
    return service;
  }
}
