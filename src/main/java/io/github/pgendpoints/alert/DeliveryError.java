package io.github.pgendpoints.alert;

import io.github.pgendpoints.logging.Causes;
import io.github.pgendpoints.logging.ForeignText;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Describes briefly why a sink failed. */
final class DeliveryError {
  private DeliveryError() {}

  /**
   * Returns the reason without what may be secret: the path and the query of a URL authenticate the
   * caller of a webhook, and user information contains a password.
   */
  static String describe(Throwable failure) {
    Throwable root = Causes.root(failure);
    if (root instanceof HttpOperationFailedException http) {
      return "the server answered with HTTP " + http.getHttpResponseCode();
    }
    String message = root.getMessage();
    return withoutSecrets(message == null ? root.getClass().getSimpleName() : message);
  }

  static String withoutSecrets(String text) {
    String bare = text.replaceAll("(\\w+:/{1,2})[^\\s/@]*@", "$1");
    return ForeignText.clean(
        bare.replaceAll("(\\w+:/{1,2}[^\\s/?#,]+)[/?#][^\\s,]*", "$1/***"), 600);
  }
}
