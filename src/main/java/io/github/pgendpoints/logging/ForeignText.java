package io.github.pgendpoints.logging;

import java.util.regex.Pattern;

/**
 * Text that came from somebody else, such as a server, on its way to a log, an alert or a terminal.
 */
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
   * One line without characters that cannot be seen, and without anything that looks like a token.
   *
   * @param length what is longer is cut, and ends with an ellipsis
   */
  public static String clean(String text, int length) {
    // Cut first, since a pattern over megabytes takes its time; twice, since cleaning shortens.
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
