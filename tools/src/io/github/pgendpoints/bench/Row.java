package io.github.pgendpoints.bench;

import java.util.List;

/**
 * A row of the table.
 *
 * @param what the quantity measured
 * @param target the value to reach
 * @param measured the value measured now
 * @param beside a value measured in the same run, for comparison
 */
record Row(String what, String target, String measured, String beside) {
  /** Returns a table in Markdown, as in docs/performance.md. */
  static String table(List<Row> rows) {
    StringBuilder table =
        new StringBuilder("| what | target | measured | beside it, in the same run |\n");
    table.append("| --- | --- | --- | --- |\n");
    rows.forEach(
        row ->
            table.append(
                "| %s | %s | %s | %s |%n"
                    .formatted(row.what, row.target, row.measured, row.beside)));
    return table.toString();
  }
}
