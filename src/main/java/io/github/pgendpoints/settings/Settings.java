package io.github.pgendpoints.settings;

import static io.github.pgendpoints.settings.SettingsCatalog.*;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.alert.SinkSettings;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.postgres.Password;
import io.github.pgendpoints.postgres.PostgresSettings;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * All settings, validated. {@link SettingsCatalog} describes them. Immutable; {@code toString}
 * shows no value.
 */
public final class Settings {
  private final Map<Setting<?>, Object> values;
  private final Map<String, String> environment;
  private final List<Node> nodes;
  private final PostgresSettings postgres;
  private final AlertSettings alerts;
  private final boolean allowLoopback;
  private final List<String> warnings;

  /**
   * @param values of the settings that are set, each of its setting's type
   * @param nodes from PG_NODES; empty if that is not set
   * @param allowLoopback whether loopback addresses may be published, for tests and the demo
   * @param warnings what is allowed but probably a mistake: one sentence each
   */
  Settings(
      Map<Setting<?>, Object> values,
      Map<String, String> environment,
      List<Node> nodes,
      boolean allowLoopback,
      List<String> warnings) {
    // Not Map.copyOf: null stands for off.
    this.values = new HashMap<>(values);
    this.environment = Map.copyOf(environment);
    this.nodes = List.copyOf(nodes);
    this.allowLoopback = allowLoopback;
    this.warnings = List.copyOf(warnings);
    this.postgres =
        new PostgresSettings(
            get(PGUSER),
            get(PGDATABASE),
            password(),
            get(PGPORT),
            get(PGSSLMODE),
            get(PGSSLROOTCERT),
            get(PGSSLCERT),
            get(PGSSLKEY),
            get(PGREQUIREAUTH),
            !nodes.isEmpty(),
            get(PGCONNECT_TIMEOUT),
            get(TCP_CONNECT_TIMEOUT),
            get(MAX_WORKERS));
    this.alerts =
        new AlertSettings(get(ALERT_REPEAT), get(ALERT_SINKS), new SinkSettings(environment));
  }

  @SuppressWarnings("unchecked") // Only the setting's own parser puts a value here.
  <T> T get(Setting<T> setting) {
    return (T) (values.containsKey(setting) ? values.get(setting) : setting.defaultValue());
  }

  /** The nodes of PG_NODES; empty if it is not set. */
  public List<Node> nodes() {
    return nodes;
  }

  /** NAMESPACE; null if it is not set. */
  public String namespace() {
    return get(NAMESPACE);
  }

  public String rwService() {
    return orDefault(get(RW_SERVICE), get(CHART_NAME) + "-rw");
  }

  public String roService() {
    return orDefault(get(RO_SERVICE), get(CHART_NAME) + "-ro");
  }

  public PostgresSettings postgres() {
    return postgres;
  }

  private Password password() {
    if (get(PGPASSWORD_FILE) != null) {
      return Password.file(get(PGPASSWORD_FILE));
    }
    if (get(PGPASSWORD) != null) {
      return Password.fixed(get(PGPASSWORD));
    }
    return Password.passfile(get(PGPASSFILE) == null ? null : Path.of(get(PGPASSFILE)));
  }

  public Quorum quorum() {
    return get(MIN_REACHABLE_NODES);
  }

  /** Whether the read-write Endpoints are emptied, not held, while there are several primaries. */
  public boolean clearOnSplitBrain() {
    return get(ON_SPLIT_BRAIN);
  }

  public ReadOnlyRules readOnlyRules() {
    return new ReadOnlyRules(get(RO_MAX_LAG), get(RO_REQUIRE_STREAMING), get(RO_FALLBACK));
  }

  public int standbyFailures() {
    return get(STANDBY_FAILURES);
  }

  public int standbySuccesses() {
    return get(STANDBY_SUCCESSES);
  }

  public boolean paused() {
    return get(PAUSED);
  }

  public Duration probeInterval() {
    return get(PROBE_INTERVAL);
  }

  /** The interval while the topology is unstable, never longer than {@link #probeInterval}. */
  public Duration unstableProbeInterval() {
    Duration unstable = get(PROBE_INTERVAL_UNSTABLE);
    return unstable.compareTo(probeInterval()) < 0 ? unstable : probeInterval();
  }

  public boolean publishSlices() {
    return get(PUBLISH);
  }

  public Duration kubernetesTimeout() {
    return get(KUBERNETES_TIMEOUT);
  }

  public String portName() {
    return get(PORT_NAME);
  }

  /** The Lease that elects a leader; null if there is no election. */
  public String leaseName() {
    return get(LEASE_NAME);
  }

  /** The ConfigMap that stores what outlives the process; null if none does. */
  public String state() {
    return get(STATE);
  }

  /** The port for health and metrics; null if it is off. */
  public Integer managementPort() {
    return get(MANAGEMENT_PORT);
  }

  /** The port for Hawtio; null if it is off. */
  public Integer jolokiaPort() {
    return get(JOLOKIA_PORT);
  }

  public AlertSettings alerts() {
    return alerts;
  }

  public Level logLevel() {
    return get(LOG_LEVEL);
  }

  public Logging.Format logFormat() {
    return get(LOG_FORMAT);
  }

  /** Whether loopback addresses may be published, which Kubernetes never accepts. */
  public boolean allowLoopback() {
    return allowLoopback;
  }

  public List<String> warnings() {
    return warnings;
  }

  /**
   * A hash of the settings that affect what the program finds: processes with the same hash find
   * the same. It excludes PGPASSWORD and the settings of the log.
   */
  public String fingerprint() {
    StringBuilder text = new StringBuilder();
    SettingsReference.all()
        .filter(setting -> !List.of(PGPASSWORD, LOG_LEVEL, LOG_FORMAT).contains(setting))
        .map(setting -> setting.variable(environment))
        .filter(Objects::nonNull)
        .forEach(variable -> text.append(variable).append('\n'));
    try {
      byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String orDefault(String value, String other) {
    return value == null ? other : value;
  }
}
