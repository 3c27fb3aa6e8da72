package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.openshift.api.model.monitoring.v1.Rule;
import io.github.pgendpoints.support.Monitoring;
import io.github.pgendpoints.support.Promtool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The alerts and dashboard of the component monitoring; MetricsIT tests what they may query. */
class MonitoringTest {
  private static final Path SERIES = Path.of("src/test/resources/monitoring/alerts.test.yaml");
  private static final Pattern SECTION = Pattern.compile("(?m)^### (PgEndpoints\\w+)$");

  @TempDir private Path folder;

  @Test
  void alertsFireOnWhatTheyAreFor() throws IOException {
    Files.writeString(
        folder.resolve("rules.yaml"), Serialization.asYaml(Monitoring.rules().getSpec()));
    Files.copy(SERIES, folder.resolve("alerts.test.yaml"));

    Promtool.run(folder, "", "check", "rules", "rules.yaml");
    Promtool.run(folder, "", "test", "rules", "alerts.test.yaml");
  }

  @Test
  void everyAlertIsSeenToFireAndNotTo() throws IOException {
    Set<String> alerts =
        Monitoring.alerts().stream().map(Rule::getAlert).collect(Collectors.toSet());
    Set<String> fire = new TreeSet<>();
    Set<String> rest = new TreeSet<>();
    JsonNode series =
        new ObjectMapper()
            .valueToTree(Serialization.unmarshal(Files.readString(SERIES), Map.class));
    for (JsonNode test : series.get("tests")) {
      for (JsonNode alert : test.get("alert_rule_test")) {
        (alert.get("exp_alerts").isEmpty() ? rest : fire).add(alert.get("alertname").asText());
      }
    }
    assertEquals(alerts, fire);
    assertEquals(alerts, rest);
  }

  @Test
  void everyAlertHasASectionOfTheRunbook() throws IOException {
    String runbook = Files.readString(Path.of("docs/runbook.md"));
    for (Rule alert : Monitoring.alerts()) {
      assertEquals(
          "docs/runbook.md#" + alert.getAlert().toLowerCase(Locale.ROOT),
          alert.getAnnotations().get("runbook"));
      assertTrue(alert.getAnnotations().get("summary").length() > 10, alert::getAlert);
      assertTrue(
          Set.of("critical", "warning").contains(alert.getLabels().get("severity")),
          alert::getAlert);
    }
    assertEquals(
        Monitoring.alerts().stream().map(Rule::getAlert).toList(),
        SECTION.matcher(runbook).results().map((MatchResult found) -> found.group(1)).toList(),
        "the alerts, in their order");
  }

  /** The test first replaces the variables, as Grafana does. */
  @Test
  void everyExpressionOfTheDashboardCanBeRead() throws IOException {
    List<Map<String, String>> rules =
        Monitoring.dashboard().stream()
            .filter(expression -> !expression.startsWith("label_values("))
            .map(expression -> expression.replaceAll("\\$__(rate_interval|range)", "5m"))
            .map(expression -> Map.of("record", "a:b", "expr", expression))
            .toList();
    assertTrue(rules.size() > 15, rules::toString);
    Files.writeString(
        folder.resolve("dashboard.yaml"),
        Serialization.asYaml(
            Map.of("groups", List.of(Map.of("name", "dashboard", "rules", rules)))));

    Promtool.run(folder, "", "check", "rules", "--lint=none", "dashboard.yaml");
  }
}
