package io.github.pgendpoints.logging;

/**
 * Text that came from somebody else, such as a server, on its way to a log, an alert or a terminal.
 */
public final class ForeignText {
  private static final int MAX_LENGTH = 300;

  private ForeignText() {}

  /** One line without control characters, cut, and without anything that looks like a token. */
  public static String clean(String text) {
    // Cut first, since a pattern over megabytes takes its time; twice, since cleaning shortens.
    String line =
        cut(text, 10 * MAX_LENGTH)
            .replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Co}\\p{Cs}\\s\\uFFFD]+", " ")
            .replaceAll("(?i)\\b(bearer|basic) [\\w.~+/=-]{8,}", "$1 ***")
            .replaceAll("\\beyJ[\\w-]+\\.[\\w-]+\\.?[\\w-]*", "***")
            .strip();
    return cut(line, MAX_LENGTH);
  }

  private static String cut(String text, int length) {
    return text.length() <= length ? text : text.substring(0, length - 1) + "…";
  }
}
