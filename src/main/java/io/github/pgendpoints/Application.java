package io.github.pgendpoints;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.kubernetes.KubernetesAccess;
import io.github.pgendpoints.logging.Logging;
import java.nio.file.Path;
import java.security.Security;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;

/** The command line. */
@Command(
    name = "postgres-endpoint-manager",
    mixinStandardHelpOptions = true,
    versionProvider = Application.Version.class,
    description =
        "Keeps the Endpoints of a read-write and a read-only Service true to a PostgreSQL cluster"
            + " outside Kubernetes. Runs until SIGTERM, a cycle every PROBE_INTERVAL.",
    footerHeading = "%nSettings are environment variables; an empty one counts as unset:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:verified, whether or not anything had to be written",
      "1:refused by verification; nothing was written",
      "2:wrong settings or usage",
      "3:the Kubernetes API could not be reached, or said no",
      "143:ended by SIGTERM"
    })
public final class Application implements Callable<Integer> {
  private static final String PREFIX = "postgres-endpoint-manager.";

  @ArgGroup private final Once once = new Once();

  private static final class Once {
    @Option(names = "--once", description = "Run one cycle.")
    private boolean once;

    @Option(
        names = "--dry-run",
        description = "Run one cycle that shows what would be written, and writes nothing.")
    private boolean dryRun;

    private Mode mode() {
      return dryRun ? Mode.DRY_RUN : once ? Mode.ONCE : Mode.CONTINUOUS;
    }
  }

  /** Runs the command line and ends the process with its exit code. */
  public static void main(String[] args) {
    CommandLine commandLine = new CommandLine(new Application());
    commandLine.getCommandSpec().usageMessage().footer(Setting.help().split("\\R"));
    System.exit(commandLine.execute(args));
  }

  @Override
  public Integer call() throws Exception {
    Settings settings;
    try {
      settings =
          SettingsReader.read(System.getenv(), Boolean.getBoolean(PREFIX + "allow-loopback"));
    } catch (InvalidSettingsException e) {
      return refuse(e.faults());
    }
    Logging.configure(settings.logLevel(), settings.logFormat());
    // A name is looked up in every cycle: the JVM's own caching would keep an address for 30 s.
    Security.setProperty("networkaddress.cache.ttl", "0");
    Security.setProperty("networkaddress.cache.negative.ttl", "0");
    Config config = KubernetesAccess.find();
    if (config == null) {
      return refuse(
          List.of(
              "KUBECONFIG is not set, and there is neither ~/.kube/config nor a pod's service"
                  + " account; allowed: "
                  + Setting.KUBECONFIG.allowed()));
    }
    Path home = Path.of(System.getProperty(PREFIX + "home", ""));
    try (KubernetesClient client = KubernetesAccess.client(config, settings.kubernetesTimeout())) {
      return new Manager(
              settings,
              Objects.requireNonNullElse(settings.namespace(), KubernetesAccess.namespace(config)),
              once.mode(),
              home.toAbsolutePath(),
              client,
              System.out)
          .execute();
    }
  }

  private static int refuse(List<String> faults) {
    faults.forEach(fault -> System.err.println("ERROR " + fault));
    return ExitCode.USAGE;
  }

  /** The version the build wrote to the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        "postgres-endpoint-manager "
            + Objects.requireNonNullElse(
                Application.class.getPackage().getImplementationVersion(), "(not packaged)")
      };
    }
  }
}
