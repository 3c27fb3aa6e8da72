package io.github.pgendpoints.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.status.Status.NodeRow;
import io.github.pgendpoints.status.Status.ServiceRow;
import io.github.pgendpoints.status.Status.Source;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatusTableTest {
  private static final List<NodeRow> NODES =
      List.of(
          new NodeRow("db1", "10.0.0.1", 5432, "PRIMARY", 3L, "0/3", null, List.of("pg-rw"), ""),
          new NodeRow(
              "db2",
              "10.0.0.2",
              5432,
              "STANDBY",
              null,
              "0/2",
              17L << 20,
              List.of("pg-rw", "pg-ro"),
              "not read from: 17825792 bytes behind the primary"),
          new NodeRow(
              "db3",
              null,
              5432,
              "DOWN",
              null,
              null,
              null,
              List.of(),
              "the name does not resolve: db3 is unknown to every server of names there is"));

  private static final Instant AT = Instant.parse("2026-11-28T16:20:01.5Z");
  private static final Source PROBE = Source.probe(AT);

  @Test
  void namesTheManagerThatFoundIt() {
    assertEquals(
        "Found by the running manager pem-0, at 2026-11-28T16:20:01Z, 0 s ago.",
        lastLine(Source.manager("pem-0", null, null, AT, AT)));
    assertEquals(
        "Found by the running manager pem-0, which leads, at 2026-11-28T16:20:01Z, 0 s ago.",
        lastLine(Source.manager("pem-0", true, "pem-0", AT, AT)));
    assertEquals(
        "Found by the running manager pem-0, which stands by, at 2026-11-28T16:20:01Z, 7 s ago. pem-1 leads.",
        lastLine(Source.manager("pem-0", false, "pem-1", AT, AT.plusSeconds(7))));
  }

  private static String lastLine(Source source) {
    Status status = new Status(0, true, false, List.of(), NODES, List.of(), source);
    List<String> lines = new StatusTable(status).text().lines().toList();
    return String.join(" ", lines.subList(lines.lastIndexOf("") + 1, lines.size()));
  }

  @Test
  void reportsWhereToLookWhenTheAddressesAreAlike() {
    Status status =
        new Status(
            0,
            true,
            false,
            List.of(),
            NODES,
            List.of(
                new ServiceRow("pg-rw", List.of("a"), List.of("a"), false, null),
                new ServiceRow("pg-ro", List.of("a"), List.of("b"), false, null)),
            PROBE);

    String text = new StatusTable(status).text();

    assertTrue(text.matches("(?s).*pg-rw +a +a +differs: see --dry-run\n.*"), text);
    assertTrue(text.matches("(?s).*pg-ro +a +b +differs\n?.*"), text);
    assertEquals(1, text.split("--dry-run", -1).length - 1);
  }

  @Test
  void alignsColumnsAndBreaksTheLast() {
    Status status =
        new Status(
            0,
            true,
            false,
            List.of(),
            NODES,
            List.of(
                new ServiceRow("pg-rw", List.of("10.0.0.1:5432 (pg)"), null, false, null),
                new ServiceRow("pg-ro", List.of(), List.of("10.0.0.2:5432 (pg)", "b"), true, null)),
            PROBE);

    assertEquals(
        """
        Verified.

        NODE  ADDRESS   STATE    TIMELINE  LAG      PUBLISHED IN  REASON
        db1   10.0.0.1  PRIMARY  3         -        pg-rw
        db2   10.0.0.2  STANDBY  -         17.0 MB  pg-rw         not read from: 17825792 bytes behind the
                                                    pg-ro         primary
        db3   -         DOWN     -         -        -             the name does not resolve: db3 is unknown
                                                                  to every server of names there is

        SERVICE  DESIRED             OBSERVED
        pg-rw    10.0.0.1:5432 (pg)  nothing yet         differs
        pg-ro    -                   10.0.0.2:5432 (pg)  up to date
                                     b

        Probed by this command at 2026-11-28T16:20:01Z.""",
        new StatusTable(status).text());
  }

  @Test
  void showsWhereClientsAreLedIfThatDiffers() {
    List<String> written = List.of("10.0.0.1:5432 (pg)");
    Status status =
        new Status(
            3,
            true,
            false,
            List.of(),
            NODES,
            List.of(
                new ServiceRow(
                    "pg-rw", written, written, true, List.of("10.0.0.1:5432 (pg)", "10.0.0.9:1")),
                new ServiceRow("pg-ro", List.of(), written, true, List.of())),
            PROBE);
    String text = new StatusTable(status).text();

    assertTrue(
        text.startsWith("Verified, but clients see other addresses than those written.\n"), text);
    assertTrue(
        text.endsWith(
            """
            SERVICE        DESIRED             OBSERVED
            pg-rw          10.0.0.1:5432 (pg)  10.0.0.1:5432 (pg)  up to date
            - its clients  10.0.0.1:5432 (pg)  10.0.0.1:5432 (pg)  differs
                                               10.0.0.9:1
            pg-ro          -                   10.0.0.1:5432 (pg)  up to date
            - its clients  10.0.0.1:5432 (pg)  -                   differs

            Probed by this command at 2026-11-28T16:20:01Z."""),
        text);
  }

  @Test
  void fitsTerminalsOf100Columns() {
    String reason = "multiple primaries, nothing is written: " + "db1 at 10.0.0.1, ".repeat(20);
    Status status = new Status(1, false, false, List.of(reason), NODES, List.of(), PROBE);
    String text = new StatusTable(status).text();

    text.lines().forEach(line -> assertTrue(line.length() <= 100, line));
    assertTrue(text.startsWith("Refused.\n- multiple primaries"), text);
  }

  @ParameterizedTest
  @CsvSource({
    "0, true, false, Verified.",
    "0, true, true, Verified. Paused: nothing is written.",
    "1, true, false, 'Verified, but action is required.'",
    "1, true, true, 'Verified, but action is required. Paused: nothing is written.'",
    "3, true, false, 'Verified, but it cannot be published.'",
    "1, false, false, Refused."
  })
  void reportsTheFirstState(int exitCode, boolean verified, boolean paused, String headline) {
    Status status = new Status(exitCode, verified, paused, List.of(), NODES, List.of(), PROBE);

    assertEquals(headline, new StatusTable(status).text().lines().findFirst().orElseThrow());
  }

  @ParameterizedTest
  @CsvSource({"0, 0 B", "1023, 1023 B", "1024, 1.0 kB", "16777216, 16.0 MB"})
  void printsBytesAsPostgresDoes(long bytes, String text) {
    assertEquals(text, StatusTable.bytes(bytes));
  }
}
