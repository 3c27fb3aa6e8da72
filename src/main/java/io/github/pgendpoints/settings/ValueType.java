package io.github.pgendpoints.settings;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.postgres.AuthMethods;
import io.github.pgendpoints.topology.Quorum;
import java.math.BigDecimal;
import java.math.RoundingMode;
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
 *     allowed} explains it
 * @param formatter writes a value, which may be null, as a user does
 * @param printable whether a message may repeat a text: false if it is or may be a secret
 */
record ValueType<T>(
    String allowed,
    Function<String, T> parser,
    Function<T, String> formatter,
    Predicate<String> printable) {
  private static final Pattern DURATION = Pattern.compile("([0-9]+(?:\\.[0-9]{1,3})?)(ms|s|m|h)?");
  private static final Map<String, Integer> MILLIS =
      Map.of("ms", 1, "s", 1_000, "m", 60_000, "h", 3_600_000);
  private static final Pattern BYTES = Pattern.compile("0*([0-9]{1,12})(?: ?([A-Za-z]+))?");
  private static final List<String> BYTE_UNITS = List.of("B", "kB", "MB", "GB", "TB");
  private static final int LONGEST_LABEL = 63;

  /** Any text that the parser accepts. */
  static <T> ValueType<T> of(String allowed, Function<String, T> parser) {
    return new ValueType<>(
        allowed, parser, value -> Objects.toString(value, ""), /* printable= */ text -> true);
  }

  /** Texts that the regular expression matches. */
  private static <T> ValueType<T> of(String allowed, String regex, Function<String, T> parser) {
    return of(allowed, text -> parser.apply(require(text, text.matches(regex))));
  }

  private ValueType<T> formattedBy(Function<T, String> formatter) {
    return new ValueType<>(allowed, parser, formatter, printable);
  }

  /** The same type, except that messages repeat only the texts that meet the condition. */
  ValueType<T> printableIf(Predicate<String> condition) {
    return new ValueType<>(allowed, parser, formatter, condition);
  }

  static ValueType<String> text(String allowed) {
    return of(allowed, Function.identity());
  }

  /** Whole numbers of at most nine digits. */
  static ValueType<Integer> range(int min, int max) {
    return of(
        min + " to " + max,
        "[+]?0*[0-9]{1,9}",
        text -> {
          int number = Integer.parseInt(text);
          return require(number, number >= min && number <= max);
        });
  }

  /** Seconds without a unit, with at most three decimals. */
  static ValueType<Duration> seconds(String min, String max) {
    return seconds(min, max, " seconds", "[0-9.]+");
  }

  /** Seconds without a unit and without decimals. */
  static ValueType<Duration> wholeSeconds(String min, String max) {
    return seconds(min, max, " whole seconds", "[0-9]+");
  }

  private static ValueType<Duration> seconds(String min, String max, String name, String regex) {
    return of(min + " to " + max + name, regex, text -> duration(text, min, max))
        .formattedBy(value -> String.valueOf(value.toMillis() / 1000.0).replaceFirst("\\.0$", ""));
  }

  /** Durations with a unit; without one, in seconds. */
  static ValueType<Duration> durations(String min, String max) {
    return of(min + " to " + max + " (units ms, s, m, h)", text -> duration(text, min, max))
        .formattedBy(ValueType::withUnit);
  }

  private static Duration duration(String text, String min, String max) {
    BigDecimal millis = millis(text);
    require(millis, millis.compareTo(millis(min)) >= 0 && millis.compareTo(millis(max)) <= 0);
    return Duration.ofMillis(millis.setScale(0, RoundingMode.HALF_UP).longValueExact());
  }

  private static BigDecimal millis(String text) {
    Matcher matcher = DURATION.matcher(text);
    require(matcher, matcher.matches());
    String unit = Objects.requireNonNullElse(matcher.group(2), "s");
    return new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(MILLIS.get(unit)));
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
          require(matcher, matcher.matches());
          int shift = shift(Objects.requireNonNullElse(matcher.group(2), "B"));
          long number = Long.parseLong(matcher.group(1));
          return require(number, number > 0 && number <= Long.MAX_VALUE >> shift) << shift;
        });
  }

  private static int shift(String unit) {
    return BYTE_UNITS.stream()
        .filter(unit::equalsIgnoreCase)
        .map(known -> 10 * BYTE_UNITS.indexOf(known))
        .findFirst()
        .orElseThrow(IllegalArgumentException::new);
  }

  /** Labels of RFC 1035, which begin with a letter. */
  static ValueType<String> dns1035Label(int maxLength) {
    return label("a DNS-1035 label", "[a-z]", maxLength);
  }

  /** Labels of RFC 1035 of any allowed length. */
  static ValueType<String> dns1035Label() {
    return dns1035Label(LONGEST_LABEL);
  }

  /** Labels of RFC 1123, which may be a number. */
  static ValueType<String> dns1123Label() {
    return label("a DNS-1123 label", "[a-z0-9]", LONGEST_LABEL);
  }

  private static ValueType<String> label(String name, String first, int maxLength) {
    return of(
        maxLength == LONGEST_LABEL ? name : name + " of at most " + maxLength + " characters",
        first + "(?:[-a-z0-9]{0," + (maxLength - 2) + "}[a-z0-9])?",
        Function.identity());
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

  /** One of two words, in any case: true for the second one. */
  static ValueType<Boolean> either(String no, String yes) {
    return words(List.of(false, true), value -> value ? yes : no, /* ignoreCase= */ true);
  }

  /** The TLS modes of libpq, in lower case as libpq requires. */
  static ValueType<SslMode> tlsMode() {
    return words(List.of(SslMode.values()), mode -> mode.value, /* ignoreCase= */ false);
  }

  private static <T> ValueType<T> words(
      List<T> values, Function<T, String> formatter, boolean ignoreCase) {
    List<String> words = values.stream().map(formatter).toList();
    return of(
            alternatives(words),
            (ignoreCase ? "(?i)" : "") + String.join("|", words),
            text ->
                values.stream()
                    .filter(value -> formatter.apply(value).equalsIgnoreCase(text))
                    .findFirst()
                    .orElseThrow())
        .formattedBy(formatter);
  }

  static ValueType<Level> logLevel() {
    List<String> names = Logging.levelNames();
    return of(alternatives(names), "(?i)" + String.join("|", names), Logging::level);
  }

  /** Some of these names, separated by commas. */
  static ValueType<Set<String>> namesOf(Set<String> known) {
    List<String> names = known.stream().sorted().toList();
    return of(
        "a comma-separated list of " + String.join(", ", names),
        "(?i) *(?:W)(?:[, ]+(?:W))*[, ]*".replace("W", String.join("|", names)),
        text -> new TreeSet<>(List.of(text.strip().toLowerCase(Locale.ROOT).split("[, ]+"))));
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
        "[-a-z0-9!,\\s]+",
        text -> {
          try {
            return AuthMethods.parse(text);
          } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(/* message= */ null, e);
          }
        });
  }

  /**
   * This type, or a word with a special meaning.
   *
   * @param meaning what the word stands for; null, for example, for off
   */
  ValueType<T> or(String word, T meaning) {
    return new ValueType<>(
        word + ", or " + allowed,
        text -> text.matches("(?i)" + word) ? meaning : parser.apply(text),
        value -> Objects.equals(value, meaning) ? word : formatter.apply(value),
        printable);
  }

  private static <T> T require(T value, boolean condition) {
    if (!condition) {
      throw new IllegalArgumentException();
    }
    return value;
  }

  private static String alternatives(List<String> words) {
    int last = words.size() - 1;
    return words.size() == 2
        ? words.get(0) + " or " + words.get(1)
        : String.join(", ", words.subList(0, last)) + ", or " + words.get(last);
  }
}
