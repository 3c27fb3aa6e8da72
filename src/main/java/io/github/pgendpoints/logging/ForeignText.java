package io.github.pgendpoints.logging;

import java.util.regex.Pattern;

/** Cleans text from outside, such as from a server, for a log, an alert, or a terminal. */
public final class ForeignText {
  private static final int MAX_LENGTH = 300;

  private static final Pattern UNSEEN = Pattern.compile("[\\p{C}\\p{Z}\\uFFFD]+");
  private static final Pattern CREDENTIALS =
      Pattern.compile("(?i)\\b(bearer|basic) [\\w.~+/=-]{8,}");
  private static final Pattern TOKEN = Pattern.compile("\\beyJ[\\w-]+\\.[\\w-]+\\.?[\\w-]*");

  private ForeignText() {}

  /** As {@link #clean(String, int)}, with at most 300 characters. */
  public static String clean(String text) {
    return clean(text, MAX_LENGTH);
  }

  /**
   * Returns one line without invisible characters, and without anything that looks like a token.
   *
   * @param length the maximum length; a longer text is cut, and ends with an ellipsis
   */
  public static String clean(String text, int length) {
    // Cut before cleaning, since patterns are slow on megabytes, and after it, to the length.
    String line = UNSEEN.matcher(cut(text, 10 * length)).replaceAll(" ");
    line = CREDENTIALS.matcher(line).replaceAll("$1 ***");
    return cut(TOKEN.matcher(line).replaceAll("***").strip(), length);
  }

  private static String cut(String text, int length) {
    if (text.length() <= length) {
      return text;
    }
    boolean halved = Character.isHighSurrogate(text.charAt(length - 2));
    return text.substring(0, halved ? length - 2 : length - 1) + "…";
  }
}
