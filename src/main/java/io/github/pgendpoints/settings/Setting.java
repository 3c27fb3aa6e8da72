package io.github.pgendpoints.settings;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Every environment variable the program reads, with its aliases, default and what is allowed: the
 * one source of the {@code --help} text and of the messages about faults. A test compares README's
 * table with it.
 */
public enum Setting {
  PG_NODES(
      "from the annotations of the last run",
      "comma-separated host, host:port or [ipv6]:port",
      "The PostgreSQL nodes: names or addresses; the port defaults to PGPORT."),
  NAMESPACE(
      "the pod's namespace, then the kubeconfig's",
      "a DNS-1123 label",
      "Namespace of the two Services.",
      "DEFAULT_NAMESPACE"),
  CHART_NAME(
      "postgres-external",
      "a DNS-1035 label that leaves room for -rw",
      "Makes the default names of the Services: CHART-rw and CHART-ro.",
      "HELM_RELEASE"),
  RW_SERVICE("CHART-rw", "a DNS-1035 label", "Service whose Endpoints hold the primary."),
  RO_SERVICE(
      "CHART-ro",
      "a DNS-1035 label, not RW_SERVICE's",
      "Service whose Endpoints hold the standbys."),
  PGUSER("repmgr", "any role name", "Role that logs in to probe; LOGIN is all it needs."),
  PGDATABASE("repmgr", "any database name", "Database to log in to."),
  PGPASSWORD_FILE(
      "",
      "a readable file that is not empty",
      "File with the password, such as a mounted Secret; read again at each login."),
  PGPASSWORD("", "any text", "The password, where PGPASSWORD_FILE is not set."),
  PGPASSFILE(
      "~/.pgpass where it exists",
      "a readable file in libpq's format",
      "Password file of libpq, where neither of the above is set."),
  PGPORT("5432", "1 to 65535", "Port of the nodes that are listed without one.", "PG_PORT"),
  PGSSLMODE(
      "prefer",
      "disable, allow, prefer, require, verify-ca or verify-full",
      "As libpq's; verify-full checks the name written in PG_NODES."),
  PGSSLROOTCERT(
      "~/.postgresql/root.crt where it exists",
      "a readable file",
      "Certificates (PEM) that verify-ca and verify-full trust."),
  PGSSLCERT("", "a readable file, set together with PGSSLKEY", "Client certificate (PEM)."),
  PGSSLKEY(
      "",
      "a readable file, set together with PGSSLCERT",
      "Key of the client certificate (PKCS-8, PEM or DER)."),
  PGREQUIREAUTH(
      "!password, and any with verified TLS",
      "comma-separated password, md5, gss, sspi, scram-sha-256, none, or all of them with ! before",
      "How a server may have us log in, as libpq's; without PG_NODES never by password or md5,"
          + " unless TLS is verified."),
  PGCONNECT_TIMEOUT(
      "5", "whole seconds, 1 to 60", "Seconds that connect, login and query may take."),
  TCP_CONNECT_TIMEOUT(
      "1.0",
      "decimal seconds, 0.05 to 60",
      "Seconds that a node may take to show that anybody is there."),
  MAX_WORKERS("64", "1 to 1000", "Logins that may run at the same time."),
  PROBE_INTERVAL(
      "1s",
      "50ms to 1h, such as 500ms, 1s or 2m",
      "Time from one cycle to the next in continuous mode."),
  PROBE_INTERVAL_UNSTABLE(
      "100ms",
      "20ms to 1h, not above PROBE_INTERVAL",
      "The same while a node changes, or the topology is refused, and for 5 s after it."),
  MIN_REACHABLE_NODES(
      "1",
      "1 to 1000, not more than the nodes of PG_NODES, or majority",
      "Listed servers that must be a primary or a standby for anything to be written."),
  ON_SPLIT_BRAIN(
      "hold",
      "hold or clear",
      "With more than one primary: hold writes nothing, clear empties RW_SERVICE's Endpoints."),
  RO_MAX_LAG(
      "off",
      "off, or bytes such as 16MB (B, kB, MB, GB, TB, times 1024 each)",
      "A standby further behind leaves the read-only Service, and is back below half of it."),
  RO_REQUIRE_STREAMING(
      "false", "true or false", "Whether a standby without a WAL receiver is not read from."),
  RO_FALLBACK("none", "none or primary", "What is read from when no standby is left."),
  STANDBY_FAILURES(
      "2",
      "1 to 100",
      "Failed probes in a row before a standby is no longer read from, in continuous mode."),
  STANDBY_SUCCESSES(
      "1", "1 to 100", "Good probes in a row before a standby is read from, in continuous mode."),
  PAUSED("false", "true or false", "Whether everything goes on but writing."),
  PUBLISH(
      "endpoints",
      "endpoints or endpointslices",
      "What is written: Endpoints, which Kubernetes mirrors, or EndpointSlices of our own."),
  KUBERNETES_TIMEOUT(
      "5s",
      "100ms to 10s, such as 500ms or 5s",
      "Time one request to the Kubernetes API may take."),
  KUBECONFIG(
      "~/.kube/config, then the pod's service account",
      "a readable kubeconfig file, or several with colons between",
      "Access to the Kubernetes API from outside a pod."),
  PORT_NAME(
      "postgresql", "a DNS-1123 label", "Name of the Endpoints' port; must be the Services' own."),
  LEASE_NAME(
      "no election",
      "a DNS-1123 label",
      "Lease that one of several replicas holds; only the holder writes, in continuous mode."),
  STATE(
      "only the process remembers",
      "a DNS-1123 label",
      "ConfigMap that keeps the published line, a split brain and what was alerted of.",
      "ALERT_STATE"),
  MANAGEMENT_PORT(
      "8080",
      "off, or 1 to 65535",
      "Port that serves health and metrics in continuous mode, on every address."),
  JOLOKIA_PORT(
      "8778",
      "off, or 1 to 65535 but not MANAGEMENT_PORT",
      "Port at 127.0.0.1 for Hawtio in continuous mode; off switches JMX off too."),
  ALERT_REPEAT(
      "1h",
      "1s to 720h, such as 30m or 1h",
      "Time after which a condition that lasts is alerted again, in continuous mode."),
  ALERT_SINKS(
      "none",
      "none, or comma-separated: alertmanager, events, mail, slack, webhook",
      "Shipped sinks that get the alerts, beside the log."),
  LOG_LEVEL(
      "INFO", "TRACE, DEBUG, INFO, WARN, ERROR, or Python's names", "What is logged, to stderr."),
  LOG_FORMAT("text", "text or json", "One line of text, or one JSON object, an event.");

  private final String defaultText;
  private final String allowed;
  private final String meaning;
  private final List<String> aliases;

  Setting(String defaultText, String allowed, String meaning, String... aliases) {
    this.defaultText = defaultText;
    this.allowed = allowed;
    this.meaning = meaning;
    this.aliases = List.of(aliases);
  }

  /** The default as people read it: a value, or where it comes from; empty when there is none. */
  public String defaultText() {
    return defaultText;
  }

  /** What is allowed, in a few words. */
  public String allowed() {
    return allowed;
  }

  /** What the setting is for: one sentence. */
  public String meaning() {
    return meaning;
  }

  /** Older names, read where the setting's own name is not set. */
  public List<String> aliases() {
    return aliases;
  }

  /**
   * The variable that {@code environment} sets for this setting.
   *
   * @return its name and value; null when neither the name nor an alias is set, or all are empty
   */
  public Map.Entry<String, String> in(Map<String, String> environment) {
    return Stream.concat(Stream.of(name()), aliases.stream())
        .filter(name -> !Objects.requireNonNullElse(environment.get(name), "").isEmpty())
        .map(name -> Map.entry(name, environment.get(name)))
        .findFirst()
        .orElse(null);
  }

  /** The text {@code --help} prints, for a terminal of 80 columns. */
  public static String help() {
    StringBuilder text = new StringBuilder();
    for (Setting setting : values()) {
      StringBuilder details = new StringBuilder("Allowed: " + setting.allowed + ".");
      if (!setting.defaultText.isEmpty()) {
        details.append(" Default: ").append(setting.defaultText).append('.');
      }
      if (!setting.aliases.isEmpty()) {
        details.append(" Alias: ").append(String.join(", ", setting.aliases)).append('.');
      }
      String name = setting.name();
      for (String line : (wrapped(setting.meaning) + wrapped(details.toString())).split("\n")) {
        text.append("  %-20s %s%n".formatted(name, line));
        name = "";
      }
    }
    return text.toString();
  }

  private static String wrapped(String text) {
    return text.replaceAll("(.{1,56})( +|$)", "$1\n");
  }
}
