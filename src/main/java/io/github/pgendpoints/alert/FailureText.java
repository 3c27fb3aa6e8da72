package io.github.pgendpoints.alert;

import io.github.pgendpoints.logging.Causes;
import java.util.regex.Pattern;
import org.apache.camel.language.bean.RuntimeBeanExpressionException;

/** The text of a failure that something outside this program worded. */
public final class FailureText {
  /**
   * What is another one each time that the same thing fails: ids such as an exchange's, times,
   * ports and other numbers. Not the digits of names and addresses, nor a code of HTTP in brackets.
   */
  private static final Pattern VARYING =
      Pattern.compile(
          "\\b\\d{4}-\\d\\d-\\d\\dT[\\d:.]+"
              + "|\\b\\p{XDigit}{8,}(-\\p{XDigit}+)*\\b"
              + "|@\\p{XDigit}+\\b"
              + "|(?<![\\w.(-])\\d+(\\.\\d+)?(?!\\d|\\.\\d)");

  private FailureText() {}

  /** The same for every occurrence of the same failure. */
  static String withoutVarying(String message) {
    return VARYING.matcher(message).replaceAll("#");
  }

  /**
   * An error with its root cause first: what wraps it is often the same whatever happened. Of a
   * call in a route that refuses its arguments, the call and the reason.
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
