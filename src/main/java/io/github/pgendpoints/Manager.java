package io.github.pgendpoints;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.AlertFormats;
import io.github.pgendpoints.alert.AlertsComponent;
import io.github.pgendpoints.alert.AnswersUnread;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.MailSender;
import io.github.pgendpoints.alert.MissingRights;
import io.github.pgendpoints.alert.SinkFiles;
import io.github.pgendpoints.alert.Sinks;
import io.github.pgendpoints.kubernetes.ConfigMapStateStore;
import io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesComponent;
import io.github.pgendpoints.kubernetes.KubernetesEndpointsComponent;
import io.github.pgendpoints.kubernetes.KubernetesErrors;
import io.github.pgendpoints.kubernetes.RememberedConditions;
import io.github.pgendpoints.kubernetes.ServiceEvents;
import io.github.pgendpoints.kubernetes.WatchedEndpoints;
import io.github.pgendpoints.kubernetes.WriteGuard;
import io.github.pgendpoints.kubernetes.election.Candidate;
import io.github.pgendpoints.kubernetes.election.Election;
import io.github.pgendpoints.kubernetes.election.HeldLease;
import io.github.pgendpoints.kubernetes.election.Leadership;
import io.github.pgendpoints.management.CycleHealth;
import io.github.pgendpoints.management.DiscoverWatch;
import io.github.pgendpoints.management.Heartbeat;
import io.github.pgendpoints.management.JolokiaServer;
import io.github.pgendpoints.management.ManagementServer;
import io.github.pgendpoints.management.Metrics;
import io.github.pgendpoints.management.SinkMetrics;
import io.github.pgendpoints.postgres.AbsentNodes;
import io.github.pgendpoints.postgres.FullNodes;
import io.github.pgendpoints.postgres.Histories;
import io.github.pgendpoints.postgres.Knock;
import io.github.pgendpoints.postgres.NodePools;
import io.github.pgendpoints.postgres.ProbeThreads;
import io.github.pgendpoints.postgres.Resolver;
import io.github.pgendpoints.postgres.Timelines;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.ClusterMemory;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.KnownNodes;
import io.github.pgendpoints.publish.Overrule;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.publish.ServiceCheck;
import io.github.pgendpoints.publish.SliceCheck;
import io.github.pgendpoints.publish.StateStore;
import io.github.pgendpoints.publish.Stored;
import io.github.pgendpoints.settings.Settings;
import io.github.pgendpoints.settings.VerificationSettings;
import io.github.pgendpoints.status.Status;
import io.github.pgendpoints.status.StatusTable;
import io.github.pgendpoints.topology.Cadence;
import io.github.pgendpoints.topology.Damping;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Predicate;
import org.apache.camel.Route;
import org.apache.camel.component.micrometer.MicrometerConstants;
import org.apache.camel.main.Main;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One cluster's manager: a Camel Main whose behaviour stands in the routes folder. This class gives
 * the routes what they name, and ends the run when the mode asks for it.
 */
public final class Manager extends Main {
  private static final Logger LOG = LoggerFactory.getLogger(Manager.class);

  /** The pod's name. */
  private static final String INSTANCE =
      Objects.requireNonNullElse(System.getenv("HOSTNAME"), "replica");

  /** What a run of one cycle waits for its sinks. */
  private static final Duration MAX_WAIT_FOR_SINKS = Duration.ofSeconds(10);

  private final Settings settings;
  private final Mode mode;
  private final Invocation invocation;
  private final Leadership leadership;
  private final LeaseMessages leaseMessages;
  private final Election election;
  private final HeldLease heldLease;
  private final Path home;
  private final ExecutorService probes = new ProbeThreads();
  private final NodePools pools;
  private final Heartbeat heartbeat;
  private CycleHealth health;
  private final Cadence cadence;
  private final Alert.Cluster cluster;
  private final AbsentNodes absent;
  private final Conditions conditions;
  private final RememberedConditions remembered;
  private final Sinks sinks = new Sinks();
  private final Publisher publisher;
  private final WatchedEndpoints watched;
  private final PrintStream out;

  /**
   * @param settings validated
   * @param namespace of the two Services
   * @param home the folder that holds routes/
   * @param client for the Kubernetes API; closed by the caller
   * @param out where a dry run shows what it would write
   */
  public Manager(
      Settings settings,
      String namespace,
      Mode mode,
      Path home,
      KubernetesClient client,
      PrintStream out) {
    this(settings, namespace, Invocation.of(mode), home, client, out);
  }

  /**
   * @param settings validated
   * @param namespace of the two Services
   * @param home the folder that holds routes/
   * @param client for the Kubernetes API; closed by the caller
   * @param out where people see what they asked to be shown
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
    this.invocation = invocation;
    this.mode = invocation.mode();
    this.home = home;
    this.pools = new NodePools(settings.postgres());
    boolean elects = mode == Mode.CONTINUOUS && settings.leaseName() != null;
    this.leadership = elects ? Leadership.byLease() : Leadership.withoutElection();
    this.cadence =
        new Cadence(
            settings.probeInterval(),
            settings.unstableProbeInterval(),
            leadership::isHeld,
            this::hasConnectionBroken,
            System::nanoTime);
    this.heartbeat =
        new Heartbeat(
            elects ? cadence.followerInterval() : settings.probeInterval(),
            settings.postgres().connectTimeout(),
            System::nanoTime);
    this.cluster = new Alert.Cluster(namespace, settings.rwService(), settings.roService());
    this.conditions =
        new Conditions(
            cluster,
            settings.postgres().port(),
            settings.alerts().repeat(),
            new MissingRights(settings.postgres().user(), settings.postgres().database()),
            Clock.systemUTC());
    this.absent =
        mode == Mode.CONTINUOUS
            ? AbsentNodes.remembered(
                cadence::wake,
                settings.postgres().connectTimeout(),
                cadence::interval,
                System::nanoTime)
            : AbsentNodes.none();
    this.publisher =
        new Publisher(
            settings.rwService(),
            settings.roService(),
            settings.portName(),
            settings.postgres().port(),
            settings.publishSlices(),
            Clock.systemUTC());
    this.out = out;
    configure(namespace);
    bindBeans(client);
    bindLeadership();
    this.leaseMessages =
        new LeaseMessages(
            settings.leaseName(), lookup("kubernetesErrors", KubernetesErrors.class)::describe);
    this.election =
        elects
            ? new Election(
                client,
                namespace,
                settings.leaseName(),
                Candidate.of(System.getenv(), ProcessHandle.current().pid()),
                leadership,
                leaseMessages)
            : null;
    ConfigMapStateStore state = bindMemory(client, namespace);
    this.remembered =
        new RememberedConditions(
            mode == Mode.ONCE ? state : null,
            lookup("kubernetesErrors", KubernetesErrors.class),
            conditions);
    bind("remembered", remembered);
    bind(
        "overrule",
        new Overrule(
            invocation.entry(),
            invocation.confirmed(),
            publisher,
            lookup("memory", ClusterMemory.class),
            lookup("clock", Clock.class)));
    this.heldLease =
        mode != Mode.ONCE || settings.leaseName() == null || invocation.force()
            ? null
            : new HeldLease(client, namespace, settings.leaseName());
    this.watched = watched(client, namespace);
    bind("watched", watched);
  }

  private void configure(String namespace) {
    configure()
        .withRoutesIncludePattern("file:%s/routes/*.camel.yaml".formatted(home))
        .withAutoConfigurationLogSummary(false)
        .withBasePackageScanEnabled(false)
        .withName("postgres-endpoint-manager")
        .withJmxEnabled(servesJolokia())
        // SIGTERM: a cycle in flight gets this long to end; the whole process has 5 s.
        .withShutdownTimeout(3);
    addInitialProperty("camel.component.sql.serviceLocationEnabled", "false");
    // What waits for a route that somebody stopped, and 30 s of each cycle are gone.
    addInitialProperty("camel.component.direct.timeout", "2000");
    // Of the routes, one counts: a sink that fails must not take the failover's readiness away.
    addInitialProperty("camel.health.routesEnabled", "false");
    addInitialProperty("camel.health.consumersEnabled", "false");
    addInitialProperty("camel.health.exposureLevel", "full");
    addInitialProperty("namespace", namespace);
    addInitialProperty("rw.service", settings.rwService());
    addInitialProperty("ro.service", settings.roService());
    addInitialProperty("publish.slices", String.valueOf(settings.publishSlices()));
    addInitialProperty("probe.tick", String.valueOf(cadence.tick().toMillis()));
    addInitialProperty("cycles", mode == Mode.CONTINUOUS ? "0" : "1");
    addInitialProperty("paused", String.valueOf(settings.verification().paused()));
    addInitialProperty(
        "clear.on.split.brain", String.valueOf(settings.verification().clearOnSplitBrain()));
    addInitialProperty("dry.run", String.valueOf(mode == Mode.DRY_RUN));
    addInitialProperty("read.only", String.valueOf(mode.isStatus()));
    addInitialProperty("overrule", String.valueOf(mode == Mode.OVERRULE));
  }

  /** For what runs for a second, nobody opens Hawtio. */
  private boolean servesJolokia() {
    return mode == Mode.CONTINUOUS && settings.jolokiaPort() != null;
  }

  private void bindBeans(KubernetesClient client) {
    int port = settings.postgres().port();
    settings.warnings().forEach(conditions::degraded);
    Stored stored = new Stored(port, settings.allowLoopback(), conditions::degraded);
    bind("kubernetesClient", client);
    bind("kubernetes-endpoints", new KubernetesEndpointsComponent());
    bind("kubernetes-endpoint-slices", new KubernetesEndpointSlicesComponent());
    bind("conditions", conditions);
    bind("alerts", new AlertsComponent(sinks, settings.alerts().sinkSettings()));
    bind("sinkSettings", settings.alerts().sinkSettings());
    bind("answersUnread", new AnswersUnread());
    bind("mailSender", new MailSender(settings.alerts().sinkSettings()));
    bind(
        "alertFormats",
        new AlertFormats(settings.alerts().sinkSettings(), settings.alerts().repeat()));
    bind("publisher", publisher);
    bind("knownNodes", new KnownNodes(settings.nodes(), stored));
    bind("cadence", cadence);
    bind("absent", absent);
    bind("stored", stored);
    bind("clock", Clock.systemUTC());
    bind("services", new ServiceCheck(settings.portName(), conditions, System::nanoTime));
    bind("apiBudget", new ApiBudget(settings.kubernetesTimeout(), System::nanoTime));
    KubernetesErrors errors = new KubernetesErrors(client.getConfiguration(), conditions);
    bind("kubernetesErrors", errors);
    bind("serviceEvents", new ServiceEvents(client, errors, INSTANCE));
    bind("probes", probes);
    bind("resolver", new Resolver(probes, settings.allowLoopback()));
    bind("pools", pools);
    bind("timelines", new Timelines(pools, System::nanoTime));
    bind("full", new FullNodes(pools, System::nanoTime));
    bind("histories", new Histories(pools, System::nanoTime));
    bind("knock", new Knock(probes, pools, settings.postgres().tcpConnectTimeout()));
    bind("console", out);
    // In Camel's own words, ${camelContext.isStopping}, this made half a run's garbage: it looks at
    // every method that a context has.
    bind("stopping", (Predicate) exchange -> exchange.getContext().isStopping());
    // Camel asks it for each route.
    bind("outcome", (RoutePolicyFactory) (context, routeId, route) -> outcomeOf(routeId));
  }

  private void bindLeadership() {
    bind("leadership", leadership);
    CycleAge age = CycleAge.of(settings.postgres().connectTimeout(), leadership::term);
    bind("cycleAge", age);
    bind(
        "writeGuard",
        (WriteGuard)
            exchange -> {
              leadership.check();
              age.check(exchange.getProperty("begun", CycleAge.Moment.class));
            });
    bind(
        "slices",
        new SliceCheck(settings.publishSlices(), conditions, leadership::term, System::nanoTime));
  }

  /**
   * Binds what the cycles remember.
   *
   * @return what outlives the process; null without STATE
   */
  private ConfigMapStateStore bindMemory(KubernetesClient client, String namespace) {
    ConfigMapStateStore state =
        settings.state() == null
            ? null
            : new ConfigMapStateStore(
                client,
                namespace,
                settings.state(),
                settings.rwService(),
                lookup("kubernetesErrors", KubernetesErrors.class),
                conditions,
                lookup("apiBudget", ApiBudget.class),
                leadership::check,
                System::nanoTime);
    StateStore store = state == null ? StateStore.none() : state;
    bind(
        "memory",
        new ClusterMemory(
            Memory.empty(damping()),
            decisionSettings(),
            invocation.writes() ? store : StateStore.readOnly(store),
            leadership::term,
            absent::forget));
    return state;
  }

  private boolean hasConnectionBroken(Node primary) {
    return pools.anyBroken(primary, absent::isAbsent);
  }

  private WatchedEndpoints watched(KubernetesClient client, String namespace) {
    return mode == Mode.CONTINUOUS
        ? new WatchedEndpoints(
            client,
            namespace,
            List.of(settings.rwService(), settings.roService()),
            leadership,
            conditions,
            System::nanoTime,
            cadence::wake)
        : WatchedEndpoints.none();
  }

  /** What nodes were says nothing after two cycles and the longest probe. */
  private DecisionSettings decisionSettings() {
    VerificationSettings verification = settings.verification();
    return new DecisionSettings(
        verification.quorum(),
        verification.readOnly(),
        settings.postgres().connectTimeout().plus(settings.probeInterval().multipliedBy(2)));
  }

  private Damping damping() {
    VerificationSettings verification = settings.verification();
    return mode == Mode.CONTINUOUS
        ? new Damping(
            verification.standbyFailures(),
            verification.standbySuccesses(),
            settings.probeInterval())
        : Damping.none();
  }

  @Override
  protected void postProcessCamelContext(CamelContext context) throws Exception {
    super.postProcessCamelContext(context);
    if (mode == Mode.CONTINUOUS || mode == Mode.ONCE) {
      context.addStartupListener(
          new SinkFiles(home.resolve("routes/alerts"), settings.alerts().off(), sinks));
    }
    if (election != null) {
      // Stopped after the routes, so that the cycle in flight ends as the leader's.
      context.addService(election);
    }
    health = new CycleHealth(context, heartbeat, leadership);
    context.getRegistry().bind("liveness", health.liveness());
    context.getRegistry().bind("readiness", health.readiness());
    if (mode == Mode.CONTINUOUS) {
      context.addStartupListener(
          new DiscoverWatch(
              health, cluster, settings.alerts().repeat(), Clock.systemUTC(), sinks::send));
    }
    if (mode == Mode.CONTINUOUS && settings.managementPort() != null) {
      PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      // Where the component micrometer of a route counts too.
      context.getRegistry().bind(MicrometerConstants.METRICS_REGISTRY_NAME, registry);
      context.addRoutePolicyFactory(
          new Metrics(
              registry,
              settings.rwService(),
              settings.roService(),
              heartbeat,
              health,
              settings.verification().paused(),
              System::nanoTime));
      new SinkMetrics(sinks).bindTo(registry);
      context.addService(new ManagementServer(settings.managementPort(), registry::scrape));
    }
    if (servesJolokia()) {
      context.addService(new JolokiaServer(settings.jolokiaPort()));
    }
  }

  /**
   * Runs until the mode's end, and cleans up.
   *
   * @return the exit code
   */
  public int execute() throws SQLException {
    try {
      String refusal = heldLease == null ? null : leaseMessages.refusal(heldLease);
      if (refusal != null) {
        LOG.error(refusal);
        return ExitCode.REFUSED;
      }
      run();
      return getExitCode();
    } catch (Exception e) {
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      LOG.error("cannot start: {}", root.getMessage());
      LOG.debug("cannot start", e);
      return ExitCode.USAGE;
    } finally {
      watched.close();
      probes.shutdownNow();
      pools.close();
    }
  }

  /**
   * Reads all routes an additional time, for beans that Camel itself is set up by; ours have none,
   * and it takes a while.
   */
  @Override
  protected void modelineRoutes(CamelContext context) throws Exception {
    if (routesHaveBeans()) {
      super.modelineRoutes(context);
    }
  }

  private boolean routesHaveBeans() {
    try (Stream<Path> files = Files.list(home.resolve("routes"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".camel.yaml")).toList()) {
        if (Files.readString(file, StandardCharsets.ISO_8859_1).contains("beans:")) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      // Camel tells what is wrong.
      return true;
    }
  }

  private void show(Status status) {
    out.println(mode == Mode.STATUS_JSON ? status.json() : new StatusTable(status).text());
  }

  private RoutePolicy outcomeOf(String routeId) {
    return routeId.equals("discover") ? new Outcome() : null;
  }

  /**
   * Notes that a cycle ended. Ends a run of one cycle, with that cycle's exit code; and any run
   * that knows no node.
   */
  private final class Outcome extends RoutePolicySupport {
    @Override
    public void onExchangeBegin(Route route, Exchange exchange) {
      cadence.begun();
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
      int code =
          exchange.isFailed()
              ? ExitCode.REFUSED
              : exchange.getProperty("exitCode", ExitCode.REFUSED, Integer.class);
      heartbeat.cycleEnded(exchange.getProperty("published") != null, health.isRunning());
      Verdict verdict = exchange.getProperty("verdict", Verdict.class);
      boolean refused = verdict == null ? code == ExitCode.REFUSED : !verdict.isVerified();
      cadence.ended(exchange.getProperty("topology", Topology.class), refused);
      if (mode.isStatus()) {
        show(Status.of(exchange, code, conditions.lasting(), publisher));
      }
      remembered.remember();
      if (mode != Mode.CONTINUOUS || code == ExitCode.USAGE) {
        sinks.await(MAX_WAIT_FOR_SINKS);
        exitCode.set(code);
        completed();
      }
    }
  }
}
