package io.github.pgendpoints.settings;

import static io.github.pgendpoints.settings.SettingsCatalog.*;

import io.github.pgendpoints.alert.SinkSettings;
import io.github.pgendpoints.postgres.Password;
import io.github.pgendpoints.postgres.PostgresSettings;
import io.github.pgendpoints.topology.Node;
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
  private final SinkSettings sinks;
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
    this.sinks = new SinkSettings(environment);
  }

  @SuppressWarnings("unchecked") // Only the setting's own parser puts a value here.
  public <T> T get(Setting<T> setting) {
    return (T) (values.containsKey(setting) ? values.get(setting) : setting.defaultValue());
  }

  /** The nodes of PG_NODES; empty if it is not set. */
  public List<Node> nodes() {
    return nodes;
  }

  public String rwService() {
    return Objects.requireNonNullElse(get(RW_SERVICE), get(CHART_NAME) + "-rw");
  }

  public String roService() {
    return Objects.requireNonNullElse(get(RO_SERVICE), get(CHART_NAME) + "-ro");
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

  public ReadOnlyRules readOnlyRules() {
    return new ReadOnlyRules(get(RO_MAX_LAG), get(RO_REQUIRE_STREAMING), get(RO_FALLBACK));
  }

  /** The interval while the topology is unstable, never longer than PROBE_INTERVAL. */
  public Duration unstableProbeInterval() {
    Duration unstable = get(PROBE_INTERVAL_UNSTABLE);
    return unstable.compareTo(get(PROBE_INTERVAL)) < 0 ? unstable : get(PROBE_INTERVAL);
  }

  public SinkSettings sinks() {
    return sinks;
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
}
