package io.github.pgendpoints.alert;

import io.github.pgendpoints.logging.Causes;
import io.github.pgendpoints.logging.ForeignText;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Says in a few words why a sink failed. */
final class SinkFailure {
  private SinkFailure() {}

  /**
   * Without what may be secret: the path and the query of a URL are what makes a webhook's caller
   * known, and user information is a password.
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
