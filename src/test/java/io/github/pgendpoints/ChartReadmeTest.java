package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.settings.Setting;
import io.github.pgendpoints.settings.SettingsReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The README and the schema of the chart, compared with its values and with the settings. */
class ChartReadmeTest {
  private static final Path CHART = Path.of("charts/postgres-endpoint-manager");
  private static final Pattern VALUE = Pattern.compile("( *)(\\w+):(?: (.*))?");
  private static final Pattern NEEDED = Pattern.compile("(ALERT_\\w+)\\??[, ]*");

  /** The chart sets these itself, or they hold secrets. */
  private static final Set<String> NO_SETTINGS_OF_THE_CHART =
      Set.of(
          "CHART_NAME",
          "KUBECONFIG",
          "LEASE_NAME",
          "MANAGEMENT_PORT",
          "NAMESPACE",
          "PGPASSFILE",
          "PGPASSWORD",
          "PGPASSWORD_FILE",
          "STATE");

  private static final Set<String> SECRETS_OF_SINKS =
      Set.of("ALERT_MAIL_PASSWORD", "ALERT_SLACK_URL", "ALERT_WEBHOOK_URL");

  @Test
  void listsEveryValueWithItsDefault() throws IOException {
    Path file = CHART.resolve("README.md");
    String written = Files.readString(file);
    String begin = "<!-- generated: values -->\n";
    String end = "<!-- end of generated -->\n";
    String expected =
        written.substring(0, written.indexOf(begin) + begin.length())
            + table()
            + written.substring(written.indexOf(end));

    if (System.getProperty("update.docs") != null) {
      Files.writeString(file, expected);
    } else {
      assertEquals(expected, written, "update it: mvn test -Dtest=ChartReadmeTest -Dupdate.docs");
    }
  }

  @Test
  void hasASchemaForEveryValue() throws IOException {
    JsonNode schema = new ObjectMapper().readTree(CHART.resolve("values.schema.json").toFile());
    JsonNode values =
        Serialization.unmarshal(Files.readString(CHART.resolve("values.yaml")), JsonNode.class);

    assertDescribed("", values, schema);
  }

  @Test
  void acceptsEverySettingThatIsNoSecret() throws IOException {
    Set<String> expected =
        SettingsReference.all().map(Setting::name).collect(Collectors.toCollection(TreeSet::new));
    expected.removeAll(NO_SETTINGS_OF_THE_CHART);
    try (var sinks = Files.list(Path.of("routes/alerts"))) {
      for (Path sink : sinks.toList()) {
        Matcher needs = Pattern.compile("needs: (.*)").matcher(Files.readString(sink));
        if (needs.find()) {
          NEEDED.matcher(needs.group(1)).results().forEach(name -> expected.add(name.group(1)));
        }
      }
    }
    expected.removeAll(SECRETS_OF_SINKS);

    Set<String> accepted = new TreeSet<>();
    new ObjectMapper()
        .readTree(CHART.resolve("values.schema.json").toFile())
        .at("/properties/settings/properties")
        .fieldNames()
        .forEachRemaining(accepted::add);
    accepted.removeIf(name -> name.startsWith("ALERT_") && name.endsWith("_FILE"));

    assertEquals(expected, accepted);
  }

  private static void assertDescribed(String path, JsonNode values, JsonNode schema) {
    values
        .properties()
        .forEach(
            value -> {
              String name = path + "/" + value.getKey();
              JsonNode described = schema.at("/properties/" + value.getKey());
              assertTrue(described.isObject(), name);
              if (value.getValue().isObject() && described.has("properties")) {
                assertDescribed(name, value.getValue(), described);
              }
            });
  }

  /** Returns a table with a row for each value that has a comment. */
  private static String table() throws IOException {
    StringBuilder table = new StringBuilder("| Value | Default | Meaning |\n| --- | --- | --- |\n");
    Deque<String> parents = new ArrayDeque<>();
    String comment = null;
    for (String line : Files.readAllLines(CHART.resolve("values.yaml"))) {
      Matcher value = VALUE.matcher(line);
      if (line.isBlank()) {
        comment = null;
      } else if (line.strip().startsWith("# ")) {
        String text = line.strip().substring(2);
        comment = comment == null ? text : comment + " " + text;
      } else {
        assertTrue(value.matches(), line);
        while (parents.size() > value.group(1).length() / 2) {
          parents.removeLast();
        }
        parents.addLast(value.group(2));
        assertTrue(comment != null || value.group(3) == null, line + " has a comment");
        if (comment != null) {
          String given = value.group(3) == null ? "" : "`" + value.group(3) + "`";
          table
              .append("| `%s` | %s | %s |".formatted(String.join(".", parents), given, comment))
              .append('\n');
        }
        comment = null;
      }
    }
    return table.toString();
  }
}
