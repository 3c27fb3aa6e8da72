package io.github.pgendpoints.logging;

/**
 * Text that came from somebody else, such as a server, on its way to a log, an alert or a terminal.
 */
public final class ForeignText {
  private static final int MAX_LENGTH = 300;

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
    String line =
        cut(text, 10 * length)
            .replaceAll("[\\p{C}\\p{Z}\\uFFFD]+", " ")
            .replaceAll("(?i)\\b(bearer|basic) [\\w.~+/=-]{8,}", "$1 ***")
            .replaceAll("\\beyJ[\\w-]+\\.[\\w-]+\\.?[\\w-]*", "***")
            .strip();
    return cut(line, length);
  }

  private static String cut(String text, int length) {
    if (text.length() <= length) {
      return text;
    }
    boolean halved = Character.isHighSurrogate(text.charAt(length - 2));
    return text.substring(0, halved ? length - 2 : length - 1) + "…";
  }
}
