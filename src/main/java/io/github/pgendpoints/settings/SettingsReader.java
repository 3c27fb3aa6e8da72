package io.github.pgendpoints.settings;

import static io.github.pgendpoints.settings.SettingsCatalog.*;

import io.github.pgendpoints.kubernetes.Certificates;
import io.github.pgendpoints.postgres.PostgresSettings;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads environment variables into {@link Settings}, and collects every fault. */
public final class SettingsReader {
  /** The text in the manifests that a user has to replace by a value. */
  static final String PLACEHOLDER = "REPLACE-ME";

  /** The character that Java uses for bytes that it cannot decode. */
  private static final char UNDECODABLE = '\uFFFD';

  /** The value of NAME_PORT that Kubernetes sets for a Service of that name. */
  private static final Pattern SERVICE_LINK = Pattern.compile("(tcp|udp|sctp)://.+");

  private final Map<String, String> environment;
  private final boolean allowLoopback;
  private final Map<Setting<?>, Object> values = new HashMap<>();
  private final List<InvalidSetting> faults = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  private SettingsReader(Map<String, String> environment, boolean allowLoopback) {
    this.environment = withoutServiceLinks(environment);
    this.allowLoopback = allowLoopback;
  }

  /**
   * Reads and validates all settings.
   *
   * @param environment names to values; an empty value counts as not set, and so does the link to a
   *     Service, such as PG_PORT=tcp://10.96.0.12:5432
   * @param allowLoopback whether loopback addresses are accepted, for tests and the demo
   * @throws InvalidSettingsException with all faults, in the order of the reference
   */
  public static Settings read(Map<String, String> environment, boolean allowLoopback)
      throws InvalidSettingsException {
    SettingsReader reader = new SettingsReader(environment, allowLoopback);
    Settings settings = reader.settings();
    if (!reader.faults.isEmpty()) {
      List<Setting<?>> order = SettingsReference.all().toList();
      throw new InvalidSettingsException(
          reader.faults.stream()
              .sorted(Comparator.comparing(fault -> order.indexOf(fault.setting())))
              .map(InvalidSetting::text)
              .toList());
    }
    return settings;
  }

  private static Map<String, String> withoutServiceLinks(Map<String, String> environment) {
    Map<String, String> settings = new HashMap<>(environment);
    settings
        .entrySet()
        .removeIf(
            variable ->
                variable.getKey().endsWith("_PORT")
                    && SERVICE_LINK.matcher(variable.getValue().strip()).matches());
    return settings;
  }

  private Settings settings() {
    SettingsReference.all().forEach(this::read);
    List<Node> nodes = nodes();
    warnIfSeveralPasswords();
    Settings settings = new Settings(values, environment, nodes, allowLoopback, warnings);
    checkServices(settings);
    checkPorts(settings);
    checkIntervals(settings);
    checkQuorum(settings);
    checkTls(settings.postgres());
    checkLogin(settings.postgres());
    return settings;
  }

  /** Reads one setting. After a fault, the default is used instead. */
  private void read(Setting<?> setting) {
    Map.Entry<String, String> variable = setting.variable(environment);
    if (variable == null) {
      return;
    }
    if (variable.getValue().indexOf(UNDECODABLE) >= 0) {
      faults.add(
          new InvalidSetting(
              setting, variable.getKey() + " cannot be read in this locale; set LC_ALL=C.UTF-8"));
      return;
    }
    // Many types would accept it: REPLACE-ME is a valid host name, too.
    if (variable.getValue().contains(PLACEHOLDER)) {
      fault(setting, "is a placeholder");
      return;
    }
    try {
      values.put(setting, setting.type().parser().apply(variable.getValue()));
    } catch (IllegalArgumentException e) {
      fault(setting, Objects.requireNonNullElse(e.getMessage(), ""));
    }
  }

  private List<Node> nodes() {
    String text = (String) values.get(PG_NODES);
    if (text == null) {
      return List.of();
    }
    try {
      int port = (Integer) values.getOrDefault(PGPORT, PGPORT.defaultValue());
      NodeList nodes = NodeList.parse(text, port, allowLoopback);
      nodes
          .duplicates()
          .forEach(node -> warnings.add("PG_NODES lists " + node + " more than once"));
      return nodes.nodes();
    } catch (IllegalArgumentException e) {
      fault(PG_NODES, "(" + e.getMessage() + ")");
      return List.of();
    }
  }

  private void warnIfSeveralPasswords() {
    List<String> set =
        Stream.of(PGPASSWORD_FILE, PGPASSWORD, PGPASSFILE)
            .filter(this::isSet)
            .map(Setting::name)
            .toList();
    if (set.size() > 1) {
      warnings.add(
          "%s are set: %s takes precedence".formatted(String.join(" and ", set), set.get(0)));
    }
  }

  private void checkServices(Settings settings) {
    if (settings.rwService().equals(settings.roService())) {
      fault(RO_SERVICE, settings.roService(), "is also the RW_SERVICE");
    }
  }

  private void checkPorts(Settings settings) {
    // Management listens on all addresses, which include the loopback address of Jolokia.
    if (settings.get(JOLOKIA_PORT) != null
        && settings.get(JOLOKIA_PORT).equals(settings.get(MANAGEMENT_PORT))) {
      fault(
          JOLOKIA_PORT, String.valueOf(settings.get(JOLOKIA_PORT)), "is also the MANAGEMENT_PORT");
    }
  }

  private void checkIntervals(Settings settings) {
    if (isSet(PROBE_INTERVAL_UNSTABLE)
        && settings.get(PROBE_INTERVAL_UNSTABLE).compareTo(settings.get(PROBE_INTERVAL)) > 0) {
      fault(PROBE_INTERVAL_UNSTABLE, "is longer than PROBE_INTERVAL");
    }
  }

  private void checkQuorum(Settings settings) {
    int nodes = settings.nodes().size();
    // A name may have the addresses of several servers.
    boolean isCounted =
        settings.nodes().stream().allMatch(node -> Addresses.isAddress(node.host()));
    if (nodes > 0 && isCounted && settings.get(MIN_REACHABLE_NODES).nodes() > nodes) {
      fault(MIN_REACHABLE_NODES, "can never be met by %d nodes".formatted(nodes));
    }
  }

  private void checkTls(PostgresSettings settings) {
    if (isSet(PGSSLCERT) != isSet(PGSSLKEY)) {
      Setting<String> alone = isSet(PGSSLCERT) ? PGSSLCERT : PGSSLKEY;
      Setting<String> missing = isSet(PGSSLCERT) ? PGSSLKEY : PGSSLCERT;
      fault(alone, "is set without " + missing);
    }
    if (values.containsKey(PGSSLCERT) && values.containsKey(PGSSLKEY)) {
      checkKey(settings.sslCert(), settings.sslKey());
    }
    if (settings.sslMode().verifyCertificate() && !isSet(PGSSLROOTCERT)) {
      checkDefault(PostgresSettings.defaultRootCertificates());
    }
  }

  private void checkKey(String certificate, String key) {
    // The driver prompts for the password of a key store, for which there is no setting.
    if (!key.matches(".*\\.(p12|pfx)")) {
      String problem =
          Certificates.faultOfPkcs8(FileTypes.content(key), FileTypes.content(certificate));
      if (problem != null) {
        fault(PGSSLKEY, problem);
      }
    }
  }

  private void checkDefault(Path rootCertificates) {
    if (!Files.isReadable(rootCertificates)) {
      fault(PGSSLMODE, "needs PGSSLROOTCERT");
      return;
    }
    String problem = Certificates.fault(FileTypes.content(rootCertificates.toString()));
    if (problem != null) {
      fault(PGSSLROOTCERT, rootCertificates.toString(), problem);
    }
  }

  private void checkLogin(PostgresSettings settings) {
    if (!settings.allowsLogin()) {
      fault(
          PGREQUIREAUTH,
          settings.nodesListed()
              ? "leaves no way to log in"
              : "leaves no way to log in without PG_NODES and without verified TLS");
    }
  }

  private boolean isSet(Setting<?> setting) {
    return setting.variable(environment) != null;
  }

  private void fault(Setting<?> setting, String problem) {
    fault(setting, "", problem);
  }

  /** Records a fault of the value that is set, or else of this default. */
  private void fault(Setting<?> setting, String derived, String problem) {
    Map.Entry<String, String> variable = setting.variable(environment);
    faults.add(
        variable == null
            ? InvalidSetting.of(setting, setting.name(), derived, problem)
            : InvalidSetting.of(setting, variable.getKey(), variable.getValue(), problem));
  }
}
