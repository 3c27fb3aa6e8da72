package io.github.pgendpoints;

import static io.github.pgendpoints.settings.SettingsCatalog.ALERT_REPEAT;
import static io.github.pgendpoints.settings.SettingsCatalog.ALERT_SINKS;
import static io.github.pgendpoints.settings.SettingsCatalog.JOLOKIA_PORT;
import static io.github.pgendpoints.settings.SettingsCatalog.LEASE_NAME;
import static io.github.pgendpoints.settings.SettingsCatalog.MANAGEMENT_PORT;
import static io.github.pgendpoints.settings.SettingsCatalog.PAUSED;
import static io.github.pgendpoints.settings.SettingsCatalog.PROBE_INTERVAL;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.RouteError;
import io.github.pgendpoints.alert.RouteIds;
import io.github.pgendpoints.alert.SinkFiles;
import io.github.pgendpoints.alert.Sinks;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.CycleBoundary;
import io.github.pgendpoints.cycle.ExitCode;
import io.github.pgendpoints.cycle.Heartbeat;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.ObjectOperation;
import io.github.pgendpoints.kubernetes.election.Election;
import io.github.pgendpoints.kubernetes.election.HeldLease;
import io.github.pgendpoints.management.CycleHealth;
import io.github.pgendpoints.management.JolokiaServer;
import io.github.pgendpoints.management.ManagementServer;
import io.github.pgendpoints.management.Metrics;
import io.github.pgendpoints.management.OldGeneration;
import io.github.pgendpoints.management.RouteMonitor;
import io.github.pgendpoints.management.StepIdDumper;
import io.github.pgendpoints.postgres.NodeProbe;
import io.github.pgendpoints.postgres.ProbeThreads;
import io.github.pgendpoints.settings.Settings;
import io.github.pgendpoints.status.LatestStatus;
import io.github.pgendpoints.status.Status;
import io.github.pgendpoints.status.Status.Source;
import io.github.pgendpoints.status.StatusTable;
import io.github.pgendpoints.topology.NodeState;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.PrintStream;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.component.micrometer.MicrometerConstants;
import org.apache.camel.main.Main;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.spi.ModelToXMLDumper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The manager: a Camel Main whose behaviour is in the routes folder. This class binds what the
 * routes name, and ends the run if the mode requires it.
 */
public final class Manager extends Main {
  private static final Logger LOG = LoggerFactory.getLogger(Manager.class);

  /** The wait for a cycle in flight at SIGTERM. The routes then wait for one that takes longer. */
  private static final Duration MAX_WAIT_FOR_CYCLE = Duration.ofSeconds(1);

  /** How long a run of one cycle waits for its sinks. */
  private static final Duration MAX_WAIT_FOR_SINKS = Duration.ofSeconds(10);

  private final Settings settings;
  private final Mode mode;
  private final RouteFolder routes;
  private final PrintStream out;
  private final ExecutorService probes;
  private final ExecutorService lookups = new ProbeThreads();
  private final Sinks sinks = new Sinks();
  private final ClusterWiring wiring;
  private final Cluster cluster;
  private final Heartbeat heartbeat;
  private final OldGeneration oldGeneration = new OldGeneration();
  private final LeaseMessages leaseMessages;

  /** Null if there is no Lease to hold. */
  private final Election election;

  /** Null unless a run of one cycle must check the holder of the Lease. */
  private final HeldLease heldLease;

  private CycleHealth health;

  /** Null if they are not served. */
  private Metrics metrics;

  /** Null if it is not served. */
  private LatestStatus latestStatus;

  private Result last;

  /**
   * @param home the folder that holds routes/
   * @param client for the Kubernetes API; closed by the caller
   * @param out receives the output for people
   */
  public Manager(
      Settings settings,
      String namespace,
      Invocation invocation,
      Path home,
      KubernetesClient client,
      PrintStream out) {
    super(Manager.class);
    this.settings = settings;
    this.mode = invocation.mode();
    this.routes = RouteFolder.of(home);
    this.out = out;
    this.probes = mode == Mode.CONTINUOUS ? ProbeThreads.cheapest() : new ProbeThreads();
    this.wiring =
        new ClusterWiring(
            settings, namespace, invocation, client, this::requested, probes, lookups);
    this.cluster = wiring.cluster;
    this.leaseMessages = wiring.leaseMessages();
    boolean elects = mode == Mode.CONTINUOUS && settings.get(LEASE_NAME) != null;
    this.election = elects ? wiring.election(leaseMessages) : null;
    this.heartbeat =
        new Heartbeat(cycleInterval(), settings.postgres().connectTimeout(), System::nanoTime);
    this.heldLease =
        mode != Mode.ONCE || settings.get(LEASE_NAME) == null || invocation.force()
            ? null
            : new HeldLease(client, namespace, settings.get(LEASE_NAME));
    setUpCamel();
    RouteBindings bindings =
        new RouteBindings(wiring, sinks, out, this::probed, this::ended, this::end);
    bindings.properties().forEach(this::addInitialProperty);
    bindings.bind(this::bind);
  }

  private void setUpCamel() {
    configure()
        .withRoutesIncludePattern(routes.pattern())
        .withAutoConfigurationLogSummary(false)
        .withBasePackageScanEnabled(false)
        .withName("postgres-endpoint-manager")
        .withJmxEnabled(servesJolokia())
        // SIGTERM: a cycle in flight gets this plus MAX_WAIT_FOR_CYCLE; the process has 6 s.
        .withShutdownTimeout(3);
    addInitialProperty("camel.component.sql.serviceLocationEnabled", "false");
    // By default, a cycle would wait 30 s for a route that an operator stopped.
    addInitialProperty("camel.component.direct.timeout", "2000");
    // No client probes the health of a run that lasts a second.
    addInitialProperty("camel.health.enabled", String.valueOf(mode == Mode.CONTINUOUS));
    // Camel checks no routes: a sink that fails must not make the program unready.
    addInitialProperty("camel.health.routesEnabled", "false");
    addInitialProperty("camel.health.consumersEnabled", "false");
    addInitialProperty("camel.health.exposureLevel", "full");
  }

  /** Whether Hawtio can connect: never in a run of one cycle, which lasts a second. */
  private boolean servesJolokia() {
    return mode == Mode.CONTINUOUS && settings.get(JOLOKIA_PORT) != null;
  }

  @Override
  protected void postProcessCamelContext(CamelContext context) throws Exception {
    RouteIds.checkWhile((ModelCamelContext) context, () -> super.postProcessCamelContext(context));
    RouteError.check(context);
    context.addRoutePolicyFactory(new CycleBoundary(cluster, this::abort));
    if (mode == Mode.CONTINUOUS || mode == Mode.ONCE) {
      context.addStartupListener(
          new SinkFiles(
              routes.path().resolve("alerts"),
              settings.get(ALERT_SINKS),
              sinks,
              wiring::reportFault));
    }
    if (election != null) {
      // Stopped after the routes at the latest, so that this replica leads until a cycle ends.
      context.addService(election);
    }
    health = new CycleHealth(context, heartbeat, cluster.leadership());
    context.getRegistry().bind("liveness", health.liveness());
    context.getRegistry().bind("readiness", health.readiness());
    if (mode == Mode.CONTINUOUS) {
      context.addStartupListener(
          new RouteMonitor(
              health, wiring.identity, settings.get(ALERT_REPEAT), Clock.systemUTC(), sinks::send));
    }
    if (mode == Mode.CONTINUOUS && settings.get(MANAGEMENT_PORT) != null) {
      serveMetrics(context);
    }
    if (servesJolokia()) {
      context.addService(new JolokiaServer(settings.get(JOLOKIA_PORT)));
      context
          .getCamelContextExtension()
          .addContextPlugin(ModelToXMLDumper.class, new StepIdDumper());
    }
  }

  /**
   * Waits for a cycle in flight, then releases the Lease at once for another replica. The routes
   * may stop later, because of checks of nodes that do not answer.
   */
  @Override
  protected void beforeStop() throws Exception {
    cluster.schedule().stop();
    boolean ended = cluster.schedule().awaitEnd(MAX_WAIT_FOR_CYCLE);
    if (ended && election != null) {
      election.stop();
    }
    super.beforeStop();
  }

  /** The longest time from one cycle to the next. */
  private Duration cycleInterval() {
    return election == null ? settings.get(PROBE_INTERVAL) : cluster.schedule().followerInterval();
  }

  private void serveMetrics(CamelContext context) throws Exception {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    // The component micrometer of a route uses this registry, too.
    context.getRegistry().bind(MicrometerConstants.METRICS_REGISTRY_NAME, registry);
    metrics =
        new Metrics(
            registry,
            settings.rwService(),
            settings.roService(),
            heartbeat,
            health,
            settings.get(PAUSED),
            System::nanoTime);
    metrics.count(sinks);
    metrics.build(Build.current().version(), Build.current().revision());
    latestStatus =
        new LatestStatus(
            cluster.publisher(),
            RouteBindings.INSTANCE,
            cycleInterval(),
            cluster.leadership()::isHeld,
            election == null ? null : election::holder,
            Clock.systemUTC());
    context.addService(
        new ManagementServer(
            settings.get(MANAGEMENT_PORT),
            context,
            registry::scrape,
            latestStatus,
            settings.fingerprint()));
  }

  // --- what happens in the cycles ---------------------------------------------------------------

  private void requested(
      ObjectOperation operation,
      ObjectKind<?> kind,
      HasMetadata object,
      KubernetesClientException failure) {
    if (metrics != null) {
      metrics.ended(operation, kind, object, failure);
    }
  }

  private void probed(NodeProbe probe, NodeState state) {
    if (metrics != null) {
      metrics.probed(probe, state);
    }
  }

  private void ended(Result result, Supplier<List<String>> reasons) {
    last = result;
    heartbeat.cycleEnded(result.published() != null, health.isRunning());
    if (metrics != null) {
      metrics.ended(result);
      latestStatus.ended(result, reasons);
    }
    if (mode.isStatus()) {
      Source source = Source.probe(Instant.now());
      Status status = Status.of(result, reasons.get(), cluster.publisher(), source);
      out.println(mode == Mode.STATUS_JSON ? status.json() : new StatusTable(status).text());
    }
  }

  /**
   * Ends a run of one cycle, with that cycle's exit code, and any run that knows no node. Another
   * run uses its idle time to collect garbage, while the topology is stable.
   */
  private void end() {
    end(last.outcome().exitCode());
    if (mode == Mode.CONTINUOUS && !cluster.schedule().isUnstable()) {
      oldGeneration.collectIfFull();
    }
  }

  /** Ends a run of one cycle that did not end by itself, for example after a fault in a route. */
  private void abort() {
    end(ExitCode.REFUSED);
  }

  private void end(int code) {
    if (mode != Mode.CONTINUOUS || code == ExitCode.USAGE) {
      cluster.schedule().stop();
      sinks.await(MAX_WAIT_FOR_SINKS);
      exitCode.set(code);
      completed();
    }
  }

  /** Runs until the mode ends the run, cleans up, and returns the exit code. */
  public int execute() throws SQLException {
    try {
      String refusal = heldLease == null ? null : leaseMessages.refusal(heldLease);
      if (refusal != null) {
        LOG.error(refusal);
        return ExitCode.REFUSED;
      }
      routes.requireCycles();
      routes.ignored().forEach((file, reason) -> LOG.warn("{} is not read: {}", file, reason));
      run();
      return getExitCode();
    } catch (Exception e) {
      LOG.error("cannot start: {}", RouteError.describe(e, getCamelContext()));
      LOG.debug("cannot start", e);
      return ExitCode.USAGE;
    } finally {
      probes.shutdownNow();
      lookups.shutdownNow();
      wiring.close();
    }
  }

  /**
   * Reads all routes an additional time, for beans that configure Camel itself. The shipped routes
   * have none, and it takes a while.
   */
  @Override
  protected void modelineRoutes(CamelContext context) throws Exception {
    if (routes.contains("beans:")) {
      super.modelineRoutes(context);
    }
  }
}
