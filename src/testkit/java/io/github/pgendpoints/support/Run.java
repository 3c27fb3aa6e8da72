package io.github.pgendpoints.support;

import static io.github.pgendpoints.settings.SettingsCatalog.*;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.Invocation;
import io.github.pgendpoints.Manager;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.kubernetes.KubernetesAccess;
import io.github.pgendpoints.settings.InvalidSettingsException;
import io.github.pgendpoints.settings.Settings;
import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/**
 * Runs the manager in this process, with the real routes folder, against a cluster and an API
 * server. Keeps what the manager logs and prints.
 */
public final class Run implements AutoCloseable {
  private final Map<String, String> environment = new HashMap<>();
  private final Map<String, Object> beans = new HashMap<>();
  private final FakeApiServer api;
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Appender appender = new Appender();
  private Path home = Path.of("").toAbsolutePath();
  private Manager manager;
  private CompletableFuture<Integer> exit;

  /** Creates a run with the nodes of {@code cluster} and the password of its role. */
  public Run(PostgresCluster cluster, FakeApiServer api) {
    this(api);
    with("PG_NODES", cluster.nodes());
    with("PGPORT", String.valueOf(cluster.port()));
  }

  /** Creates a run without nodes. */
  public Run(FakeApiServer api) {
    this.api = api;
    with("PGUSER", PostgresCluster.USER);
    with("PGDATABASE", PostgresCluster.DATABASE);
    with("PGPASSWORD", PostgresCluster.PASSWORD);
    with("RW_SERVICE", "pg-rw");
    with("RO_SERVICE", "pg-ro");
    with("PGCONNECT_TIMEOUT", "2");
    with("MANAGEMENT_PORT", "off");
    with("JOLOKIA_PORT", "off");
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    appender.setContext(root.getLoggerContext());
    appender.start();
    root.addAppender(appender);
  }

  /** Sets a setting. */
  public Run with(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /** Adds a bean to the registry of Camel, such as a policy that watches the routes. */
  public Run bind(String name, Object bean) {
    beans.put(name, bean);
    return this;
  }

  /** Takes the routes from another folder's {@code routes/}. */
  public Run in(Path otherHome) {
    home = otherHome;
    return this;
  }

  /** Runs one cycle and returns the exit code. */
  public int once() {
    return start(Mode.ONCE).exitCode();
  }

  /** Runs {@link Mode#OVERRULE} for this entry and returns the exit code. */
  public int overrule(String entry, boolean confirmed) {
    return start(new Invocation(Mode.OVERRULE, false, entry, confirmed)).exitCode();
  }

  /** Starts the manager in a separate thread. */
  public Run start(Mode mode) {
    return start(Invocation.of(mode));
  }

  /** Starts the manager in a separate thread. */
  public Run start(Invocation invocation) {
    Settings settings = settings();
    KubernetesClient client =
        KubernetesAccess.client(api.config(), settings.get(KUBERNETES_TIMEOUT));
    manager =
        new Manager(
            settings,
            api.namespace(),
            invocation,
            home,
            client,
            new PrintStream(out, true, StandardCharsets.UTF_8));
    beans.forEach(manager::bind);
    exit =
        CompletableFuture.supplyAsync(
            () -> {
              try (client) {
                return manager.execute();
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            },
            // Not in the common pool, which has one thread on two processors.
            command -> new Thread(command, "manager").start());
    return this;
  }

  /** Returns the manager that runs. */
  public Manager manager() {
    return manager;
  }

  /** Waits for the end, at most a minute, and returns the exit code. */
  public int exitCode() {
    try {
      return exit.get(60, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("the run did not end by itself; it logged " + log, e);
    }
  }

  /** Returns what was logged at INFO and above, as {@code LEVEL message}. */
  public List<String> log() {
    return List.copyOf(log);
  }

  /** Returns the logged lines that contain {@code text}. */
  public List<String> logged(String text) {
    return log.stream().filter(line -> line.contains(text)).toList();
  }

  /** Discards the log so far, which would otherwise fill the memory of a long run. */
  public void forgetLog() {
    log.clear();
  }

  /** Returns what was printed to standard output. */
  public String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Ends a continuous run as SIGTERM would, and detaches from the log. */
  @Override
  public void close() {
    if (exit != null && !exit.isDone()) {
      manager.shutdown();
      exitCode();
    }
    ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).detachAppender(appender);
  }

  /** Returns the settings of the run. */
  public Settings settings() {
    try {
      return TestSettings.read(environment);
    } catch (InvalidSettingsException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private final class Appender extends AppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      if (event.getLevel().isGreaterOrEqual(Level.INFO)
          && event.getLoggerName().startsWith("io.github.pgendpoints")) {
        log.add(event.getLevel() + " " + event.getFormattedMessage());
      }
    }
  }
}
