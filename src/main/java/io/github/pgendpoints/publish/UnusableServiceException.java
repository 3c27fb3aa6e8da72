package io.github.pgendpoints.publish;

/** A Service cannot be published: for example, it is missing, or it has a selector. */
public final class UnusableServiceException extends Exception {
  private static final long serialVersionUID = 1;

  private final String service;

  /**
   * @param message names the Service, and what is wrong with it
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
