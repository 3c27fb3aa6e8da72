package io.github.pgendpoints.settings;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.postgres.AuthMethods;
import io.github.pgendpoints.topology.Quorum;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.postgresql.core.AuthMethod;
import org.postgresql.jdbc.SslMode;

/**
 * The type of a setting's value. Each factory states bounds and words once, for the parser and for
 * the text that describes them.
 *
 * @param allowed the allowed values in words, such as {@code 1 to 65535}
 * @param parser reads a text that is not empty; throws IllegalArgumentException if it is not
 *     allowed, with a message that continues a sentence about the value, or with none if {@code
 *     allowed} says it all
 * @param formatter writes a value, which may be null, as a user does
 * @param printable whether a message may repeat a text: false if it is or may be a secret
 * @param <T> the type of the parsed value
 */
record ValueType<T>(
    String allowed,
    Function<String, T> parser,
    Function<T, String> formatter,
    Predicate<String> printable) {
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,3})?)(ms|s|m|h)?");
  private static final Map<String, Integer> MILLIS =
      Map.of("ms", 1, "s", 1_000, "m", 60_000, "h", 3_600_000);
  private static final Pattern BYTES = Pattern.compile("(\\d{1,12}) ?([A-Za-z]{1,2})?");
  private static final List<String> BYTE_UNITS = List.of("B", "kB", "MB", "GB", "TB");
  private static final int LONGEST_LABEL = 63;

  static <T> ValueType<T> of(String allowed, Function<String, T> parser) {
    return new ValueType<>(allowed, parser, value -> Objects.toString(value, ""), text -> true);
  }

  private ValueType<T> formattedBy(Function<T, String> formatter) {
    return new ValueType<>(allowed, parser, formatter, printable);
  }

  /** The same type, of which a message repeats only some texts. */
  ValueType<T> printableIf(Predicate<String> condition) {
    return new ValueType<>(allowed, parser, formatter, condition);
  }

  /** Any text. */
  static ValueType<String> text(String allowed) {
    return of(allowed, Function.identity());
  }

  /** Whole numbers. */
  static ValueType<Integer> range(int min, int max) {
    return of(min + " to " + max, text -> require(integer(text), n -> n >= min && n <= max));
  }

  /** Seconds without a unit, with at most {@code decimals} decimals. */
  static ValueType<Duration> seconds(String min, String max, int decimals) {
    Pattern pattern =
        Pattern.compile("\\d{1,2}" + (decimals == 0 ? "" : "(\\.\\d{1," + decimals + "})?"));
    return of(
            min + " to " + max + (decimals == 0 ? " whole seconds" : " seconds"),
            text -> duration(require(text, pattern.asMatchPredicate()), min, max))
        .formattedBy(value -> String.valueOf(value.toMillis() / 1000.0).replaceFirst("\\.0$", ""));
  }

  /** Durations with a unit; without one, in seconds. */
  static ValueType<Duration> durations(String min, String max) {
    return of(min + " to " + max + " (units ms, s, m, h)", text -> duration(text, min, max))
        .formattedBy(ValueType::withUnit);
  }

  private static Duration duration(String text, String min, String max) {
    double millis = require(millis(text), n -> n >= millis(min) && n <= millis(max));
    return Duration.ofMillis(Math.round(millis));
  }

  private static double millis(String text) {
    Matcher matcher = DURATION.matcher(text);
    require(matcher, Matcher::matches);
    String unit = Objects.requireNonNullElse(matcher.group(2), "s");
    return Double.parseDouble(matcher.group(1)) * MILLIS.get(unit);
  }

  private static String withUnit(Duration value) {
    long millis = value.toMillis();
    return Stream.of("h", "m", "s")
        .filter(unit -> millis % MILLIS.get(unit) == 0)
        .map(unit -> millis / MILLIS.get(unit) + unit)
        .findFirst()
        .orElse(millis + "ms");
  }

  /** Bytes with PostgreSQL's units, in any case. */
  static ValueType<Long> bytes() {
    return of(
        "a number of bytes such as 16MB (units "
            + String.join(", ", BYTE_UNITS)
            + "; 1 kB is 1024 B)",
        text -> {
          Matcher matcher = BYTES.matcher(text);
          require(matcher, Matcher::matches);
          String unit = Objects.requireNonNullElse(matcher.group(2), "B");
          List<String> smaller =
              BYTE_UNITS.stream().takeWhile(other -> !other.equalsIgnoreCase(unit)).toList();
          require(smaller, units -> units.size() < BYTE_UNITS.size());
          double bytes = Double.parseDouble(matcher.group(1)) * Math.pow(1024, smaller.size());
          return (long) (double) require(bytes, n -> n >= 1 && n <= Long.MAX_VALUE);
        });
  }

  /** Labels of RFC 1035, which begin with a letter. */
  static ValueType<String> dns1035Label(int maxLength) {
    return label("a DNS-1035 label", "[a-z]([-a-z0-9]*[a-z0-9])?", maxLength);
  }

  /** Labels of RFC 1035 of any allowed length. */
  static ValueType<String> dns1035Label() {
    return dns1035Label(LONGEST_LABEL);
  }

  /** Labels of RFC 1123. */
  static ValueType<String> dns1123Label() {
    return label("a DNS-1123 label", "[a-z0-9]([-a-z0-9]*[a-z0-9])?", LONGEST_LABEL);
  }

  private static ValueType<String> label(String name, String regex, int maxLength) {
    Predicate<String> matches = Pattern.compile(regex).asMatchPredicate();
    return of(
        maxLength == LONGEST_LABEL ? name : name + " of at most " + maxLength + " characters",
        text -> require(text, matches.and(label -> label.length() <= maxLength)));
  }

  /** The constants of an enum, in any case and without underscores. */
  static <E extends Enum<E>> ValueType<E> oneOf(Class<E> type) {
    return words(
        List.of(type.getEnumConstants()),
        value -> value.name().toLowerCase(Locale.ROOT).replace("_", ""),
        /* ignoreCase= */ true);
  }

  /** True or false, in any case. */
  static ValueType<Boolean> flag() {
    return words(List.of(true, false), String::valueOf, /* ignoreCase= */ true);
  }

  /** The TLS modes of libpq, in lower case as libpq requires. */
  static ValueType<SslMode> tlsMode() {
    return words(List.of(SslMode.values()), mode -> mode.value, /* ignoreCase= */ false);
  }

  private static <T> ValueType<T> words(
      List<T> values, Function<T, String> formatter, boolean ignoreCase) {
    return of(
            alternatives(values.stream().map(formatter).toList()),
            text ->
                values.stream()
                    .filter(
                        value ->
                            ignoreCase
                                ? formatter.apply(value).equalsIgnoreCase(text)
                                : formatter.apply(value).equals(text))
                    .findFirst()
                    .orElseThrow(IllegalArgumentException::new))
        .formattedBy(formatter);
  }

  /** The levels of the log. */
  static ValueType<Level> logLevel() {
    return of(alternatives(Logging.levelNames()), Logging::level);
  }

  /** Some of these names, separated by commas. */
  static ValueType<Set<String>> namesOf(Set<String> known) {
    return of(
        "a comma-separated list of " + String.join(", ", new TreeSet<>(known)),
        text ->
            require(
                new TreeSet<>(List.of(text.toLowerCase(Locale.ROOT).split("[, ]+"))),
                known::containsAll));
  }

  /** Numbers of nodes that have to answer. */
  static ValueType<Quorum> quorum(int min, int max) {
    ValueType<Integer> nodes = range(min, max);
    return of(nodes.allowed(), text -> new Quorum(nodes.parser().apply(text)))
        .formattedBy(quorum -> String.valueOf(quorum.nodes()));
  }

  /** The authentication methods of libpq. */
  static ValueType<AuthMethods> authMethods() {
    List<String> methods =
        Arrays.stream(AuthMethod.values())
            .map(method -> method.name().toLowerCase(Locale.ROOT).replace('_', '-'))
            .toList();
    return of(
        "a comma-separated list of "
            + String.join(", ", methods)
            + "; to forbid methods instead, put ! before each",
        text -> {
          try {
            return AuthMethods.parse(text);
          } catch (IllegalArgumentException e) {
            // The driver's message is less helpful than the list of what is allowed.
            throw new IllegalArgumentException(null, e);
          }
        });
  }

  /**
   * This type, or a word with a meaning of its own.
   *
   * @param meaning what the word stands for; null, for example, for off
   */
  ValueType<T> or(String word, T meaning) {
    return new ValueType<>(
        word + ", or " + allowed,
        text -> text.equalsIgnoreCase(word) ? meaning : parser.apply(text),
        value -> Objects.equals(value, meaning) ? word : formatter.apply(value),
        printable);
  }

  private static <T> T require(T value, Predicate<T> condition) {
    if (!condition.test(value)) {
      throw new IllegalArgumentException();
    }
    return value;
  }

  private static int integer(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(null, e);
    }
  }

  private static String alternatives(List<String> words) {
    int last = words.size() - 1;
    return words.size() == 2
        ? words.get(0) + " or " + words.get(1)
        : String.join(", ", words.subList(0, last)) + ", or " + words.get(last);
  }
}
