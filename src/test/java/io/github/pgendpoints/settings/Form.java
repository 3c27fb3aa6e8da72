package io.github.pgendpoints.settings;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The form of the texts that a type accepts: a regular expression for parsers and for schemas. It
 * uses only what Java, ECMAScript, and RE2 have in common, so it has neither flags nor lookarounds.
 *
 * @param regex matches a whole text; null for any text
 * @param except matches a part that no accepted text may have; null for none
 * @param numbers the numbers without quotes that YAML may have instead; null for none
 */
record Form(String regex, String except, Numbers numbers) {
  /** Any text. */
  static final Form ANY = new Form(null, null, null);

  /**
   * Bounds of a number.
   *
   * @param step each accepted number is a multiple of it
   */
  record Numbers(Number min, Number max, Number step) {
    static Numbers whole(long min, long max) {
      return new Numbers(min, max, 1);
    }
  }

  /** Returns the form of texts that a regular expression matches. */
  static Form of(String regex) {
    return new Form(regex, null, null);
  }

  /** Returns the form of these words. */
  static Form words(List<String> words, boolean ignoreCase) {
    return of(
        words.stream()
            .map(word -> ignoreCase ? inAnyCase(word) : word)
            .collect(Collectors.joining("|")));
  }

  /** Returns the form of whole numbers, with or without leading zeros. */
  static Form integers(long min, long max) {
    return new Form("0*(?:" + wholes(min, max) + ")", /* except= */ null, Numbers.whole(min, max));
  }

  /** Returns the form of numbers with at most this many decimals. */
  static Form decimals(BigDecimal min, BigDecimal max, int places) {
    BigDecimal least = min.setScale(places, RoundingMode.CEILING);
    BigDecimal most = max.setScale(places, RoundingMode.FLOOR);
    return new Form(
        "0*(?:" + decimals(least, most) + ")",
        /* except= */ null,
        new Numbers(least, most, BigDecimal.ONE.movePointLeft(places)));
  }

  /**
   * Returns the form of a list of nodes, as {@code NodeList} reads it; that class describes faults
   * better. This form does not limit the lengths of a name and of an IPv6 address.
   */
  static Form nodes() {
    String port = "(?::0{0,4}(?:" + wholes(1, 65535) + "))?";
    String group = "[0-9A-Fa-f]{1,4}";
    String ipv6 =
        "(?:(?:G:){7}G|(?:G:){6}[0-9.]+|(?:G(?::G){0,6})?::(?:(?:G:){0,6}(?:G|[0-9.]+))?)"
            .replace("G", group);
    String host = "[A-Za-z0-9_][A-Za-z0-9_.-]*";
    String number = "(?:0[0-9]+|[3-9][0-9]{2}|2[6-9][0-9]|25[6-9]|[0-9]{4,})";
    String noAddress =
        "[0-9]+(?:\\.[0-9]+){0,2}|[0-9]+(?:\\.[0-9]+){4,}|(?:[0-9]+\\.){0,3}%s(?:\\.[0-9]+){0,3}"
                .formatted(number)
            + "|[^,]*\\.\\.[^,]*|[0-9.]*\\.";
    String refused =
        "127(?:\\.[0-9]+){3}|169\\.254\\.[0-9.]+|224\\.0\\.0\\.[0-9]+|0\\.0\\.0\\.0"
            + "|\\[?(?:::1?|[fF][eE][89abAB][0-9a-fA-F]:[^,\\]]*|[fF]{2}[0-9a-fA-F]2:[^,\\]]*)\\]?";
    return of("\\s*(?:%s%s|%s|\\[%s\\]%s)\\s*".formatted(host, port, ipv6, ipv6, port))
        .listed(",", "")
        .except("(?:^|,)\\s*(?:%s|%s)(?::[0-9]+)?\\s*(?:,|$)".formatted(noAddress, refused));
  }

  /** Returns a form that accepts the texts of this form and of another one. */
  Form or(Form other) {
    return new Form(regex + "|" + other.regex, except, numbers);
  }

  /** Returns this form after a prefix that this regular expression matches. */
  Form after(String prefix) {
    return new Form(prefix + "(?:" + regex + ")", except, numbers);
  }

  /** Returns this form before a suffix that this regular expression matches. */
  Form then(String suffix) {
    return new Form("(?:" + regex + ")" + suffix, except, numbers);
  }

  /** Returns the form of one or more texts of this form, between separators. */
  Form listed(String separator, String end) {
    return of("(?:R)(?:S(?:R))*E".replace("E", end).replace("S", separator).replace("R", regex));
  }

  /** Returns this form, with numbers that need no quotes. */
  Form with(Numbers unquoted) {
    return new Form(regex, except, unquoted);
  }

  /** Returns this form without texts in which this regular expression is found. */
  Form except(String found) {
    return new Form(regex, found, numbers);
  }

  boolean matches(String text) {
    return (regex == null || text.matches(regex))
        && (except == null || !Pattern.compile(except).matcher(text).find());
  }

  /** Returns a pattern for a word, with each letter as a class of both cases. */
  static String inAnyCase(String word) {
    return word.chars()
        .mapToObj(Character::toString)
        .map(
            c ->
                c.matches("[a-zA-Z]")
                    ? "[" + c.toUpperCase(Locale.ROOT) + c.toLowerCase(Locale.ROOT) + "]"
                    : c)
        .collect(Collectors.joining());
  }

  /** Returns a pattern for a range whose bounds have the same number of decimals. */
  private static String decimals(BigDecimal min, BigDecimal max) {
    long whole = min.longValue();
    long last = max.longValue();
    if (min.scale() == 0) {
      return wholes(whole, last);
    }
    String none = "0".repeat(min.scale());
    String all = "9".repeat(min.scale());
    String first = fraction(min);
    if (whole == last) {
      return whole + decimalPart(first, fraction(max));
    }
    List<String> parts = new ArrayList<>();
    if (!first.equals(none)) {
      parts.add(whole + decimalPart(first, all));
      whole++;
    }
    if (whole < last) {
      parts.add("(?:" + wholes(whole, last - 1) + ")" + decimalPart(none, all));
    }
    parts.add(last + decimalPart(none, fraction(max)));
    return String.join("|", parts);
  }

  private static String fraction(BigDecimal number) {
    String text = number.toPlainString();
    return text.substring(text.indexOf('.') + 1);
  }

  /** Returns a pattern for the point and the digits after it; zeros at the end may be missing. */
  private static String decimalPart(String min, String max) {
    return isAll('0', min)
        ? isAll('0', max)
            ? "(?:\\.0{1," + max.length() + "})?"
            : "(?:\\.(?:" + digits(min, max, true) + "))?"
        : "\\.(?:" + digits(min, max, true) + ")";
  }

  /** Returns a pattern for whole numbers without leading zeros, by their numbers of digits. */
  private static String wholes(long min, long max) {
    String least = String.valueOf(min);
    String most = String.valueOf(max);
    int from = least.length();
    int to = most.length();
    if (from == to) {
      return digits(least, most, false);
    }
    List<String> parts = new ArrayList<>();
    if (!least.equals("1" + "0".repeat(from - 1))) {
      parts.add(digits(least, "9".repeat(from), false));
      from++;
    }
    boolean isLastPartial = !isAll('9', most);
    if (isLastPartial) {
      to--;
    }
    if (from <= to) {
      parts.add("[1-9]" + anyDigits(from - 1, to - 1));
    }
    if (isLastPartial) {
      parts.add(digits("1" + "0".repeat(to), most, false));
    }
    return String.join("|", parts);
  }

  private static String anyDigits(int least, int most) {
    if (most == 0) {
      return "";
    }
    String times = least == most ? String.valueOf(most) : least + "," + most;
    return "[0-9]" + (times.equals("1") ? "" : "{" + times + "}");
  }

  /**
   * Returns a pattern for the digits from one number to another of the same length.
   *
   * @param mayEnd whether zeros at the end may be missing, except the first digit
   */
  private static String digits(String min, String max, boolean mayEnd) {
    int rest = min.length() - 1;
    if (rest < 0) {
      return "";
    }
    char first = min.charAt(0);
    char last = max.charAt(0);
    String from = min.substring(1);
    String to = max.substring(1);
    if (first == last) {
      return first + tail(from, to, mayEnd);
    }
    List<String> parts = new ArrayList<>();
    if (!isAll('0', from)) {
      parts.add(first + tail(from, "9".repeat(rest), mayEnd));
      first++;
    }
    String partial = isAll('9', to) ? null : last + tail("0".repeat(rest), to, mayEnd);
    if (partial != null) {
      last--;
    }
    if (first <= last) {
      String digit = first == last ? String.valueOf(first) : "[" + first + "-" + last + "]";
      parts.add(digit + tail("0".repeat(rest), "9".repeat(rest), mayEnd));
    }
    if (partial != null) {
      parts.add(partial);
    }
    return String.join("|", parts);
  }

  private static String tail(String min, String max, boolean mayEnd) {
    if (min.isEmpty()) {
      return "";
    }
    if (isAll('0', min) && isAll('9', max)) {
      return anyDigits(mayEnd ? 0 : min.length(), min.length());
    }
    return "(?:" + digits(min, max, mayEnd) + ")" + (mayEnd && isAll('0', min) ? "?" : "");
  }

  private static boolean isAll(char digit, String text) {
    return text.chars().allMatch(c -> c == digit);
  }
}
