package io.github.pgendpoints.settings;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.postgres.AuthMethods;
import io.github.pgendpoints.topology.Quorum;
import java.math.BigDecimal;
import java.math.MathContext;
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
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.core.AuthMethod;
import org.postgresql.jdbc.SslMode;

/**
 * The type of a setting's value. Each factory states bounds and words once, for the parser and for
 * the text that describes them.
 *
 * @param allowed the allowed values in words, such as {@code 1 to 65535}
 * @param form the same as a regular expression, which {@code parser} requires; made when it is
 *     needed, since that takes time at the start
 * @param parser reads a text that is not empty; throws IllegalArgumentException if it is not
 *     allowed, with a message that continues a sentence about the value, or with none if {@code
 *     allowed} says it all
 * @param formatter writes a value, which may be null, as a user does
 * @param printable whether a message may repeat a text: false if it is or may be a secret
 * @param <T> the type of the parsed value
 */
record ValueType<T>(
    String allowed,
    Supplier<Form> form,
    Function<String, T> parser,
    Function<T, String> formatter,
    Predicate<String> printable) {
  private static final Pattern DURATION = Pattern.compile("([0-9.]+)(ms|s|m|h)?");
  private static final Map<String, Integer> MILLIS =
      Map.of("ms", 1, "s", 1_000, "m", 60_000, "h", 3_600_000);
  private static final int DURATION_DECIMALS = 3;
  private static final Pattern BYTES = Pattern.compile("([0-9]+) ?([A-Za-z]+)?");
  private static final long MOST_BYTES = 999_999_999_999L;
  private static final List<String> BYTE_UNITS = List.of("B", "kB", "MB", "GB", "TB");
  private static final int LONGEST_LABEL = 63;

  /** Any text for which the parser throws nothing. */
  static <T> ValueType<T> of(String allowed, Function<String, T> parser) {
    return of(allowed, () -> Form.ANY, parser);
  }

  private static <T> ValueType<T> of(
      String allowed, Supplier<Form> form, Function<String, T> parser) {
    return new ValueType<>(
        allowed,
        form,
        text -> parser.apply(require(text, form.get()::matches)),
        value -> Objects.toString(value, ""),
        text -> true);
  }

  private ValueType<T> formattedBy(Function<T, String> formatter) {
    return new ValueType<>(allowed, form, parser, formatter, printable);
  }

  /** The same type, of which a message repeats only some texts. */
  ValueType<T> printableIf(Predicate<String> condition) {
    return new ValueType<>(allowed, form, parser, formatter, condition);
  }

  /** Any text. */
  static ValueType<String> text(String allowed) {
    return of(allowed, Function.identity());
  }

  /** A text that {@link SettingsReader} parses, since another setting counts, too. */
  static ValueType<String> nodes(String allowed) {
    ValueType<String> text = text(allowed);
    return new ValueType<>(allowed, Form::nodes, text.parser, text.formatter, text.printable);
  }

  /** Whole numbers. */
  static ValueType<Integer> range(int min, int max) {
    return of(min + " to " + max, () -> Form.integers(min, max).after("[+]?"), Integer::valueOf);
  }

  /** Seconds without a unit, with at most {@code decimals} decimals. */
  static ValueType<Duration> seconds(String min, String max, int decimals) {
    return of(
            min + " to " + max + (decimals == 0 ? " whole seconds" : " seconds"),
            () -> Form.decimals(new BigDecimal(min), new BigDecimal(max), decimals),
            ValueType::duration)
        .formattedBy(value -> String.valueOf(value.toMillis() / 1000.0).replaceFirst("\\.0$", ""));
  }

  /** Durations with a unit; without one, in seconds. */
  static ValueType<Duration> durations(String min, String max) {
    Supplier<Form> form =
        () -> {
          Form seconds = durations("s", min, max);
          return Stream.of("ms", "m", "h")
              .map(unit -> durations(unit, min, max).then(unit))
              .reduce(seconds.then("s?"), Form::or)
              .with(seconds.numbers());
        };
    return of(min + " to " + max + " (units ms, s, m, h)", form, ValueType::duration)
        .formattedBy(ValueType::withUnit);
  }

  /** The numbers from one duration to another one, in that unit. */
  private static Form durations(String unit, String min, String max) {
    MathContext enough = MathContext.DECIMAL64;
    BigDecimal millis = BigDecimal.valueOf(MILLIS.get(unit));
    return Form.decimals(
        BigDecimal.valueOf(duration(min).toMillis()).divide(millis, enough),
        BigDecimal.valueOf(duration(max).toMillis()).divide(millis, enough),
        DURATION_DECIMALS);
  }

  private static Duration duration(String text) {
    Matcher matcher = DURATION.matcher(text);
    require(matcher, Matcher::matches);
    String unit = Objects.requireNonNullElse(matcher.group(2), "s");
    return Duration.ofMillis(Math.round(Double.parseDouble(matcher.group(1)) * MILLIS.get(unit)));
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
    Supplier<Form> form =
        () -> {
          Form number = Form.integers(1, MOST_BYTES);
          return BYTE_UNITS.stream()
              .map(unit -> bytes(unit).then(" ?" + Form.inAnyCase(unit)))
              .reduce(number, Form::or)
              .with(number.numbers());
        };
    return of(
        "a number of bytes such as 16MB (units "
            + String.join(", ", BYTE_UNITS)
            + "; 1 kB is 1024 B)",
        form,
        text -> {
          Matcher matcher = BYTES.matcher(text);
          require(matcher, Matcher::matches);
          String unit = Objects.requireNonNullElse(matcher.group(2), "B");
          return Long.parseLong(matcher.group(1)) << shift(unit);
        });
  }

  /** The numbers of that unit that are not too many bytes. */
  private static Form bytes(String unit) {
    return Form.integers(1, Math.min(MOST_BYTES, Long.MAX_VALUE >> shift(unit)));
  }

  private static int shift(String unit) {
    return 10 * (int) BYTE_UNITS.stream().takeWhile(other -> !other.equalsIgnoreCase(unit)).count();
  }

  /** Labels of RFC 1035, which begin with a letter. */
  static ValueType<String> dns1035Label(int maxLength) {
    return label("a DNS-1035 label", "[a-z]", maxLength, null);
  }

  /** Labels of RFC 1035 of any allowed length. */
  static ValueType<String> dns1035Label() {
    return dns1035Label(LONGEST_LABEL);
  }

  /** Labels of RFC 1123, which may be a number. */
  static ValueType<String> dns1123Label() {
    return label("a DNS-1123 label", "[a-z0-9]", LONGEST_LABEL, Form.Numbers.whole(0, MOST_BYTES));
  }

  private static ValueType<String> label(
      String name, String first, int maxLength, Form.Numbers numbers) {
    String regex = first + "(?:[-a-z0-9]{0," + (maxLength - 2) + "}[a-z0-9])?";
    return of(
        maxLength == LONGEST_LABEL ? name : name + " of at most " + maxLength + " characters",
        () -> Form.of(regex).with(numbers),
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

  /** The TLS modes of libpq, in lower case as libpq requires. */
  static ValueType<SslMode> tlsMode() {
    return words(List.of(SslMode.values()), mode -> mode.value, /* ignoreCase= */ false);
  }

  private static <T> ValueType<T> words(
      List<T> values, Function<T, String> formatter, boolean ignoreCase) {
    List<String> words = values.stream().map(formatter).toList();
    return of(
            alternatives(words),
            () -> Form.words(words, ignoreCase),
            text ->
                values.stream()
                    .filter(value -> formatter.apply(value).equalsIgnoreCase(text))
                    .findFirst()
                    .orElseThrow())
        .formattedBy(formatter);
  }

  /** The levels of the log. */
  static ValueType<Level> logLevel() {
    List<String> names = Logging.levelNames();
    return of(alternatives(names), () -> Form.words(names, /* ignoreCase= */ true), Logging::level);
  }

  /** Some of these names, separated by commas. */
  static ValueType<Set<String>> namesOf(Set<String> known) {
    List<String> names = known.stream().sorted().toList();
    return of(
        "a comma-separated list of " + String.join(", ", names),
        () -> Form.words(names, /* ignoreCase= */ true).listed("[, ]+", "[, ]*"),
        text -> new TreeSet<>(List.of(text.toLowerCase(Locale.ROOT).split("[, ]+"))));
  }

  /** Numbers of nodes that have to answer. */
  static ValueType<Quorum> quorum(int min, int max) {
    ValueType<Integer> nodes = range(min, max);
    return of(nodes.allowed(), nodes.form(), text -> new Quorum(nodes.parser().apply(text)))
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
        () -> {
          Form words = Form.words(methods, /* ignoreCase= */ false);
          Form allowed = words.after("\\s*").then("\\s*");
          Form forbidden = words.after("\\s*!").then("\\s*");
          String twice =
              methods.stream()
                  .map(method -> method + "\\s*,(?:.*[,!\\s])?" + method)
                  .collect(Collectors.joining("|"));
          return allowed
              .listed(",", ",*")
              .or(forbidden.listed(",", ",*"))
              .except("(?:^|[,!\\s])(?:" + twice + ")(?:[,\\s]|$)");
        },
        AuthMethods::parse);
  }

  /**
   * This type, or a word with a meaning of its own.
   *
   * @param meaning what the word stands for; null, for example, for off
   */
  ValueType<T> or(String word, T meaning) {
    return new ValueType<>(
        word + ", or " + allowed,
        () -> form.get().or(Form.words(List.of(word), /* ignoreCase= */ true)),
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

  private static String alternatives(List<String> words) {
    int last = words.size() - 1;
    return words.size() == 2
        ? words.get(0) + " or " + words.get(1)
        : String.join(", ", words.subList(0, last)) + ", or " + words.get(last);
  }
}
