package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Protection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One column of a probe: a block of sql/probe.sql.
 *
 * @param needs the rights that it requires, as in a GRANT, such as {@code EXECUTE ON FUNCTION
 *     pg_catalog.pg_control_system()}
 * @param protects the protection that is off without it; null if there is none
 */
record ProbeColumn(String name, String sql, List<String> needs, Protection protects) {
  /** The column that decides the role. */
  static final String IN_RECOVERY = "in_recovery";

  /** The ID of the server process that answered. */
  static final String BACKEND = "backend";

  /** All columns, {@link #IN_RECOVERY} first. */
  static final List<ProbeColumn> ALL = parse(Sql.named("probe"));

  private static final String NAME = "-- name: ";
  private static final String NEEDS = "-- needs: ";
  private static final String PROTECTS = "-- protects: ";

  /** Parses the blocks of a file, separated by empty lines. A block without a name is a comment. */
  private static List<ProbeColumn> parse(String file) {
    return Arrays.stream(file.split("\n\\s*\n"))
        .filter(block -> block.startsWith(NAME))
        .map(ProbeColumn::ofBlock)
        .toList();
  }

  private static ProbeColumn ofBlock(String block) {
    List<String> needs = new ArrayList<>();
    List<String> sql = new ArrayList<>();
    String name = null;
    Protection protects = null;
    for (String line : block.split("\n")) {
      if (line.startsWith(NAME)) {
        name = line.substring(NAME.length()).strip();
      } else if (line.startsWith(NEEDS)) {
        needs.add(line.substring(NEEDS.length()).strip());
      } else if (line.startsWith(PROTECTS)) {
        protects = Protection.valueOf(line.substring(PROTECTS.length()).strip());
      } else if (!line.startsWith("--")) {
        sql.add(line.strip());
      }
    }
    return new ProbeColumn(name, String.join(" ", sql), List.copyOf(needs), protects);
  }

  /** Compares only the unique names. Each probe compares columns, and all parts take long. */
  @Override
  public boolean equals(Object other) {
    return other instanceof ProbeColumn column && name.equals(column.name);
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  /** An SQL expression that is true if our role has the rights; null if the column needs none. */
  private String granted() {
    return needs.isEmpty()
        ? null
        : needs.stream().map(ProbeColumn::granted).collect(Collectors.joining(" AND "));
  }

  private static String granted(String right) {
    String[] parts = right.split(" ", 4);
    return "pg_catalog.has_%s_privilege('%s', '%s')"
        .formatted(parts[2].toLowerCase(Locale.ROOT), parts[3], parts[0]);
  }

  /** The name of the column that holds whether our role has the rights. */
  String grantedName() {
    return "granted_" + name;
  }

  /**
   * Returns the query for some of the columns.
   *
   * @param withRights whether it also checks, for each column that exists, the rights it needs
   */
  static String select(List<ProbeColumn> columns, boolean withRights) {
    List<String> items = new ArrayList<>();
    columns.forEach(column -> items.add(column.sql() + " AS " + column.name()));
    if (withRights) {
      ALL.stream()
          .filter(column -> !column.needs().isEmpty())
          .forEach(column -> items.add(column.granted() + " AS " + column.grantedName()));
    }
    return "SELECT %s FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery OFFSET 0) AS role"
        .formatted(String.join(", ", items));
  }
}
