package io.github.pgendpoints.alert;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;

/** Which alerts a sink takes: the option {@code only} of {@code alerts:all}. */
enum AlertFilter {
  /** WARN, ERROR, the end of a condition, and a new primary. */
  TROUBLE(
      alert ->
          alert.severity() != Alert.Severity.INFO
              || alert.ends() != null
              || alert.kind() == Alert.Kind.PRIMARY_CHANGED),
  /** Each write of an object. */
  WRITES(alert -> alert.kind() == Alert.Kind.WRITTEN);

  private final Predicate<Alert> taken;

  AlertFilter(Predicate<Alert> taken) {
    this.taken = taken;
  }

  /**
   * Reads the option.
   *
   * @param text a comma-separated list; empty for all alerts
   * @throws IllegalArgumentException with the allowed values
   */
  static Set<AlertFilter> parse(String text) {
    Set<AlertFilter> only = EnumSet.noneOf(AlertFilter.class);
    for (String word : text.isBlank() ? new String[0] : text.split(",")) {
      only.add(
          Arrays.stream(values())
              .filter(value -> value.name().equals(word.trim().toUpperCase(Locale.ROOT)))
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "only is %s, allowed: trouble, writes".formatted(text))));
    }
    return only;
  }

  /** Whether a sink with this option takes the alert. */
  static boolean takes(Set<AlertFilter> only, Alert alert) {
    return only.isEmpty() || only.stream().anyMatch(value -> value.taken.test(alert));
  }
}
