package io.github.pgendpoints.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The schema of {@code settings} and {@code cronJob.env} in the chart, as the code defines it. */
final class SettingsSchema {
  /** Settings that the chart sets itself or that hold secrets. */
  private static final Set<String> NOT_OF_THE_CHART =
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

  /** Settings that the chart accepts only among the values of the original chart. */
  private static final List<Setting<?>> OF_THE_ORIGINAL =
      List.of(SettingsCatalog.CHART_NAME, SettingsCatalog.NAMESPACE);

  private static final Set<String> SECRETS_OF_SINKS =
      Set.of("ALERT_MAIL_PASSWORD", "ALERT_SLACK_URL", "ALERT_WEBHOOK_URL");
  private static final Pattern NEEDS = Pattern.compile("needs: (.*)");
  private static final Pattern NEEDED = Pattern.compile("(ALERT_\\w+)\\??[, ]*");
  private static final String PLACEHOLDER = SettingsReader.PLACEHOLDER;

  private SettingsSchema() {}

  /** Returns the settings that the chart accepts. */
  static Stream<Setting<?>> settings() {
    return SettingsReference.all().filter(setting -> !NOT_OF_THE_CHART.contains(setting.name()));
  }

  /** Returns the properties of {@code settings}, one per line. */
  static String ofSettings() throws IOException {
    Map<String, Object> properties = new LinkedHashMap<>();
    settings().forEach(setting -> properties.put(setting.name(), schema(setting)));
    for (String name : sinkVariables()) {
      if (!SECRETS_OF_SINKS.contains(name)) {
        properties.put(name, schema(ofSink(name), List.of()));
      }
      properties.put(name + "_FILE", schema(Form.ANY, List.of()));
    }
    return lines(properties, "        ");
  }

  /** Returns the properties of {@code cronJob.env}, one per line: all names of these settings. */
  static String ofTheOriginal() throws IOException {
    Map<String, Object> properties = new LinkedHashMap<>();
    settings()
        .forEach(
            setting ->
                names(setting)
                    .forEach(
                        name ->
                            properties.put(
                                name,
                                Map.of("$ref", "#/properties/settings/properties/" + setting))));
    OF_THE_ORIGINAL.forEach(
        setting -> names(setting).forEach(name -> properties.put(name, schema(setting))));
    return lines(properties, "            ");
  }

  private static Stream<String> names(Setting<?> setting) {
    return Stream.concat(Stream.of(setting.name()), setting.aliases().stream());
  }

  private static Map<String, Object> schema(Setting<?> setting) {
    List<Object> not = new ArrayList<>();
    if (setting == SettingsCatalog.JOLOKIA_PORT) {
      int taken = SettingsCatalog.MANAGEMENT_PORT.defaultValue();
      not.add(Map.of("const", taken));
      not.add(text("^[+]?0*" + taken + "$"));
    }
    if (setting == SettingsCatalog.PG_NODES) {
      // The chart's default is the placeholder alone, so the schema allows that.
      not.add(text(PLACEHOLDER + ".|." + PLACEHOLDER));
    }
    return schema(SettingForms.of(setting), not);
  }

  /** Returns the form of a sink's setting, as {@code SinkSettings} checks it. */
  private static Form ofSink(String name) {
    if (name.endsWith("_PORT")) {
      return Form.integers(1, 65535);
    }
    if (name.endsWith("_TLS")) {
      return Form.words(List.of("starttls", "tls", "off"), /* ignoreCase= */ false);
    }
    return name.endsWith("_URL") ? Form.of("https?://[^\\s/?#@]+(?:[/?#]\\S*)?") : Form.ANY;
  }

  private static Map<String, Object> schema(Form form, List<Object> not) {
    Map<String, Object> schema = new LinkedHashMap<>();
    List<Object> refused = new ArrayList<>(not);
    List<String> types = new ArrayList<>(List.of("string"));
    if (form.regex() == null || form.numbers() != null) {
      types.add("number");
    }
    if (form.matches("true") && form.matches("false")) {
      types.add("boolean");
    } else if (form.matches("off")) {
      // YAML reads off without quotes as false.
      types.add("boolean");
      refused.add(Map.of("const", true));
    }
    types.add("null");
    schema.put("type", types);
    if (form.regex() == null) {
      refused.add(text(PLACEHOLDER));
    } else {
      schema.put("pattern", "^(?:" + form.regex() + ")?$");
    }
    if (form.numbers() != null) {
      schema.put("minimum", form.numbers().min());
      schema.put("maximum", form.numbers().max());
      schema.put("multipleOf", form.numbers().step());
    }
    if (form.except() != null) {
      refused.add(text(form.except()));
    }
    if (!refused.isEmpty()) {
      schema.put("not", refused.size() == 1 ? refused.get(0) : Map.of("anyOf", refused));
    }
    return schema;
  }

  /** Returns the schema of strings with this pattern; without a type, non-strings match, too. */
  private static Map<String, Object> text(String pattern) {
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "string");
    schema.put("pattern", pattern);
    return schema;
  }

  private static Set<String> sinkVariables() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> sinks = Files.list(Path.of("routes/alerts"))) {
      for (Path sink : sinks.toList()) {
        NEEDS
            .matcher(Files.readString(sink))
            .results()
            .flatMap(needs -> NEEDED.matcher(needs.group(1)).results())
            .forEach(needed -> names.add(needed.group(1)));
      }
    }
    return names;
  }

  private static String lines(Map<String, Object> properties, String indent) {
    ObjectMapper json = new ObjectMapper();
    return properties.entrySet().stream()
        .map(
            property -> {
              try {
                return indent
                    + json.writeValueAsString(property.getKey())
                    + ": "
                    + json.writeValueAsString(property.getValue());
              } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
              }
            })
        .collect(Collectors.joining(",\n"));
  }
}
