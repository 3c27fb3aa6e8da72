package io.github.pgendpoints.logging;

import java.util.function.IntFunction;

/** Makes foreign text harmless: it can neither break a line nor control the terminal. */
final class Text {
  private Text() {}

  /** Replaces line breaks and tabs by a blank, other invisible characters by a question mark. */
  static String oneLine(String text) {
    return replaceInvisible(
        text.replaceAll("\\s*[\\r\\n\\u0085\\u2028\\u2029]\\s*", " ").replace('\t', ' '),
        character -> "?");
  }

  /**
   * Replaces control characters, characters that change the direction of text, and half characters.
   *
   * @param replacement for a UTF-16 code unit
   */
  static String replaceInvisible(String text, IntFunction<String> replacement) {
    StringBuilder result = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); ) {
      int codePoint = text.codePointAt(i);
      int next = i + Character.charCount(codePoint);
      if (isVisible(codePoint)) {
        result.appendCodePoint(codePoint);
      } else {
        text.substring(i, next).chars().forEach(unit -> result.append(replacement.apply(unit)));
      }
      i = next;
    }
    return result.toString();
  }

  private static boolean isVisible(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }
}
