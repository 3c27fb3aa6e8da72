package io.github.pgendpoints.settings;

import static io.github.pgendpoints.settings.SettingsCatalog.*;

import java.util.List;
import java.util.stream.Stream;

/** The reference of all settings, for users. */
public final class SettingsReference {
  /** Settings that belong together. */
  record Section(String title, List<Setting<?>> settings) {}

  /** All settings by subject, in the order of the reference. */
  static final List<Section> SECTIONS =
      List.of(
          new Section(
              "Nodes and Services",
              List.of(PG_NODES, NAMESPACE, CHART_NAME, RW_SERVICE, RO_SERVICE, PORT_NAME, PUBLISH)),
          new Section(
              "Login to PostgreSQL",
              List.of(
                  PGUSER,
                  PGDATABASE,
                  PGPASSWORD_FILE,
                  PGPASSWORD,
                  PGPASSFILE,
                  PGPORT,
                  PGSSLMODE,
                  PGSSLROOTCERT,
                  PGSSLCERT,
                  PGSSLKEY,
                  PGREQUIREAUTH)),
          new Section(
              "Probes",
              List.of(
                  PGCONNECT_TIMEOUT,
                  TCP_CONNECT_TIMEOUT,
                  MAX_WORKERS,
                  PROBE_INTERVAL,
                  PROBE_INTERVAL_UNSTABLE)),
          new Section(
              "Rules",
              List.of(
                  MIN_REACHABLE_NODES,
                  ON_SPLIT_BRAIN,
                  RO_MAX_LAG,
                  RO_REQUIRE_STREAMING,
                  RO_FALLBACK,
                  STANDBY_FAILURES,
                  STANDBY_SUCCESSES,
                  PAUSED)),
          new Section("Kubernetes API", List.of(KUBECONFIG, KUBERNETES_TIMEOUT, LEASE_NAME, STATE)),
          new Section(
              "Monitoring, alerts, and log",
              List.of(
                  MANAGEMENT_PORT,
                  JOLOKIA_PORT,
                  ALERT_REPEAT,
                  ALERT_SINKS,
                  LOG_LEVEL,
                  LOG_FORMAT)));

  private SettingsReference() {}

  /** All settings, in the order of the reference. */
  public static Stream<Setting<?>> all() {
    return SECTIONS.stream().flatMap(section -> section.settings().stream());
  }

  /** The part of {@code --help} about settings, for a terminal of 80 columns. */
  public static String help() {
    StringBuilder help = new StringBuilder();
    all()
        .forEach(
            setting -> {
              String name = setting.name();
              for (String line : wrap(setting.description() + "\n" + details(setting))) {
                help.append("  %-23s %s%n".formatted(name, line));
                name = "";
              }
            });
    return help.toString();
  }

  private static String details(Setting<?> setting) {
    String details = "Allowed: " + setting.allowed() + ".";
    if (!setting.defaultInWords().isEmpty()) {
      details += " Default: " + setting.defaultInWords() + ".";
    }
    return setting.aliases().isEmpty()
        ? details
        : details + " Alias: " + String.join(", ", setting.aliases()) + ".";
  }

  private static String[] wrap(String text) {
    return text.replaceAll("(.{1,53})( +|\n|$)", "$1\n").split("\n");
  }
}
