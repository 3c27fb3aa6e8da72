package io.github.pgendpoints.publish;

import io.github.pgendpoints.alert.FailureMessage;

/** A Service cannot be published: for example, it is missing, or it has a selector. */
public final class UnusableServiceException extends Exception {
  private final String service;
  private final transient FailureMessage failure;

  /**
   * @param headline names the Service, and what is wrong with it
   * @param details what follows from it
   */
  public UnusableServiceException(String service, String headline, String details) {
    super(new FailureMessage(headline, details).text());
    this.service = service;
    this.failure = new FailureMessage(headline, details);
  }

  public String service() {
    return service;
  }

  public FailureMessage failure() {
    return failure;
  }
}
