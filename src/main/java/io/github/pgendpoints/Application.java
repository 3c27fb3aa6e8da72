package io.github.pgendpoints;

import static io.github.pgendpoints.settings.SettingsCatalog.KUBERNETES_TIMEOUT;
import static io.github.pgendpoints.settings.SettingsCatalog.LOG_FORMAT;
import static io.github.pgendpoints.settings.SettingsCatalog.LOG_LEVEL;
import static io.github.pgendpoints.settings.SettingsCatalog.MANAGEMENT_PORT;
import static io.github.pgendpoints.settings.SettingsCatalog.NAMESPACE;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.cycle.ExitCode;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.kubernetes.KubernetesAccess;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.settings.InvalidSettingsException;
import io.github.pgendpoints.settings.Settings;
import io.github.pgendpoints.settings.SettingsCatalog;
import io.github.pgendpoints.settings.SettingsReader;
import io.github.pgendpoints.settings.SettingsReference;
import io.github.pgendpoints.status.RunningManager;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.Security;
import java.util.List;
import java.util.Objects;
import java.util.TimeZone;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command line. */
@Command(
    name = "postgres-endpoint-manager",
    mixinStandardHelpOptions = true,
    versionProvider = Application.Version.class,
    description =
        "Keeps the Endpoints of a read-write and a read-only Service in line with a PostgreSQL"
            + " cluster outside Kubernetes. Runs until SIGTERM, a cycle every PROBE_INTERVAL.",
    footerHeading = "%nSettings are environment variables; an empty one counts as unset:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The topology is verified.",
      "1:A rule refused the topology, the cycle failed, a verified cycle logs one of four ERRORs,"
          + " another process holds the Lease (--once), or --yes is missing (overrule).",
      "2:The settings or arguments are invalid, or no node is known.",
      "3:The Kubernetes API was unreachable or refused a request, a Service is unusable, or clients"
          + " see other addresses than those written.",
      "143:SIGTERM ended the process."
    })
public final class Application implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(Application.class);
  private static final String PREFIX = "postgres-endpoint-manager.";

  @Option(names = "--once", description = "Run one cycle.")
  private boolean once;

  @Option(
      names = "--dry-run",
      description = "Run one cycle that shows what would be written, and writes nothing.")
  private boolean dryRun;

  @Option(
      names = "--force",
      description = "With --once: write although another process holds the Lease of LEASE_NAME.")
  private boolean force;

  /** Runs the command line and ends the process with its exit code. */
  public static void main(String[] args) {
    // Before anything reads the zone: pgJDBC sends its name at login, and servers differ in the
    // names that they know.
    TimeZone.setDefault(TimeZone.getTimeZone("GMT"));
    // Faults in the settings are logged in the format that the settings request.
    Logging.configure(Level.INFO, SettingsCatalog.LOG_FORMAT.valueOrDefault(System.getenv()));
    Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> report(thrown));
    System.exit(withOutput(execute(args)));
  }

  /**
   * Returns the exit code, or a failure if some output was lost, for example on a full disk. A
   * reader that closes the pipe early, such as head, is no failure.
   */
  private static int withOutput(int code) {
    if (!System.out.checkError()) {
      return code;
    }
    String reason = "a part of it is lost";
    // System.out keeps no reason, but another write fails for the same one.
    try (OutputStream out = new FileOutputStream(FileDescriptor.out)) {
      out.write('\n');
    } catch (IOException e) {
      reason = e.getMessage();
    }
    if ("Broken pipe".equals(reason)) {
      return code;
    }
    LOG.error("the program failed: its output cannot be written: {}", reason);
    return code == 0 ? ExitCode.REFUSED : code;
  }

  private static int execute(String[] args) {
    Mode mode = modeOfPod(args);
    if (mode == null) {
      return commandLine().execute(args);
    }
    try {
      return run(Invocation.of(mode));
    } catch (Exception e) {
      report(e);
      return ExitCode.REFUSED;
    }
  }

  /**
   * Recognizes command lines of pods without the parser, whose classes alone take 0.1 s to load.
   *
   * @return null for any other command line
   */
  static Mode modeOfPod(String... args) {
    return switch (String.join(" ", args)) {
      case "" -> args.length == 0 ? Mode.CONTINUOUS : null;
      case "--once" -> Mode.ONCE;
      case "status", "status --output text" -> Mode.STATUS;
      case "status --output json", "status --output=json" -> Mode.STATUS_JSON;
      default -> null;
    };
  }

  static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new Application());
    commandLine.setExpandAtFiles(false);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.getCommandSpec().usageMessage().footer(SettingsReference.help().split("\\R"));
    commandLine.setParameterExceptionHandler(
        (fault, args) -> refuse(List.of(fault.getMessage() + "; see --help")));
    commandLine.setExecutionExceptionHandler(
        (thrown, command, parsed) -> {
          report(thrown);
          return ExitCode.REFUSED;
        });
    return commandLine;
  }

  enum Output {
    TEXT,
    JSON
  }

  @Override
  public Integer call() throws Exception {
    if (force && mode() != Mode.ONCE) {
      return refuse(List.of("--force goes with --once alone; see --help"));
    }
    return run(new Invocation(mode(), force, null, false));
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description =
          "Shows every node and both Services, desired and observed, as last seen by a manager on this"
              + " host with the same settings. If none runs, probes the nodes. Waits up to 10 s for"
              + " the first cycle of that manager."
              + " MANAGEMENT_PORT=off always probes. Writes nothing. Exit codes as for --once.")
  int status(
      @Option(
              names = "--output",
              defaultValue = "text",
              paramLabel = "text|json",
              description = "text for people, json for programs.")
          Output output)
      throws Exception {
    if (once || dryRun || force) {
      return refuse(List.of("status is one cycle that writes nothing: it takes no other mode"));
    }
    return run(Invocation.of(output == Output.JSON ? Mode.STATUS_JSON : Mode.STATUS));
  }

  @Command(
      name = "overrule",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description =
          "Publishes a primary that the rules refuse: shows what would be written and forgotten,"
              + " and with --yes writes it, also while paused. A running manager goes on from"
              + " there. Exit codes as for --once; 1 without --yes.")
  int overrule(
      @Parameters(
              arity = "0..1",
              paramLabel = "ENTRY",
              description =
                  "Which primary: an entry of PG_NODES, or ip:port; needed when several answer.")
          String entry,
      @Option(names = "--yes", description = "Write it.") boolean yes)
      throws Exception {
    if (once || dryRun || force) {
      return refuse(List.of("overrule is one cycle that a person decides: it takes no other mode"));
    }
    return run(new Invocation(Mode.OVERRULE, false, entry, yes));
  }

  private static int run(Invocation invocation) throws Exception {
    Mode mode = invocation.mode();
    Settings settings;
    try {
      settings =
          SettingsReader.read(System.getenv(), Boolean.getBoolean(PREFIX + "allow-loopback"));
    } catch (InvalidSettingsException e) {
      return refuse(e.faults());
    }
    Logging.configure(settings.get(LOG_LEVEL), settings.get(LOG_FORMAT));
    if (mode.isStatus()) {
      // The output contains what these would log.
      Logging.silence("io.github.pgendpoints.alert");
      RunningManager.Answer answer =
          settings.get(MANAGEMENT_PORT) == null
              ? null
              : RunningManager.ask(
                  settings.get(MANAGEMENT_PORT), settings.fingerprint(), mode == Mode.STATUS_JSON);
      if (answer != null) {
        System.out.print(answer.text());
        return answer.exitCode();
      }
    }
    // Every cycle resolves the names: the JVM's own cache would keep an address for 30 s.
    Security.setProperty("networkaddress.cache.ttl", "0");
    Security.setProperty("networkaddress.cache.negative.ttl", "0");
    Config config;
    KubernetesClient client;
    try {
      config = KubernetesAccess.find();
      client = KubernetesAccess.client(config, settings.get(KUBERNETES_TIMEOUT));
    } catch (IllegalArgumentException e) {
      return refuse(List.of(e.getMessage()));
    }
    Path home = Path.of(System.getProperty(PREFIX + "home", ""));
    String namespace =
        Objects.requireNonNullElse(settings.get(NAMESPACE), KubernetesAccess.namespace(config));
    try (client) {
      return new Manager(settings, namespace, invocation, home.toAbsolutePath(), client, System.out)
          .execute();
    }
  }

  /** Returns the mode. A dry run is always one cycle, so {@code --once} may also be set. */
  Mode mode() {
    return dryRun ? Mode.DRY_RUN : once ? Mode.ONCE : Mode.CONTINUOUS;
  }

  private static int refuse(List<String> faults) {
    faults.forEach(LOG::error);
    return ExitCode.USAGE;
  }

  private static void report(Throwable thrown) {
    LOG.error("the program failed: {}", thrown.toString());
    LOG.debug("the program failed", thrown);
  }

  /** The version and the revision, for {@code --version}. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"postgres-endpoint-manager " + Build.current()};
    }
  }
}
