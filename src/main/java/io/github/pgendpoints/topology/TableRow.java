package io.github.pgendpoints.topology;

import java.util.List;
import java.util.function.Predicate;

/** A row of a decision table, in which the first matching row decides. */
record TableRow<T, C>(T result, Predicate<C> when) {
  static <T, C> TableRow<T, C> row(T result, Predicate<C> when) {
    return new TableRow<>(result, when);
  }

  /**
   * Returns the result of the first row that matches.
   *
   * @throws IllegalStateException when no row matches; the last row of each table always matches
   */
  static <T, C> T first(List<TableRow<T, C>> table, C subject) {
    return table.stream()
        .filter(row -> row.when().test(subject))
        .map(TableRow::result)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no row matches " + subject));
  }
}
