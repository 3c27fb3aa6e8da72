package io.github.pgendpoints.alert;

import io.github.pgendpoints.logging.Causes;
import java.util.regex.Pattern;
import org.apache.camel.language.bean.RuntimeBeanExpressionException;

/** The text of a failure that other software worded. */
public final class FailureText {
  /**
   * The parts that differ each time that the same thing fails: ids such as an exchange's, times,
   * ports, and other numbers. Not digits of names and addresses, nor an HTTP status in brackets.
   */
  private static final Pattern VARYING =
      Pattern.compile(
          "\\b\\d{4}-\\d\\d-\\d\\dT[\\d:.]+"
              + "|\\b\\p{XDigit}{8,}(-\\p{XDigit}+)*\\b"
              + "|@\\p{XDigit}+\\b"
              + "|(?<![\\w.(-])\\d+(\\.\\d+)?(?!\\d|\\.\\d)");

  private FailureText() {}

  /** Returns the same text for every occurrence of the same failure. */
  static String withoutVarying(String message) {
    return VARYING.matcher(message).replaceAll("#");
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
