package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.PrimaryClass;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.StandbyClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares the tables in docs/rules.md with the code, row by row. */
class RulesPageTest {
  private static final Path PAGE = Path.of("docs/rules.md");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z-]+)` \\|(.*)\\|$");

  static Stream<Arguments> tables() {
    return Stream.of(
        Arguments.of("Classes of primaries", PrimaryClass.values(), 5),
        Arguments.of("Rules", Rule.values(), 4),
        Arguments.of("Classes of standbys", StandbyClass.values(), 4));
  }

  @ParameterizedTest
  @MethodSource("tables")
  void hasEveryRowInItsOrder(String heading, Object[] names, int columns) throws IOException {
    List<MatchResult> rows = ROW.matcher(section(heading)).results().toList();

    assertEquals(
        Arrays.stream(names).map(Object::toString).toList(),
        rows.stream().map(row -> row.group(1)).toList());
    for (MatchResult row : rows) {
      assertEquals(columns, row.group(2).split(" \\| ", -1).length, row.group());
    }
  }

  /** The tests of timeline histories run this function on real servers. */
  @Test
  void hasTheFunctionAsItShips() throws IOException {
    String shipped =
        Files.readString(Path.of("src/main/resources/sql/history-function.sql"))
            .lines()
            .filter(line -> !line.startsWith("--"))
            .reduce("", (text, line) -> text + line + "\n");

    assertTrue(Files.readString(PAGE).contains(shipped), shipped);
  }

  private static String section(String heading) throws IOException {
    return Arrays.stream(Files.readString(PAGE).split("(?m)^## "))
        .filter(section -> section.startsWith(heading + "\n"))
        .findFirst()
        .orElseThrow();
  }
}
