package io.github.pgendpoints.topology;

import java.util.List;
import java.util.function.Predicate;

/** A row of a table in which the first match holds. */
record Row<T, C>(T result, Predicate<C> when) {
  static <T, C> Row<T, C> row(T result, Predicate<C> when) {
    return new Row<>(result, when);
  }

  /**
   * The result of the first row that matches.
   *
   * @throws IllegalStateException when none does: every table ends with a row that always does
   */
  static <T, C> T first(List<Row<T, C>> table, C subject) {
    return table.stream()
        .filter(row -> row.when().test(subject))
        .map(Row::result)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no row matches " + subject));
  }
}
