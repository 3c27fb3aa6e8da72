package io.github.pgendpoints.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Counts cycles and faults, and formats the counts as Markdown tables. */
final class Figures {
  private static final class Row {
    private int happened;
    private int verified;
    private int withErrors;
    private int refused;
    private int failed;
    private int writes;
    private final List<Long> millis = new ArrayList<>();

    private void add(Watch.Cycle cycle) {
      switch (cycle.exitCode()) {
        case 0 -> verified++;
        case 1 -> {
          if (cycle.verified()) {
            withErrors++;
          } else {
            refused++;
          }
        }
        default -> failed++;
      }
      writes += cycle.writes();
      millis.add(cycle.took().toMillis());
    }

    private void add(Row other) {
      happened += other.happened;
      verified += other.verified;
      withErrors += other.withErrors;
      refused += other.refused;
      failed += other.failed;
      writes += other.writes;
      millis.addAll(other.millis);
    }

    private String line(String name) {
      List<Long> sorted = millis.stream().sorted().toList();
      return "| %s | %s | %d | %d | %d | %d | %d | %d | %s | %s | %s |"
          .formatted(
              name,
              happened == 0 ? "" : happened,
              millis.size(),
              verified,
              withErrors,
              refused,
              failed,
              writes,
              quantile(sorted, 0.5),
              quantile(sorted, 0.99),
              quantile(sorted, 1));
    }

    private static String quantile(List<Long> sorted, double part) {
      return sorted.isEmpty()
          ? ""
          : String.valueOf(sorted.get((int) Math.ceil(part * sorted.size()) - 1));
    }
  }

  private final Map<String, Row> rows = new LinkedHashMap<>();

  /** Counts a fault. */
  synchronized void happened(Fault fault) {
    row(fault.toString()).happened++;
  }

  synchronized void add(Watch.Cycle cycle) {
    row(cycle.fault()).add(cycle);
  }

  private Row row(String name) {
    return rows.computeIfAbsent(name, unseen -> new Row());
  }

  /** Returns the table of cycles, grouped by the last event before each cycle began. */
  synchronized String cycles() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "| Last event | Happened | Cycles | Verified | With ERROR | Refused | API failed | Writes | Median ms | p99 ms | Worst ms |");
    lines.add("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    Row all = new Row();
    rows.forEach(
        (name, row) -> {
          lines.add(row.line(name));
          all.add(row);
        });
    lines.add(all.line("**all**"));
    return String.join("\n", lines);
  }

  static String usage(Usage start, Usage end) {
    return String.join(
        "\n",
        "| Held | At the start | At the end |",
        "| --- | --- | --- |",
        "| threads | %d | %d |".formatted(start.count(), end.count()),
        "| file descriptors | %d | %d |".formatted(start.files(), end.files()),
        "| sockets among them | %d | %d |".formatted(start.sockets(), end.sockets()),
        "| PostgreSQL sessions of our role | %d | %d |".formatted(start.backends(), end.backends()),
        "| heap after a collection, MiB | %.1f | %.1f |"
            .formatted(start.heapBytes() / 1048576.0, end.heapBytes() / 1048576.0));
  }

  static String machine(String postgres) {
    return "%s, %d processors, %s memory; Java %s; PostgreSQL %s"
        .formatted(
            field("/proc/cpuinfo", "model name"),
            Runtime.getRuntime().availableProcessors(),
            field("/proc/meminfo", "MemTotal"),
            Runtime.version(),
            postgres);
  }

  private static String field(String file, String name) {
    try (Stream<String> lines = Files.lines(Path.of(file))) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("an unnamed processor");
    } catch (IOException e) {
      return "an unknown " + name;
    }
  }
}
