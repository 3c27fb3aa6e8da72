package io.github.pgendpoints.settings;

import static io.github.pgendpoints.settings.FileTypes.*;
import static io.github.pgendpoints.settings.ValueType.*;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.alert.SinkSettings;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.postgres.AuthMethods;
import io.github.pgendpoints.topology.Quorum;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.postgresql.jdbc.SslMode;

/**
 * All settings. Their defaults, bounds, and descriptions are defined only here: {@link
 * SettingsReader} parses by them, {@link SettingsReference} prints them.
 */
public final class SettingsCatalog {
  // Nodes and Services
  static final Setting<String> PG_NODES =
      Setting.ofDerivedDefault(
          "PG_NODES",
          text("a comma-separated list of host, host:port, or [ipv6]:port"),
          "from the annotations of the last run",
          "PostgreSQL nodes. A node without a port uses PGPORT. If the addresses of a name belong"
              + " to several servers, each is a node.");
  public static final Setting<String> NAMESPACE =
      Setting.ofDerivedDefault(
              "NAMESPACE",
              dns1123Label(),
              "the pod's namespace, then the kubeconfig's",
              "Namespace of both Services.")
          .alias("DEFAULT_NAMESPACE");
  static final Setting<String> CHART_NAME =
      Setting.of(
              "CHART_NAME",
              dns1035Label(60),
              "postgres-external",
              "Prefix of the default names of the Services.")
          .alias("HELM_RELEASE");
  static final Setting<String> RW_SERVICE =
      Setting.ofDerivedDefault(
          "RW_SERVICE",
          dns1035Label(),
          "CHART_NAME-rw",
          "Service whose Endpoints hold the primary.");
  static final Setting<String> RO_SERVICE =
      Setting.ofDerivedDefault(
              "RO_SERVICE",
              dns1035Label(),
              "CHART_NAME-ro",
              "Service whose Endpoints hold the standbys.")
          .condition("other than RW_SERVICE");
  public static final Setting<String> PORT_NAME =
      Setting.of(
          "PORT_NAME",
          dns1123Label(),
          "postgresql",
          "Port name in the Endpoints, which must match that in both Services.");
  public static final Setting<Boolean> PUBLISH =
      Setting.of(
          "PUBLISH", either("endpoints", "endpointslices"), false, "Kind of the objects to write.");

  // Login to PostgreSQL
  static final Setting<String> PGUSER =
      Setting.of(
          "PGUSER", text("any role name"), "repmgr", "Role that logs in. It needs only LOGIN.");
  static final Setting<String> PGDATABASE =
      Setting.of("PGDATABASE", text("any database name"), "repmgr", "Database to log in to.");
  static final Setting<Path> PGPASSWORD_FILE =
      Setting.of(
          "PGPASSWORD_FILE",
          secretFile(),
          null,
          "File with the password, such as a mounted Secret, which is read at each login.");
  static final Setting<String> PGPASSWORD =
      Setting.of(
          "PGPASSWORD",
          text("any text").printableIf(text -> false),
          null,
          "The password, if PGPASSWORD_FILE is not set.");
  static final Setting<String> PGPASSFILE =
      Setting.ofDerivedDefault(
              "PGPASSFILE",
              readableFile(),
              "~/.pgpass if it exists",
              "Password file, if neither PGPASSWORD_FILE nor PGPASSWORD is set.")
          .condition("in the format of libpq");
  static final Setting<Integer> PGPORT =
      Setting.of("PGPORT", range(1, 65535), 5432, "Port of nodes without one in PG_NODES.")
          .alias("PG_PORT");
  static final Setting<SslMode> PGSSLMODE =
      Setting.of(
          "PGSSLMODE",
          tlsMode(),
          SslMode.PREFER,
          "TLS mode, as in libpq. verify-full checks the name in PG_NODES.");
  static final Setting<String> PGSSLROOTCERT =
      Setting.ofDerivedDefault(
          "PGSSLROOTCERT",
          certificates(),
          "~/.postgresql/root.crt if it exists",
          "Root certificates for verify-ca and verify-full.");
  static final Setting<String> PGSSLCERT =
      Setting.of("PGSSLCERT", certificates(), null, "Client certificate.")
          .condition("set together with PGSSLKEY");
  static final Setting<String> PGSSLKEY =
      Setting.of(
              "PGSSLKEY",
              readableFile(),
              null,
              "Key of the client certificate (PKCS-8, as PEM or DER).")
          .condition("set together with PGSSLCERT");
  static final Setting<AuthMethods> PGREQUIREAUTH =
      Setting.ofDerivedDefault(
          "PGREQUIREAUTH",
          authMethods(),
          "!password; with verified TLS, any method",
          "Authentication methods that a server may request, as in libpq.");

  // Probes
  static final Setting<Duration> PGCONNECT_TIMEOUT =
      Setting.of(
          "PGCONNECT_TIMEOUT",
          wholeSeconds("1", "60"),
          Duration.ofSeconds(5),
          "Time limit of a probe. A server that exceeds it is DOWN.");
  static final Setting<Duration> TCP_CONNECT_TIMEOUT =
      Setting.of(
          "TCP_CONNECT_TIMEOUT",
          seconds("0.05", "60"),
          Duration.ofSeconds(1),
          "Time limit of a TCP connection, which is tried twice.");
  static final Setting<Integer> MAX_WORKERS =
      Setting.of("MAX_WORKERS", range(1, 1000), 64, "Maximum number of concurrent logins.");
  public static final Setting<Duration> PROBE_INTERVAL =
      Setting.of(
          "PROBE_INTERVAL",
          durations("50ms", "1h"),
          Duration.ofSeconds(1),
          "Time from one cycle to the next, in continuous mode.");
  static final Setting<Duration> PROBE_INTERVAL_UNSTABLE =
      Setting.of(
              "PROBE_INTERVAL_UNSTABLE",
              durations("20ms", "1h"),
              Duration.ofMillis(100),
              "The same until 5 s after a change, and while the topology is refused, for 5 minutes"
                  + " at most; at least 1 s if every server reports changes of its role. Meanwhile"
                  + " also the time between checks of DOWN nodes.")
          .condition("at most PROBE_INTERVAL");

  // Rules
  public static final Setting<Quorum> MIN_REACHABLE_NODES =
      Setting.of(
              "MIN_REACHABLE_NODES",
              quorum(1, 1000).or("majority", Quorum.MAJORITY),
              new Quorum(1),
              "Number of servers that must be a primary or a standby. With fewer, nothing is"
                  + " written.")
          .condition("at most the number of nodes in PG_NODES, if all are addresses");
  public static final Setting<Boolean> ON_SPLIT_BRAIN =
      Setting.of(
          "ON_SPLIT_BRAIN",
          either("hold", "clear"),
          false,
          "With several primaries, hold writes nothing, and clear empties the Endpoints of"
              + " RW_SERVICE.");
  static final Setting<Long> RO_MAX_LAG =
      Setting.of(
          "RO_MAX_LAG",
          bytes().or("off", null),
          null,
          "A standby with more lag leaves the read-only Service until it is below half of that.");
  static final Setting<Boolean> RO_REQUIRE_STREAMING =
      Setting.of(
          "RO_REQUIRE_STREAMING",
          flag(),
          false,
          "Whether a standby without a WAL receiver leaves the read-only Service.");
  static final Setting<Boolean> RO_FALLBACK =
      Setting.of(
          "RO_FALLBACK",
          either("none", "primary"),
          false,
          "What the read-only Service holds if no standby may serve.");
  public static final Setting<Integer> STANDBY_FAILURES =
      Setting.of(
          "STANDBY_FAILURES",
          range(1, 100),
          2,
          "Failed probes in a row after which a standby leaves the read-only Service, in"
              + " continuous mode.");
  public static final Setting<Integer> STANDBY_SUCCESSES =
      Setting.of(
          "STANDBY_SUCCESSES",
          range(1, 100),
          1,
          "Successful probes in a row after which a standby enters the read-only Service, in"
              + " continuous mode.");
  public static final Setting<Boolean> PAUSED =
      Setting.of("PAUSED", flag(), false, "Whether to pause: cycles run, but nothing is written.");

  // Kubernetes API
  static final Setting<String> KUBECONFIG =
      Setting.ofDerivedDefault(
          "KUBECONFIG",
          readableFiles(),
          "~/.kube/config, then the pod's service account",
          "Access to the Kubernetes API from outside a pod.");
  public static final Setting<Duration> KUBERNETES_TIMEOUT =
      Setting.of(
          "KUBERNETES_TIMEOUT",
          durations("100ms", "10s"),
          Duration.ofSeconds(5),
          "Time limit of a request to the Kubernetes API.");
  public static final Setting<String> LEASE_NAME =
      Setting.ofDerivedDefault(
          "LEASE_NAME",
          dns1123Label(),
          "no election",
          "Lease that elects the replica that writes, in continuous mode.");
  public static final Setting<String> STATE =
      Setting.ofDerivedDefault(
              "STATE",
              dns1123Label(),
              "in memory only",
              "ConfigMap that stores the published line, a split brain, and what was alerted.")
          .alias("ALERT_STATE");

  // Monitoring, alerts and log
  public static final Setting<Integer> MANAGEMENT_PORT =
      Setting.of(
          "MANAGEMENT_PORT",
          range(1, 65535).or("off", null),
          8080,
          "Port for health and metrics on all addresses, in continuous mode.");
  public static final Setting<Integer> JOLOKIA_PORT =
      Setting.of(
              "JOLOKIA_PORT",
              range(1, 65535).or("off", null),
              8778,
              "Port for Hawtio on 127.0.0.1, in continuous mode. off disables JMX, too.")
          .condition("other than MANAGEMENT_PORT");
  public static final Setting<Duration> ALERT_REPEAT =
      Setting.of(
          "ALERT_REPEAT",
          durations("1s", "720h"),
          Duration.ofHours(1),
          "Time between alerts of a condition that lasts, in continuous mode.");
  public static final Setting<Set<String>> ALERT_SINKS =
      Setting.of(
          "ALERT_SINKS",
          namesOf(SinkSettings.SHIPPED).or("none", Set.of()),
          Set.of(),
          "Shipped sinks that receive the alerts.");
  public static final Setting<Level> LOG_LEVEL =
      Setting.of(
          "LOG_LEVEL", logLevel(), Level.INFO, "Lowest level that is logged, to standard error.");
  public static final Setting<Logging.Format> LOG_FORMAT =
      Setting.of(
          "LOG_FORMAT", oneOf(Logging.Format.class), Logging.Format.TEXT, "Format of the log.");

  private SettingsCatalog() {}
}
