package io.github.pgendpoints.alert;

import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The fields of an alert that a template may name: all but lists. */
final class AlertFields {
  private static final Pattern NAMED = Pattern.compile("\\$\\{([\\w.-]{1,40})}");
  private static final List<String> NAMES = names("", Alert.class).sorted().toList();

  private AlertFields() {}

  private static Stream<String> names(String prefix, Class<?> type) {
    return Stream.of(type.getRecordComponents()).flatMap(field -> names(prefix, field));
  }

  private static Stream<String> names(String prefix, RecordComponent field) {
    Class<?> type = field.getType();
    String name = prefix + field.getName();
    return type.isRecord()
        ? names(name + ".", type)
        : List.class.isAssignableFrom(type) ? Stream.empty() : Stream.of(name);
  }

  static String allowed() {
    return String.join(", ", NAMES);
  }

  /** Returns the fields that a template names but no alert has; empty if there are none. */
  static String unknownIn(String template) {
    return NAMED
        .matcher(template)
        .results()
        .filter(named -> !NAMES.contains(named.group(1)))
        .map(MatchResult::group)
        .distinct()
        .collect(Collectors.joining(", "));
  }
}
