package io.github.pgendpoints.settings;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * An environment variable that the program reads: everything that its parser, {@code --help}, the
 * reference in docs and the messages about faults need to know.
 *
 * @param aliases older names, read if the variable itself is not set
 * @param type what is allowed, and how to read it
 * @param condition what else is required of the value, in words; empty if nothing is
 * @param defaultValue the value if the variable is not set; null if there is none
 * @param defaultText the default in words; null to show the default value
 */
public record Setting<T>(
    String name,
    List<String> aliases,
    ValueType<T> type,
    String condition,
    T defaultValue,
    String defaultText,
    String description) {

  /** Compares names, which are unique. Java's own method for records takes 20 ms of each start. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Setting<?> setting && name.equals(setting.name);
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  /** A setting with a default value. */
  static <T> Setting<T> of(String name, ValueType<T> type, T defaultValue, String description) {
    return new Setting<>(name, List.of(), type, "", defaultValue, null, description);
  }

  /** A setting whose default is not a fixed value; {@code defaultText} describes it. */
  static <T> Setting<T> ofDerivedDefault(
      String name, ValueType<T> type, String defaultText, String description) {
    return new Setting<>(name, List.of(), type, "", null, defaultText, description);
  }

  /** The same setting with an older name. */
  Setting<T> alias(String alias) {
    return new Setting<>(
        name, List.of(alias), type, condition, defaultValue, defaultText, description);
  }

  /** The same setting with a requirement beyond its type. */
  Setting<T> condition(String words) {
    return new Setting<>(name, aliases, type, words, defaultValue, defaultText, description);
  }

  /** The default as users read it: a value, or where it comes from; empty if there is none. */
  public String defaultInWords() {
    return defaultText == null ? type.formatter().apply(defaultValue) : defaultText;
  }

  /** The allowed values as users read them. */
  public String allowed() {
    return condition.isEmpty() ? type.allowed() : type.allowed() + ", " + condition;
  }

  /**
   * The variable that sets this setting.
   *
   * @return its name and value; null if none is set; an empty variable counts as not set
   */
  Map.Entry<String, String> variable(Map<String, String> environment) {
    return Stream.concat(Stream.of(name), aliases.stream())
        .filter(each -> !Objects.requireNonNullElse(environment.get(each), "").isEmpty())
        .map(each -> Map.entry(each, environment.get(each)))
        .findFirst()
        .orElse(null);
  }

  /** The value that the environment sets if it is allowed, and the default otherwise. */
  public T valueOrDefault(Map<String, String> environment) {
    Map.Entry<String, String> variable = variable(environment);
    try {
      return variable == null ? defaultValue : type.parser().apply(variable.getValue());
    } catch (IllegalArgumentException e) {
      return defaultValue;
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
