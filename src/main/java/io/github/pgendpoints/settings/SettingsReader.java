package io.github.pgendpoints.settings;

import static io.github.pgendpoints.settings.Setting.*;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.alert.SinkSettings;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.postgres.AuthMethods;
import io.github.pgendpoints.postgres.Password;
import io.github.pgendpoints.postgres.PostgresSettings;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.jdbc.SslMode;

/** Reads environment variables to {@link Settings}, and collects every fault on the way. */
public final class SettingsReader {
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,3})?)(ms|s|m|h)?");
  private static final Map<String, Integer> MILLIS =
      Map.of("ms", 1, "s", 1_000, "m", 60_000, "h", 3_600_000);
  private static final Pattern BYTES =
      Pattern.compile("(\\d{1,12}) ?([KMGT]?B)?", Pattern.CASE_INSENSITIVE);
  private static final List<String> UNITS = List.of("B", "KB", "MB", "GB", "TB");
  private static final Pattern DNS_1035 = Pattern.compile("[a-z]([-a-z0-9]{0,61}[a-z0-9])?");
  private static final Pattern DNS_1123 = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  /** What the manifests hold where a user has to put a value. */
  private static final String PLACEHOLDER = "REPLACE-ME";

  /** What Java puts for a byte that is no character. */
  private static final char UNREADABLE = '\uFFFD';

  private static final Pattern LOOKS_LIKE_A_PATH =
      Pattern.compile("(/|\\.\\.?/|~)[^\\r\\n]{0,255}");

  private final Map<String, String> environment;
  private final boolean allowLoopback;
  private final List<String> faults = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  private SettingsReader(Map<String, String> environment, boolean allowLoopback) {
    this.environment = environment;
    this.allowLoopback = allowLoopback;
  }

  /**
   * Reads and validates everything.
   *
   * @param environment names to values; an empty value counts as unset
   * @param allowLoopback whether loopback addresses pass, for tests and the demo
   * @throws InvalidSettingsException with every fault there is
   */
  public static Settings read(Map<String, String> environment, boolean allowLoopback)
      throws InvalidSettingsException {
    SettingsReader reader = new SettingsReader(environment, allowLoopback);
    Settings settings = reader.settings();
    if (!reader.faults.isEmpty()) {
      throw new InvalidSettingsException(reader.faults);
    }
    return settings;
  }

  private Settings settings() {
    int port = number(PGPORT, 5432, 1, 65535);
    NodeList nodes = read(PG_NODES, new NodeList(List.of(), List.of()), text -> nodes(text, port));
    nodes.duplicates().forEach(node -> warnings.add("PG_NODES lists " + node + " more than once"));
    String chart = label(CHART_NAME, DNS_1035, "postgres-external", 60);
    Duration interval = duration(PROBE_INTERVAL, "1s", 50, 3_600_000);
    String rwService = label(RW_SERVICE, DNS_1035, chart + "-rw", 63);
    String roService = label(RO_SERVICE, DNS_1035, chart + "-ro", 63);
    if (rwService.equals(roService)) {
      fault("RO_SERVICE", roService, RO_SERVICE, "is the RW_SERVICE too");
    }
    Integer managementPort = read(MANAGEMENT_PORT, 8080, SettingsReader::portOrOff);
    return new Settings(
        nodes.nodes(),
        label(NAMESPACE, DNS_1123, null, 63),
        rwService,
        roService,
        postgres(port, !nodes.nodes().isEmpty()),
        verification(nodes.nodes().size()),
        interval,
        unstableInterval(interval),
        oneOf(PUBLISH, "endpoints", "endpointslices"),
        duration(KUBERNETES_TIMEOUT, "5s", 100, 10_000),
        read(KUBECONFIG, null, SettingsReader::kubeconfig),
        label(PORT_NAME, DNS_1123, "postgresql", 63),
        label(LEASE_NAME, DNS_1123, null, 63),
        label(STATE, DNS_1123, null, 63),
        managementPort,
        read(JOLOKIA_PORT, 8778, text -> jolokiaPort(text, managementPort)),
        alerts(),
        read(LOG_LEVEL, Level.INFO, Logging::level),
        read(LOG_FORMAT, Logging.Format.TEXT, SettingsReader::logFormat),
        allowLoopback,
        List.copyOf(warnings));
  }

  private Duration unstableInterval(Duration interval) {
    Duration unstable = duration(PROBE_INTERVAL_UNSTABLE, "100ms", 20, 3_600_000);
    if (unstable.compareTo(interval) <= 0) {
      return unstable;
    }
    if (PROBE_INTERVAL_UNSTABLE.in(environment) != null) {
      fault(
          "PROBE_INTERVAL_UNSTABLE",
          value(PROBE_INTERVAL_UNSTABLE),
          PROBE_INTERVAL_UNSTABLE,
          "is longer than PROBE_INTERVAL");
    }
    return interval;
  }

  private PostgresSettings postgres(int port, boolean nodesListed) {
    SslMode sslMode = read(PGSSLMODE, SslMode.PREFER, SettingsReader::sslMode);
    String rootCert = file(PGSSLROOTCERT);
    String cert = file(PGSSLCERT);
    String key = file(PGSSLKEY);
    if ((PGSSLCERT.in(environment) == null) != (PGSSLKEY.in(environment) == null)) {
      Setting alone = PGSSLCERT.in(environment) == null ? PGSSLKEY : PGSSLCERT;
      fault(alone.name(), value(alone), alone, "stands alone");
    }
    if (sslMode != null
        && sslMode.verifyCertificate()
        && PGSSLROOTCERT.in(environment) == null
        && !Files.isReadable(PostgresSettings.defaultRootCertificates())) {
      fault("PGSSLMODE", value(PGSSLMODE), PGSSLROOTCERT, "needs PGSSLROOTCERT");
    }
    PostgresSettings settings =
        new PostgresSettings(
            text(PGUSER, "repmgr"),
            text(PGDATABASE, "repmgr"),
            password(),
            port,
            sslMode,
            rootCert,
            cert,
            key,
            read(PGREQUIREAUTH, null, SettingsReader::authMethods),
            nodesListed,
            Duration.ofSeconds(number(PGCONNECT_TIMEOUT, 5, 1, 60)),
            read(TCP_CONNECT_TIMEOUT, Duration.ofSeconds(1), SettingsReader::decimalSeconds),
            number(MAX_WORKERS, 64, 1, 1000));
    if (!settings.allowsLogin()) {
      fault(
          "PGREQUIREAUTH",
          value(PGREQUIREAUTH),
          PGREQUIREAUTH,
          settings.nodesListed()
              ? "leaves no way to log in"
              : "leaves no way to log in without PG_NODES and without verified TLS");
    }
    return settings;
  }

  private VerificationSettings verification(int nodes) {
    return new VerificationSettings(
        read(MIN_REACHABLE_NODES, new Quorum(1), text -> quorum(text, nodes)),
        oneOf(ON_SPLIT_BRAIN, "hold", "clear"),
        new ReadOnlyRules(
            read(RO_MAX_LAG, null, SettingsReader::bytes),
            flag(RO_REQUIRE_STREAMING),
            oneOf(RO_FALLBACK, "none", "primary")),
        number(STANDBY_FAILURES, 2, 1, 100),
        number(STANDBY_SUCCESSES, 1, 1, 100),
        flag(PAUSED));
  }

  private static Quorum quorum(String text, int nodes) {
    if (text.equalsIgnoreCase("majority")) {
      return Quorum.MAJORITY;
    }
    int number = Integer.parseInt(text);
    if (number < 1 || number > 1000) {
      throw new IllegalArgumentException();
    }
    if (nodes > 0 && number > nodes) {
      throw new IllegalArgumentException("can never be met by %d nodes".formatted(nodes));
    }
    return new Quorum(number);
  }

  /** Bytes with PostgreSQL's units; null for off. */
  private static Long bytes(String text) {
    if (text.equalsIgnoreCase("off")) {
      return null;
    }
    Matcher matcher = BYTES.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException();
    }
    int thousands =
        matcher.group(2) == null ? 0 : UNITS.indexOf(matcher.group(2).toUpperCase(Locale.ROOT));
    double bytes = Double.parseDouble(matcher.group(1)) * Math.pow(1024, thousands);
    if (bytes < 1 || bytes > Long.MAX_VALUE) {
      throw new IllegalArgumentException();
    }
    return (long) bytes;
  }

  private AlertSettings alerts() {
    return new AlertSettings(
        duration(ALERT_REPEAT, "1h", 1_000, 720 * 3_600_000L),
        read(ALERT_SINKS, Set.of(), SettingsReader::sinks),
        new SinkSettings(environment));
  }

  private static Set<String> sinks(String text) {
    if (text.equalsIgnoreCase("none")) {
      return Set.of();
    }
    Set<String> names = new TreeSet<>(List.of(text.toLowerCase(Locale.ROOT).split("[, ]+")));
    if (!AlertSettings.SHIPPED.containsAll(names)) {
      throw new IllegalArgumentException();
    }
    return names;
  }

  private boolean flag(Setting setting) {
    return oneOf(setting, "false", "true");
  }

  /** Whether the second of two words is set; the first is the default. */
  private boolean oneOf(Setting setting, String unset, String other) {
    return read(
        setting,
        false,
        text -> {
          if (!text.equalsIgnoreCase(unset) && !text.equalsIgnoreCase(other)) {
            throw new IllegalArgumentException();
          }
          return text.equalsIgnoreCase(other);
        });
  }

  private Password password() {
    List<Setting> set =
        Stream.of(PGPASSWORD_FILE, PGPASSWORD, PGPASSFILE)
            .filter(setting -> setting.in(environment) != null)
            .toList();
    if (set.size() > 1) {
      warnings.add(
          "%s are set: %s counts"
              .formatted(
                  set.stream().map(Setting::name).collect(Collectors.joining(" and ")),
                  set.get(0)));
    }
    String passwordFile = file(PGPASSWORD_FILE);
    String passfile = file(PGPASSFILE);
    if (passwordFile != null) {
      String contents = contents(Path.of(passwordFile));
      if (contents == null) {
        fault("PGPASSWORD_FILE", passwordFile, PGPASSWORD_FILE, "cannot be read as UTF-8");
      } else if (contents.isBlank()) {
        fault("PGPASSWORD_FILE", passwordFile, PGPASSWORD_FILE, "is empty");
      } else if (contents.strip().equals(PLACEHOLDER)) {
        fault("PGPASSWORD_FILE", passwordFile, PGPASSWORD_FILE, "holds a placeholder");
      }
      return Password.file(Path.of(passwordFile));
    }
    return PGPASSWORD.in(environment) != null
        ? Password.fixed(value(PGPASSWORD))
        : Password.passfile(passfile == null ? null : Path.of(passfile));
  }

  private NodeList nodes(String text, int port) {
    try {
      return NodeList.parse(text, port, allowLoopback);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("(" + e.getMessage() + ")", e);
    }
  }

  /** The driver's own words for what is wrong would say less than what is allowed. */
  private static AuthMethods authMethods(String text) {
    try {
      return AuthMethods.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException();
    }
  }

  private static SslMode sslMode(String text) {
    return Arrays.stream(SslMode.values())
        .filter(mode -> mode.value.equals(text))
        .findFirst()
        .orElseThrow(IllegalArgumentException::new);
  }

  private static Logging.Format logFormat(String text) {
    return Arrays.stream(Logging.Format.values())
        .filter(format -> format.name().equalsIgnoreCase(text))
        .findFirst()
        .orElseThrow(IllegalArgumentException::new);
  }

  /** Null for off. */
  private static Integer portOrOff(String text) {
    return text.equalsIgnoreCase("off") ? null : inRange(text, 1, 65535);
  }

  /** One listens on every address, the other on loopback only. */
  private static Integer jolokiaPort(String text, Integer managementPort) {
    Integer port = portOrOff(text);
    if (port != null && port.equals(managementPort)) {
      throw new IllegalArgumentException("is the MANAGEMENT_PORT too");
    }
    return port;
  }

  private static Duration decimalSeconds(String text) {
    if (!text.matches("\\d{1,2}(\\.\\d{1,3})?")) {
      throw new IllegalArgumentException();
    }
    long millis = Math.round(Double.parseDouble(text) * 1000);
    if (millis < 50 || millis > 60_000) {
      throw new IllegalArgumentException();
    }
    return Duration.ofMillis(millis);
  }

  private Duration duration(Setting setting, String unset, long minMillis, long maxMillis) {
    Function<String, Duration> parse =
        text -> {
          Matcher matcher = DURATION.matcher(text);
          if (!matcher.matches()) {
            throw new IllegalArgumentException();
          }
          String unit = matcher.group(2) == null ? "s" : matcher.group(2);
          double millis = Double.parseDouble(matcher.group(1)) * MILLIS.get(unit);
          if (millis < minMillis || millis > maxMillis) {
            throw new IllegalArgumentException();
          }
          return Duration.ofMillis(Math.round(millis));
        };
    return read(setting, parse.apply(unset), parse);
  }

  private int number(Setting setting, int unset, int min, int max) {
    return read(setting, unset, text -> inRange(text, min, max));
  }

  private static int inRange(String text, int min, int max) {
    int number = Integer.parseInt(text);
    if (number < min || number > max) {
      throw new IllegalArgumentException();
    }
    return number;
  }

  private String label(Setting setting, Pattern pattern, String unset, int maxLength) {
    return read(
        setting,
        unset,
        text -> {
          if (text.length() > maxLength || !pattern.matcher(text).matches()) {
            throw new IllegalArgumentException();
          }
          return text;
        });
  }

  private String file(Setting setting) {
    return read(
        setting,
        null,
        text -> {
          if (!isReadableFile(text)) {
            throw new IllegalArgumentException("is not a readable file");
          }
          return text;
        });
  }

  /** Of several files, some may be missing, as for kubectl. */
  private static String kubeconfig(String text) {
    if (Arrays.stream(text.split(File.pathSeparator)).noneMatch(SettingsReader::isReadableFile)) {
      throw new IllegalArgumentException("is not a readable file");
    }
    return text;
  }

  private static boolean isReadableFile(String name) {
    try {
      return Files.isRegularFile(Path.of(name)) && Files.isReadable(Path.of(name));
    } catch (InvalidPathException e) {
      // Its message repeats what may be no name but a key.
      return false;
    }
  }

  /** Null when it is no text. */
  private static String contents(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return null;
    }
  }

  private String text(Setting setting, String unset) {
    return read(setting, unset, Function.identity());
  }

  private String value(Setting setting) {
    return text(setting, "");
  }

  /** The parsed value; {@code unset} when nothing is set or a fault was found. */
  private <T> T read(Setting setting, T unset, Function<String, T> parse) {
    Map.Entry<String, String> variable = setting.in(environment);
    if (variable == null) {
      return unset;
    }
    // Java has put this for every byte that it could not read: a role of that name does not exist.
    if (variable.getValue().indexOf(UNREADABLE) >= 0) {
      faults.add(variable.getKey() + " cannot be read in this locale; set LC_ALL=C.UTF-8");
      return unset;
    }
    // Most would be well-formed: REPLACE-ME is a host name, too.
    if (variable.getValue().contains(PLACEHOLDER)) {
      fault(variable.getKey(), variable.getValue(), setting, "is a placeholder");
      return unset;
    }
    try {
      return parse.apply(variable.getValue());
    } catch (IllegalArgumentException e) {
      // NumberFormatException says what Java thinks of it; the list of what is allowed says more.
      String what = e instanceof NumberFormatException ? null : e.getMessage();
      fault(variable.getKey(), variable.getValue(), setting, what == null ? "" : what);
      return unset;
    }
  }

  private void fault(String name, String value, Setting setting, String what) {
    String shown = isSecret(setting, value) ? "" : "='" + withoutPassword(value) + "'";
    String fault =
        "%s%s%s; allowed: %s"
            .formatted(name, shown, what.isEmpty() ? "" : " " + what, setting.allowed());
    faults.add(fault.replaceAll("\\p{Cntrl}", "?"));
  }

  /** Who puts a password or a key where its file belongs must not find it in a log. */
  private static boolean isSecret(Setting setting, String value) {
    return switch (setting) {
      case PGPASSWORD, PGPASSWORD_FILE -> true;
      case PGPASSFILE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY, KUBECONFIG ->
          !LOOKS_LIKE_A_PATH.matcher(value).matches();
      default -> false;
    };
  }

  /** As of a URL, up to the last @, since a password may hold one; and of a connection string. */
  private static String withoutPassword(String value) {
    return value
        .replaceFirst("(?s)^(.*?//)?.*@", "$1***@")
        .replaceAll("(?is)(password\\s*=).*", "$1***");
  }
}
