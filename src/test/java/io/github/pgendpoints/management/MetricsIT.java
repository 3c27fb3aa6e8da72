package io.github.pgendpoints.management;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Monitoring;
import io.github.pgendpoints.support.Promtool;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests what a running manager serves to Prometheus. */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class MetricsIT {
  private static final Pattern TYPE = Pattern.compile("# TYPE (\\w+) (\\w+)");
  private static final Pattern SAMPLE =
      Pattern.compile("(\\w+)(?:\\{((?:\\w+=\"[^\"]*\",?)*)})? (NaN|[-+]?[0-9.]+(?:E-?[0-9]+)?)");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");
  private static final Pattern ROW =
      Pattern.compile("\\| `(\\w+)` \\| (\\w+) \\| ([a-z, ]*)\\| .* \\|");

  private final FakeApiServer api;
  private final int port = Http.freePort();
  private final Http http = new Http(port);
  private final PostgresCluster cluster;

  MetricsIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void servesWhatThePageLists() throws IOException {
    // A sink without its URL is left out and counted.
    try (Run run = run().with("ALERT_SINKS", "slack").start(Mode.CONTINUOUS)) {
      until(() -> run.logged("pg-ro created").size() == 1);
      until(() -> value("pgendpoints_alerts_sink_faults_total{sink=\"slack\"}") == 1);
      api.deny("get", "endpoints");
      until(() -> scrape().contains("pgendpoints_api_errors_total"));
      String scrape = scrape();

      assertEquals(listed(), served(scrape));
      assertFalse(scrape.contains(PostgresCluster.PASSWORD), scrape);
      assertFalse(scrape.contains("fake-token"), scrape);
    }
  }

  @Test
  void reportsWhatTheCyclesSeeAndDo() throws SQLException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> value("pgendpoints_service_addresses{service=\"pg-ro\"}") == 2);
      assertEquals(1, value("pgendpoints_node_state{node=\"127.0.0.1\",state=\"primary\"}"));
      assertEquals(0, value("pgendpoints_node_state{node=\"127.0.0.1\",state=\"standby\"}"));
      assertEquals(1, value("pgendpoints_node_state{node=\"127.0.0.2\",state=\"standby\"}"));
      assertEquals(1, value("pgendpoints_primaries"));
      assertEquals(0, value("pgendpoints_dead_branches"));
      assertEquals(1, value("pgendpoints_verdict{rule=\"verified\"}"));
      assertEquals(0, value("pgendpoints_verdict{rule=\"no-primary\"}"));
      assertEquals(1, value("pgendpoints_node_timeline{node=\"127.0.0.1\"}"));
      assertTrue(value("pgendpoints_node_lag_bytes{node=\"127.0.0.2\"}") >= 0);
      assertTrue(Double.isNaN(value("pgendpoints_node_lag_bytes{node=\"127.0.0.1\"}")));
      assertEquals(1, value("pgendpoints_writes_total{service=\"pg-rw\"}"));
      assertEquals(0, value("pgendpoints_conflicts_total{service=\"pg-rw\"}"));
      assertEquals(0, value("pgendpoints_topology_changes_total"));
      assertEquals(1, value("pgendpoints_cycles_running"));
      assertTrue(value("pgendpoints_verified_age_seconds") < 10);
      assertTrue(value("pgendpoints_probe_duration_seconds_count{node=\"127.0.0.3\"}") > 0);
      assertTrue(value("pgendpoints_cycle_duration_seconds_count{outcome=\"verified\"}") > 0);

      cluster.primary().kill();
      until(() -> value("pgendpoints_node_state{node=\"127.0.0.1\",state=\"down\"}") == 1);
      until(() -> value("pgendpoints_cycle_duration_seconds_count{outcome=\"refused\"}") > 0);
      assertEquals(0, value("pgendpoints_primaries"));
      assertEquals(1, value("pgendpoints_verdict{rule=\"no-primary\"}"));
      assertEquals(0, value("pgendpoints_verdict{rule=\"verified\"}"));
      cluster.servers().get(1).promote();
      until(() -> value("pgendpoints_topology_changes_total") >= 1);
      until(() -> value("pgendpoints_node_timeline{node=\"127.0.0.2\"}") == 2);
      assertTrue(value("pgendpoints_writes_total{service=\"pg-rw\"}") >= 2);

      cluster.servers().get(0).start();
      until(() -> value("pgendpoints_dead_branches") == 1);
      assertEquals(2, value("pgendpoints_primaries"));
      assertEquals(1, value("pgendpoints_verdict{rule=\"verified\"}"));
      double cycles = value("pgendpoints_cycle_duration_seconds_count{outcome=\"verified\"}");
      until(
          () ->
              value("pgendpoints_cycle_duration_seconds_count{outcome=\"verified\"}")
                  > cycles + 20);
      assertTrue(
          value("pgendpoints_verified_age_seconds") < 2, "beside a dead branch it is verified");
      assertEquals(List.of(), run.logged("cycle failed"));
    }
  }

  @Test
  void countsConflicts() {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("pg-ro created").size() == 1);
      api.beforeNext(
          "PATCH",
          "endpoints",
          () ->
              api.editEndpoints(
                  "pg-rw",
                  endpoints -> endpoints.editMetadata().addToLabels("team", "red").endMetadata()));
      api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);

      until(() -> value("pgendpoints_writes_total{service=\"pg-rw\"}") == 2);
      assertEquals(1, value("pgendpoints_conflicts_total{service=\"pg-rw\"}"));
    }
  }

  @Test
  void servesWhatAlertsAndDashboardAsk() throws IOException {
    try (Run run = run().with("ALERT_SINKS", "slack").start(Mode.CONTINUOUS)) {
      until(() -> run.logged("pg-ro created").size() == 1);
      api.deny("get", "endpoints");
      until(() -> scrape().contains("pgendpoints_api_errors_total"));
      until(() -> scrape().contains("pgendpoints_alerts_sink_faults_total"));
      String scrape = scrape();

      TreeSet<String> asked = Monitoring.asked();
      assertTrue(asked.size() > 15, asked::toString);
      for (String metric : asked) {
        String name = metric.replaceFirst("\\[.*", "");
        List<String> samples =
            scrape.lines().filter(line -> line.matches(name + "[{ ].*")).toList();
        assertFalse(samples.isEmpty(), name + " is not served");
        for (String label : metric.replaceAll(".*\\[|]", "").split(", ")) {
          assertTrue(
              label.isEmpty() || samples.get(0).contains(label + "=\""), metric + ": " + samples);
        }
      }
      Promtool.run(Path.of(""), scrape, "check", "metrics");
    }
  }

  @Test
  void reportsAPauseWhateverItsSource() throws IOException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("pg-ro created").size() == 1);
      assertEquals(0, value("pgendpoints_paused"));
      api.editEndpoints(
          "pg-rw",
          endpoints ->
              endpoints
                  .editMetadata()
                  .addToAnnotations("postgres.discovery/paused", "true")
                  .endMetadata());
      until(() -> value("pgendpoints_paused") == 1);
      api.editEndpoints(
          "pg-rw",
          endpoints ->
              endpoints
                  .editMetadata()
                  .removeFromAnnotations("postgres.discovery/paused")
                  .endMetadata());
      until(() -> value("pgendpoints_paused") == 0);
    }
    try (Run run = run().with("PAUSED", "true").start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);
      assertEquals(1, value("pgendpoints_paused"));
    }
  }

  /** Returns every metric of the page, with its type and labels. */
  private static Map<String, String> listed() throws IOException {
    return ROW.matcher(Files.readString(Path.of("docs/metrics.md")))
        .results()
        .collect(
            Collectors.toMap(
                row -> row.group(1),
                row ->
                    row.group(2)
                        + new TreeSet<>(
                            List.of(row.group(3).strip().split(", ")).stream()
                                .filter(label -> !label.isEmpty())
                                .toList()),
                (one, other) -> one,
                TreeMap::new));
  }

  private static Map<String, String> served(String scrape) {
    Map<String, String> types = new TreeMap<>();
    Map<String, TreeSet<String>> labels = new TreeMap<>();
    for (String line : scrape.lines().toList()) {
      var type = TYPE.matcher(line);
      if (type.matches()) {
        types.put(type.group(1), type.group(2));
        labels.put(type.group(1), new TreeSet<>());
      } else if (!line.startsWith("# HELP ")) {
        var sample = SAMPLE.matcher(line);
        assertTrue(sample.matches(), "not a sample: " + line);
        String family =
            types.containsKey(sample.group(1))
                ? sample.group(1)
                : sample.group(1).replaceFirst("_(bucket|count|sum)$", "");
        LABEL
            .matcher(String.valueOf(sample.group(2)))
            .results()
            .map(label -> label.group(1))
            .filter(label -> !label.equals("le"))
            .forEach(labels.get(family)::add);
      }
    }
    types.replaceAll((name, type) -> type + labels.get(name));
    return types;
  }

  /** Returns the value of a sample; NaN when it is not served. */
  private double value(String sample) {
    return scrape()
        .lines()
        .filter(line -> line.startsWith(sample + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(sample.length() + 1)))
        .findFirst()
        .orElse(Double.NaN);
  }

  private String scrape() {
    try {
      return http.get("/observe/metrics").body();
    } catch (IOException e) {
      return "";
    }
  }

  private Run run() {
    return new Run(cluster, api)
        .with("PROBE_INTERVAL", "100ms")
        .with("MANAGEMENT_PORT", String.valueOf(port));
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(100)).until(condition);
  }
}
