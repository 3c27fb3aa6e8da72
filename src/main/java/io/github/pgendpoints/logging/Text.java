package io.github.pgendpoints.logging;

import java.util.function.IntFunction;

/** Makes text of others harmless: it can neither break a line nor speak to the terminal. */
final class Text {
  private Text() {}

  /** One line: line breaks and tabs become a blank, other invisible characters a question mark. */
  static String oneLine(String text) {
    return replace(
        text.replaceAll("\\s*[\\r\\n\\u0085\\u2028\\u2029]\\s*", " ").replace('\t', ' '),
        character -> "?");
  }

  /** A JSON string with its quotes, in which nothing is lost. */
  static String json(String text) {
    String escaped = text.replace("\\", "\\\\").replace("\"", "\\\"");
    return '"' + replace(escaped, "\\u%04x"::formatted) + '"';
  }

  private static String replace(String text, IntFunction<String> replacement) {
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

  /** Not so control characters, those that turn the direction of text, and half characters. */
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
