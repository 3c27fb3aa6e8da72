package io.github.pgendpoints.bench;

import java.util.List;

/**
 * A line of the table.
 *
 * @param what is measured
 * @param target to be reached
 * @param measured now
 * @param beside what was measured in the same run to compare it with
 */
record Row(String what, String target, String measured, String beside) {
  /** A table in Markdown, as docs/performance.md has it. */
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
