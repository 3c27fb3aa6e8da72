package io.github.pgendpoints.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.kubernetes.Helm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests that the chart's schema accepts the settings that the program accepts. To write the schema:
 * {@code mvn test -Dtest=SettingsSchemaTest -Dupdate.docs}.
 */
class SettingsSchemaTest {
  private static final String CHART = "charts/postgres-endpoint-manager";
  private static final Path FILE = Path.of(CHART, "values.schema.json");
  private static final Pattern SETTINGS = generated("settings", "      ");
  private static final Pattern ENV = generated("env", "          ");
  private static final Pattern VALUE = Pattern.compile("(?m)^(\\w+) (.*)$");

  /** Values that the program accepts for each setting: texts, or values without quotes. */
  private static final String RIGHT =
      """
      PG_NODES "10.0.0.1", "db-1,db2.example:5433 , 10.0.0.3:1", "[fd00::3]:5432,fd00::1:2", "1a.b_c.", "::ffff:10.0.0.1"
      PG_NODES "127.example", "224.0.1.1", "10.0.0.1:05432", "a", "3.example", "3-a", "_pg"
      RW_SERVICE "a", "orders-rw", true
      RO_SERVICE "b", "orders-ro9"
      PORT_NAME "pg", "5432", 5432, "9a", true
      PUBLISH "endpointslices", "Endpoints", "ENDPOINTSLICES"
      PGUSER "a", "role with blanks", 7, true, "ü"
      PGDATABASE "a", 0.5, false
      PGPORT 1, 65535, "1", "65535", "+5432", "05432", 5432.0
      PGSSLMODE "disable", "verify-ca", "allow", "require"
      PGSSLROOTCERT "src/test/resources/tls/client.crt"
      PGSSLCERT "src/test/resources/tls/client.crt"
      PGSSLKEY "src/test/resources/tls/client.key"
      PGREQUIREAUTH "scram-sha-256", "!password, !md5", "md5,scram-sha-256,", " gss ", "!none"
      PGCONNECT_TIMEOUT 1, 60, "5", "05", "60"
      TCP_CONNECT_TIMEOUT 0.05, "0.05", 60, "60.000", 1.5, "00.5", "1.0"
      MAX_WORKERS 1, "1000", "+3"
      PROBE_INTERVAL 5, "5", 0.05, "50ms", "1h", "0.5m", "60m", "3600000ms", "1.5s", "0.001h", "51.5ms"
      PROBE_INTERVAL_UNSTABLE "20ms", 0.5, "1s", 1, "0.001m"
      MIN_REACHABLE_NODES 1, "majority", "MAJORITY", "1000", 2
      ON_SPLIT_BRAIN "hold", "Clear"
      RO_MAX_LAG 16777216, "16MB", "off", "OFF", "1 gb", "1b", false, "999999999999", "8388607TB", 999999999999
      RO_REQUIRE_STREAMING true, false, "TRUE", "False"
      RO_FALLBACK "none", "PRIMARY"
      STANDBY_FAILURES 1, 100, "2"
      STANDBY_SUCCESSES 1, 100, "2"
      PAUSED true, "TRUE", "false", false
      KUBERNETES_TIMEOUT "100ms", 10, "10s", "0.1"
      JOLOKIA_PORT "off", false, 8778, "1", "Off", "65535"
      ALERT_REPEAT 1, "720h", "2592000s", "43200m", "1000ms"
      ALERT_SINKS "events", " webhook", "Mail, slack", "none", "NONE", "webhook alertmanager,"
      LOG_LEVEL "info", "WARNING", "Critical", "notset", "trace"
      LOG_FORMAT "text", "JSON"
      """;

  /** Values that the program does not accept for each setting. */
  private static final String WRONG =
      """
      PG_NODES "10.0.0.1;10.0.0.2", "10.0.0.256", "127.0.0.1", "10.0.0.1,", "db:0", "db:65536", "http://db", "-db"
      PG_NODES "10.0.0.01", "[10.0.0.1]:5432", "a b", "fe80::1", "::1", "10.0.0.1,[::]:5432", "0.0.0.0", "x@y", "1:2:3"
      PG_NODES "a:b", "db.REPLACE-ME", "10.0.0", 5, "[fd00::1", "169.254.0.1:5432", "224.0.0.5", "db..example", ","
      RW_SERVICE "A", "1a", "a-", "a.b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1
      RO_SERVICE "_", "-a", " a"
      PORT_NAME "Pg", "a_b", "-", -1, 0.5
      PUBLISH "slices", "endpoint-slices", "endpoint_slices", true
      PGUSER "REPLACE-ME"
      PGDATABASE "REPLACE-ME"
      PGPORT 0, 65536, "0", "65536", "-1", "5432x", " 5432", 0.5, true, "5432\\n", "5e3", "٥"
      PGSSLMODE "REQUIRE", "yes", "verify", true
      PGSSLROOTCERT "REPLACE-ME"
      PGSSLCERT "/run/REPLACE-ME"
      PGSSLKEY "REPLACE-ME.key"
      PGREQUIREAUTH "scram", "md5,!gss", "md5,md5", "!md5, !md5", "MD5", ",", "md5,gss,md5", "md5,,gss"
      PGCONNECT_TIMEOUT 0, 61, "5s", "1.5", -5, 1.5, "-5"
      TCP_CONNECT_TIMEOUT 0.04, "0.04", "60.001", "1s", -1, 60.5, 0.0505, "1.", ".5", "-1"
      MAX_WORKERS 0, 1001, "0", "-1", "many", "1001", 2.5
      PROBE_INTERVAL 0, "0", -1, "-1", "-5s", "49ms", "2h", "5 s", "5S", 3601, "1.0001s", "1h1m", "61m", "s", "0.04"
      PROBE_INTERVAL_UNSTABLE "19ms", 0, "-100ms", "1 h", "fast"
      MIN_REACHABLE_NODES 0, "most", "1001", -1, true, 1.5
      ON_SPLIT_BRAIN "stop", true, 1
      RO_MAX_LAG 0, "16 MiB", "-1", "0MB", "1.5GB", "9999999TB", true, "MB", 0.5, "16  MB", "8388608TB"
      RO_REQUIRE_STREAMING "yes", 1, "on"
      RO_FALLBACK "standby", true
      STANDBY_FAILURES 0, 101, "-2", "1.0"
      STANDBY_SUCCESSES 0, 101, "x", 1.5
      PAUSED "ture", 0, "1", "true "
      KUBERNETES_TIMEOUT "99ms", "11s", 0, 10.001, "-1s"
      JOLOKIA_PORT 8080, "8080", 0, true, "no", "08080", "+8080", 70000
      ALERT_REPEAT "999ms", "721h", 0, "1d", "-1h"
      ALERT_SINKS "email", "events;mail", "none,mail", true, ",events"
      LOG_LEVEL "LOUD", 10, "off", "ALL", true
      LOG_FORMAT "xml", "logfmt"
      """;

  @TempDir private Path folder;

  @Test
  void describesSettingsAsTheCodeDefinesThem() throws IOException {
    String written = Files.readString(FILE);
    String expected = replace(SETTINGS, written, SettingsSchema.ofSettings());
    expected = replace(ENV, expected, SettingsSchema.ofTheOriginal());

    if (System.getProperty("update.docs") != null) {
      Files.writeString(FILE, expected);
    } else {
      assertEquals(
          expected, written, "update it: mvn test -Dtest=SettingsSchemaTest -Dupdate.docs");
    }
  }

  /** Run n sets each setting to its n-th value. */
  @ParameterizedTest
  @MethodSource("rightValues")
  void acceptsWhatTheProgramAccepts(Map<String, Object> settings) throws IOException {
    Map<String, String> rendered = render(settings);

    settings.forEach(
        (name, value) ->
            assertTrue(isAccepted(name, rendered.get(name)), name + "=" + rendered.get(name)));
  }

  @ParameterizedTest
  @MethodSource("wrongValues")
  void rejectsByNameWhatTheProgramRejects(Map<String, Object> settings) throws IOException {
    settings.forEach(
        (name, value) -> assertFalse(isAccepted(name, text(value)), name + "=" + value));
    Helm.Result result = Helm.run("lint", CHART, "-f", values(Map.of("settings", settings)));
    assertEquals(1, result.exitCode(), result.out());
    for (String name : settings.keySet()) {
      assertTrue(
          names(result, "settings", name), () -> name + " in " + result.out() + result.err());
    }
  }

  @Test
  void coversEverySetting() {
    List<String> names = SettingsSchema.settings().map(Setting::name).toList();
    assertEquals(names, rightValues().get(0).keySet().stream().toList());
    assertEquals(names, wrongValues().get(0).keySet().stream().toList());
  }

  /** An empty value counts as not set, so the program uses the default. */
  @Test
  void acceptsAnEmptyValueOfEverySetting() throws IOException {
    Map<String, Object> empty = new LinkedHashMap<>();
    SettingsSchema.settings().forEach(setting -> empty.put(setting.name(), ""));
    Map<String, String> rendered = render(empty);

    assertEquals(SettingsCatalog.CHART_NAME.defaultValue() + "-rw", rendered.get("RW_SERVICE"));
    assertEquals(SettingsCatalog.CHART_NAME.defaultValue() + "-ro", rendered.get("RO_SERVICE"));
  }

  @Test
  void checksSinksAndValuesOfTheOriginalChart() throws IOException {
    Map<String, Object> right =
        Map.of("ALERT_MAIL_TLS", false, "ALERT_MAIL_PORT", 587, "ALERT_MAIL_HOST_FILE", "/a");
    assertEquals("off", render(right).get("ALERT_MAIL_TLS"));
    Map<String, Object> wrong =
        Map.of("ALERT_MAIL_TLS", "TLS", "ALERT_MAIL_PORT", 0, "ALERT_ALERTMANAGER_URL", "am:9093");
    Map<String, Object> env = Map.of("PG_PORT", "0", "PROBE_INTERVAL", "-1", "HELM_RELEASE", "A");
    Helm.Result result =
        Helm.run(
            "lint", CHART, "-f", values(Map.of("settings", wrong, "cronJob", Map.of("env", env))));

    assertTrue(
        wrong.keySet().stream().allMatch(name -> names(result, "settings", name)), result::out);
    assertTrue(
        env.keySet().stream().allMatch(name -> names(result, "cronJob.env", name)), result::out);
  }

  static List<Map<String, Object>> rightValues() {
    return columns(RIGHT);
  }

  static List<Map<String, Object>> wrongValues() {
    return columns(WRONG);
  }

  /** Returns the first value of each setting, then the second value of each, and so on. */
  private static List<Map<String, Object>> columns(String table) {
    Map<String, List<Object>> values = new LinkedHashMap<>();
    VALUE
        .matcher(table)
        .results()
        .forEach(
            row ->
                values.merge(
                    row.group(1),
                    Arrays.asList(read("[" + row.group(2) + "]")),
                    (some, more) -> Stream.concat(some.stream(), more.stream()).toList()));
    int longest = values.values().stream().mapToInt(List::size).max().orElseThrow();
    return IntStream.range(0, longest)
        .mapToObj(
            column -> {
              Map<String, Object> settings = new LinkedHashMap<>();
              values.forEach(
                  (name, some) -> {
                    if (column < some.size()) {
                      settings.put(name, some.get(column));
                    }
                  });
              return settings;
            })
        .toList();
  }

  private static Object[] read(String json) {
    try {
      return new ObjectMapper().readValue(json, Object[].class);
    } catch (IOException e) {
      throw new IllegalArgumentException(json, e);
    }
  }

  /** Returns a value as the chart writes it, if the chart does not convert it. */
  private static String text(Object value) {
    return String.valueOf(value);
  }

  private static boolean isAccepted(String name, String value) {
    Map<String, String> environment = new LinkedHashMap<>(Map.of(name, value));
    if (name.equals("PGSSLCERT") || name.equals("PGSSLKEY")) {
      environment.putIfAbsent("PGSSLCERT", "src/test/resources/tls/client.crt");
      environment.putIfAbsent("PGSSLKEY", "src/test/resources/tls/client.key");
    }
    if (value.startsWith("verify-")) {
      environment.put("PGSSLROOTCERT", "src/test/resources/tls/client.crt");
    }
    try {
      SettingsReader.read(environment, /* allowLoopback= */ false);
      return true;
    } catch (InvalidSettingsException e) {
      return false;
    }
  }

  private Map<String, String> render(Map<String, Object> settings) throws IOException {
    List<HasMetadata> objects =
        Helm.render("template", "a", CHART, "-f", values(Map.of("settings", settings)));
    return Manifests.settings(objects);
  }

  private String values(Map<String, Object> values) throws IOException {
    Path file = folder.resolve("values.json");
    new ObjectMapper().writeValue(file.toFile(), values);
    return file.toString();
  }

  /** Helm 3 writes settings.PUBLISH, Helm 4 writes /settings/PUBLISH. */
  private static boolean names(Helm.Result result, String parent, String name) {
    Predicate<String> named =
        line ->
            line.contains(parent + "." + name + ":")
                || line.contains("/" + parent.replace('.', '/') + "/" + name + "'");
    return (result.out() + result.err()).lines().anyMatch(named);
  }

  private static Pattern generated(String name, String indent) {
    return Pattern.compile(
        "(?s)(?<=\"%s\": \\{\\n%s\"type\": .{0,200}?\"properties\": \\{\\n).*?(?=\\n%s\\})"
            .formatted(name, indent, indent));
  }

  private static String replace(Pattern region, String text, String replacement) {
    assertTrue(region.matcher(text).find(), region.pattern());
    return region.matcher(text).replaceFirst(Matcher.quoteReplacement(replacement));
  }
}
