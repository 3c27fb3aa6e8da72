package io.github.pgendpoints.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import io.fabric8.openshift.api.model.monitoring.v1.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the component monitoring asks Prometheus. */
public final class Monitoring {
  private static final Path FOLDER = Path.of("k8s/components/monitoring");

  /** A metric of ours, with the labels that are asked of it. */
  private static final Pattern METRIC = Pattern.compile("(pgendpoints_\\w+)(?:\\{([^}]*)})?");

  private static final Pattern LABEL = Pattern.compile("(\\w+)(=~|!~|!=|=)\"");

  /** Those that Prometheus itself gives to all that it scrapes. */
  private static final List<String> OF_THE_SCRAPE = List.of("namespace", "job", "pod", "instance");

  private Monitoring() {}

  public static PrometheusRule rules() throws IOException {
    return Serialization.unmarshal(
        Files.readString(FOLDER.resolve("prometheusrule.yaml")), PrometheusRule.class);
  }

  public static List<Rule> alerts() throws IOException {
    return rules().getSpec().getGroups().stream()
        .flatMap(group -> group.getRules().stream())
        .toList();
  }

  /** Every expression of the dashboard. */
  public static List<String> dashboard() throws IOException {
    JsonNode dashboard =
        new ObjectMapper().readTree(FOLDER.resolve("postgres-endpoint-manager.json").toFile());
    List<String> expressions = new ArrayList<>();
    dashboard.findValues("expr").forEach(expression -> expressions.add(expression.asText()));
    dashboard.at("/templating/list").findValues("query").stream()
        .filter(query -> query.has("query"))
        .forEach(query -> expressions.add(query.get("query").asText()));
    return expressions;
  }

  /** Each metric with the labels that are asked of it, such as {@code node_state[node, state]}. */
  public static TreeSet<String> asked() throws IOException {
    TreeSet<String> asked = new TreeSet<>();
    Stream.concat(alerts().stream().map(alert -> alert.getExpr().getStrVal()), dashboard().stream())
        .flatMap(expression -> METRIC.matcher(expression).results())
        .forEach(metric -> asked.add(metric.group(1) + labels(metric)));
    return asked;
  }

  private static TreeSet<String> labels(MatchResult metric) {
    TreeSet<String> labels = new TreeSet<>();
    if (metric.group(2) != null) {
      LABEL
          .matcher(metric.group(2))
          .results()
          .map(label -> label.group(1))
          .filter(label -> !OF_THE_SCRAPE.contains(label))
          .forEach(labels::add);
    }
    return labels;
  }
}
