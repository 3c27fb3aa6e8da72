package io.github.pgendpoints.logging;

import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Makes foreign text harmless: it can neither break a line nor control the terminal. */
final class Text {
  /** Line separators, and all characters of category C except those for private use. */
  private static final Pattern INVISIBLE = Pattern.compile("[\\p{C}\\p{Zl}\\p{Zp}&&\\P{Co}]");

  private Text() {}

  /** Replaces line breaks and tabs with a space, and other invisible characters with "?". */
  static String oneLine(String text) {
    return replaceInvisible(
        text.replaceAll("\\s*[\\r\\n\\u0085\\u2028\\u2029]\\s*", " ").replace('\t', ' '),
        character -> "?");
  }

  /**
   * Replaces control characters, characters that change the text direction, and lone surrogates.
   *
   * @param replacement for a UTF-16 code unit
   */
  static String replaceInvisible(String text, IntFunction<String> replacement) {
    return INVISIBLE
        .matcher(text)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(
                    found.group().chars().mapToObj(replacement).collect(Collectors.joining())));
  }
}
