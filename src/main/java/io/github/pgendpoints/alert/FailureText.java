package io.github.pgendpoints.alert;

import io.github.pgendpoints.logging.Causes;
import org.apache.camel.language.bean.RuntimeBeanExpressionException;

/** The text of a failure that other software worded. */
public final class FailureText {
  private FailureText() {}

  /** Describes an error that ended a cycle. The place that threw it identifies it. */
  static FailureMessage ofCycle(Throwable failure) {
    Throwable root = Causes.root(failure);
    String place = root.getStackTrace().length == 0 ? "" : " at " + root.getStackTrace()[0];
    return new FailureMessage("cycle failed", root.getClass().getName() + place, of(failure));
  }

  /**
   * Describes an error with its root cause first, since its wrapper is often the same for every
   * cause. For a call in a route that refuses its arguments, returns the call and the reason.
   */
  public static String of(Throwable failure) {
    Throwable root = Causes.root(failure);
    if (failure instanceof RuntimeBeanExpressionException call
        && root instanceof IllegalArgumentException) {
      return call.getMethod() + ": " + root.getMessage();
    }
    return root == failure ? root.toString() : root + " (" + failure + ")";
  }
}
