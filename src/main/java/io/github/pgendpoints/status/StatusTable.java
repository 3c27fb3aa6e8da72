package io.github.pgendpoints.status;

import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.status.Status.NodeRow;
import io.github.pgendpoints.status.Status.ServiceRow;
import io.github.pgendpoints.status.Status.Source;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Formats a {@link Status} as text for a terminal of 100 columns.
 *
 * <p>Picocli's TextTable cannot print it: it starts the next column below a cell of several lines,
 * and it interprets markup such as <code>@|bold x|@</code> in the messages of a server.
 */
public final class StatusTable {
  private static final int WIDTH = 100;

  /** A narrower last column is unreadable: the terminal breaks the line instead. */
  private static final int LEAST = 20;

  private static final List<String> UNITS = List.of("B", "kB", "MB", "GB", "TB", "PB");

  private final Status status;

  public StatusTable(Status status) {
    this.status = status;
  }

  /** Returns the text, without a line break at the end. */
  public String text() {
    List<String> lines = new ArrayList<>();
    lines.add(headline());
    status.reasons().forEach(reason -> lines.addAll(wrapped("- " + reason, WIDTH)));
    if (!status.nodes().isEmpty()) {
      lines.add("");
      lines.addAll(
          table(
              List.of("NODE", "ADDRESS", "STATE", "TIMELINE", "LAG", "PUBLISHED IN", "REASON"),
              status.nodes().stream().map(StatusTable::cells).toList()));
    }
    if (!status.services().isEmpty()) {
      lines.add("");
      lines.addAll(
          table(
              List.of("SERVICE", "DESIRED", "OBSERVED", ""),
              status.services().stream().flatMap(StatusTable::rows).toList()));
    }
    lines.add("");
    lines.addAll(wrapped(source(status.source()), WIDTH));
    return String.join(System.lineSeparator(), lines);
  }

  private static String source(Source source) {
    if (source.replica() == null) {
      return "Probed by this command at %s.".formatted(source.at());
    }
    String role =
        source.leading() == null ? "" : source.leading() ? ", which leads" : ", which stands by";
    String other =
        source.leader() == null || !Boolean.FALSE.equals(source.leading())
            ? ""
            : " %s leads.".formatted(ForeignText.clean(source.leader()));
    return "Found by the running manager %s%s, at %s, %d s ago.%s"
        .formatted(
            ForeignText.clean(source.replica()), role, source.at(), source.ageSeconds(), other);
  }

  private String headline() {
    if (status.nodes().isEmpty()) {
      return "The nodes were not probed.";
    }
    if (!status.verified()) {
      return "Refused.";
    }
    if (status.services().stream().anyMatch(service -> service.clients() != null)) {
      return "Verified, but clients see other addresses than those written.";
    }
    if (status.exitCode() == 3) {
      return "Verified, but it cannot be published.";
    }
    return (status.exitCode() == 0 ? "Verified." : "Verified, but action is required.")
        + (status.paused() ? " Paused: nothing is written." : "");
  }

  private static List<String> cells(NodeRow node) {
    return List.of(
        node.node(),
        text(node.address()),
        node.state(),
        text(node.timeline()),
        node.lag() == null ? "-" : bytes(node.lag()),
        lines(node.publishedIn()),
        node.reason());
  }

  private static Stream<List<String>> rows(ServiceRow service) {
    return service.clients() == null
        ? Stream.of(cells(service))
        : Stream.of(
            cells(service),
            List.of(
                "- its clients",
                lines(service.observed()),
                lines(service.clients().stream().map(ForeignText::clean).toList()),
                "differs"));
  }

  private static List<String> cells(ServiceRow service) {
    return List.of(
        service.service(),
        service.desired() == null ? "as it is" : lines(service.desired()),
        service.observed() == null ? "nothing yet" : lines(service.observed()),
        difference(service));
  }

  /** If the routes are equal, an annotation or the form of the objects differs: see --dry-run. */
  private static String difference(ServiceRow service) {
    if (service.upToDate() == null) {
      return "";
    }
    if (service.upToDate()) {
      return "up to date";
    }
    boolean routesAlike =
        service.desired() != null
            && service.observed() != null
            && Set.copyOf(service.desired()).equals(Set.copyOf(service.observed()));
    return routesAlike ? "differs: see --dry-run" : "differs";
  }

  private static String text(Object value) {
    return value == null ? "-" : value.toString();
  }

  private static String lines(Collection<String> values) {
    return values.isEmpty() ? "-" : String.join("\n", values);
  }

  /** Returns the size in PostgreSQL's units, such as {@code 16.0 MB}. */
  static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < UNITS.size() - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS.get(unit));
  }

  /** Formats a table. Each column is as wide as its content, and the last one takes the rest. */
  private static List<String> table(List<String> header, List<List<String>> rows) {
    List<List<String>> all = new ArrayList<>();
    all.add(header);
    all.addAll(rows);
    int last = header.size() - 1;
    int[] widths = new int[last + 1];
    int used = 0;
    for (int column = 0; column < last; column++) {
      for (List<String> row : all) {
        for (String line : row.get(column).split("\n")) {
          widths[column] = Math.max(widths[column], line.length());
        }
      }
      used += widths[column] + 2;
    }
    widths[last] = Math.max(LEAST, WIDTH - used);
    List<String> lines = new ArrayList<>();
    for (List<String> row : all) {
      List<List<String>> cells = new ArrayList<>();
      for (int column = 0; column < last; column++) {
        cells.add(List.of(row.get(column).split("\n")));
      }
      cells.add(wrapped(row.get(last), widths[last]));
      int height = cells.stream().mapToInt(List::size).max().orElse(0);
      for (int i = 0; i < height; i++) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column <= last; column++) {
          String cell = i < cells.get(column).size() ? cells.get(column).get(i) : "";
          line.append(cell).append(" ".repeat(Math.max(0, widths[column] - cell.length()) + 2));
        }
        lines.add(line.toString().stripTrailing());
      }
    }
    return lines;
  }

  /** Breaks lines at blanks, or within a word that is longer than a line. */
  private static List<String> wrapped(String text, int width) {
    List<String> lines = new ArrayList<>();
    String rest = text;
    while (rest.length() > width) {
      int blank = rest.lastIndexOf(' ', width);
      int end = blank > 0 ? blank : width;
      lines.add(rest.substring(0, end));
      rest = rest.substring(end).strip();
    }
    lines.add(rest);
    return lines;
  }
}
