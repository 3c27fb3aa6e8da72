package io.github.pgendpoints.settings;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Derives the form of a setting's texts from the description of its allowed values. */
final class SettingForms {
  private static final Pattern WORD_OR = Pattern.compile("([a-z]+), or (.*)");
  private static final Pattern DURATION = Pattern.compile("([0-9.]+)(ms|s|m|h)");
  private static final Map<String, Integer> MILLIS =
      Map.of("ms", 1, "s", 1_000, "m", 60_000, "h", 3_600_000);
  private static final long MOST_BYTES = 999_999_999_999L;

  private static final Map<Pattern, Function<MatchResult, Form>> FORMS =
      Map.of(
          Pattern.compile("any .*|a readable (?:PEM )?file.*"),
          any -> Form.ANY,
          Pattern.compile("([0-9]+) to ([0-9]+)"),
          range -> integers(range).after("[+]?"),
          Pattern.compile("([0-9]+) to ([0-9]+) whole seconds"),
          range -> decimals(range, 0),
          Pattern.compile("([0-9.]+) to ([0-9.]+) seconds"),
          range -> decimals(range, 3),
          Pattern.compile("([0-9]+[a-z]+) to ([0-9]+[a-z]+) \\(units ms, s, m, h\\)"),
          range -> durations(range.group(1), range.group(2)),
          Pattern.compile("a number of bytes such as 16MB \\(units (.*); 1 kB is 1024 B\\)"),
          units -> bytes(names(units)),
          Pattern.compile("a DNS-1035 label(?: of at most ([0-9]+) characters)?"),
          most -> label("[a-z]", most.group(1) == null ? 63 : Integer.parseInt(most.group(1))),
          Pattern.compile("a DNS-1123 label"),
          label -> label("[a-z0-9]", 63).with(Form.Numbers.whole(0, MOST_BYTES)),
          Pattern.compile("a comma-separated list of ([a-z]+(?:, [a-z]+)+)"),
          list ->
              Form.words(names(list), /* ignoreCase= */ true).listed("[, ]+", "[, ]*").after(" *"),
          Pattern.compile("a comma-separated list of (.*); to forbid methods .*"),
          list -> authMethods(names(list)));

  private SettingForms() {}

  /** Returns the form of a setting's texts. */
  static Form of(Setting<?> setting) {
    return setting == SettingsCatalog.PG_NODES
        ? Form.nodes()
        : of(setting.type().allowed(), /* ignoreCase= */ setting != SettingsCatalog.PGSSLMODE);
  }

  private static Form of(String allowed, boolean ignoreCase) {
    Matcher wordOr = WORD_OR.matcher(allowed);
    if (wordOr.matches()) {
      return of(wordOr.group(2), ignoreCase)
          .or(Form.words(List.of(wordOr.group(1)), /* ignoreCase= */ true));
    }
    for (Map.Entry<Pattern, Function<MatchResult, Form>> form : FORMS.entrySet()) {
      Matcher matcher = form.getKey().matcher(allowed);
      if (matcher.matches()) {
        return form.getValue().apply(matcher);
      }
    }
    List<String> words = List.of(allowed.split(",? or |, (?:or )?"));
    if (words.size() < 2 || words.stream().anyMatch(word -> word.contains(" "))) {
      throw new IllegalArgumentException(allowed);
    }
    return Form.words(words, ignoreCase);
  }

  private static List<String> names(MatchResult list) {
    return List.of(list.group(1).split(", "));
  }

  private static Form integers(MatchResult range) {
    return Form.integers(Long.parseLong(range.group(1)), Long.parseLong(range.group(2)));
  }

  private static Form decimals(MatchResult range, int decimals) {
    return Form.decimals(new BigDecimal(range.group(1)), new BigDecimal(range.group(2)), decimals);
  }

  private static Form durations(String min, String max) {
    Form seconds = durations("s", min, max);
    return Stream.of("ms", "m", "h")
        .map(unit -> durations(unit, min, max).then(unit))
        .reduce(seconds.then("s?"), Form::or)
        .with(seconds.numbers());
  }

  /** Returns the form of the numbers from one duration to another, in this unit. */
  private static Form durations(String unit, String min, String max) {
    return Form.decimals(in(unit, min), in(unit, max), 3);
  }

  private static BigDecimal in(String unit, String duration) {
    Matcher matcher = DURATION.matcher(duration);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(duration);
    }
    return new BigDecimal(matcher.group(1))
        .multiply(BigDecimal.valueOf(MILLIS.get(matcher.group(2))))
        .divide(BigDecimal.valueOf(MILLIS.get(unit)), MathContext.DECIMAL64);
  }

  private static Form bytes(List<String> units) {
    Form number = Form.integers(1, MOST_BYTES);
    return units.stream()
        .map(
            unit ->
                Form.integers(1, Math.min(MOST_BYTES, Long.MAX_VALUE >> 10 * units.indexOf(unit)))
                    .then(" ?" + Form.inAnyCase(unit)))
        .reduce(number, Form::or)
        .with(number.numbers());
  }

  private static Form label(String first, int most) {
    return Form.of(first + "(?:[-a-z0-9]{0," + (most - 2) + "}[a-z0-9])?");
  }

  private static Form authMethods(List<String> methods) {
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
  }
}
