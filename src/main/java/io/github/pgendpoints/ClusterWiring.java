package io.github.pgendpoints;

import static io.github.pgendpoints.settings.SettingsCatalog.ALERT_REPEAT;
import static io.github.pgendpoints.settings.SettingsCatalog.KUBERNETES_TIMEOUT;
import static io.github.pgendpoints.settings.SettingsCatalog.LEASE_NAME;
import static io.github.pgendpoints.settings.SettingsCatalog.MIN_REACHABLE_NODES;
import static io.github.pgendpoints.settings.SettingsCatalog.ON_SPLIT_BRAIN;
import static io.github.pgendpoints.settings.SettingsCatalog.PAUSED;
import static io.github.pgendpoints.settings.SettingsCatalog.PORT_NAME;
import static io.github.pgendpoints.settings.SettingsCatalog.PROBE_INTERVAL;
import static io.github.pgendpoints.settings.SettingsCatalog.PUBLISH;
import static io.github.pgendpoints.settings.SettingsCatalog.STANDBY_FAILURES;
import static io.github.pgendpoints.settings.SettingsCatalog.STANDBY_SUCCESSES;
import static io.github.pgendpoints.settings.SettingsCatalog.STATE;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.alert.MissingRights;
import io.github.pgendpoints.alert.ServiceEvents;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.CycleHistory;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.cycle.ProbeSchedule;
import io.github.pgendpoints.cycle.SteadyClock;
import io.github.pgendpoints.cycle.Ticks;
import io.github.pgendpoints.kubernetes.ObjectClient;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.kubernetes.election.Candidate;
import io.github.pgendpoints.kubernetes.election.Election;
import io.github.pgendpoints.kubernetes.election.ElectionListener;
import io.github.pgendpoints.kubernetes.election.Leadership;
import io.github.pgendpoints.postgres.DownNodes;
import io.github.pgendpoints.postgres.NodePools;
import io.github.pgendpoints.postgres.Prober;
import io.github.pgendpoints.postgres.Resolver;
import io.github.pgendpoints.postgres.RoleWatch;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.ClientCheck;
import io.github.pgendpoints.publish.ClusterMemory;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.KnownNodes;
import io.github.pgendpoints.publish.OverrulePlanner;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.publish.ServiceCheck;
import io.github.pgendpoints.publish.ServiceReader;
import io.github.pgendpoints.publish.StateStore;
import io.github.pgendpoints.publish.StoredTopologyReader;
import io.github.pgendpoints.publish.WatchedServices;
import io.github.pgendpoints.settings.Settings;
import io.github.pgendpoints.state.ConfigMapStateStore;
import io.github.pgendpoints.state.RememberedConditions;
import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.StandbyHysteresis;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;

/** Builds the {@link Cluster} of one set of settings, and closes what it holds. */
final class ClusterWiring implements AutoCloseable {
  /** The interval in a run of one cycle, which repeats only after a conflict. */
  private static final Duration NEVER = Duration.ofDays(1);

  final Settings settings;
  private final List<String> services;
  final String namespace;
  final Invocation invocation;
  final KubernetesClient client;

  /** The listener that must receive each request to the API. */
  final RequestListener requests;

  final ExecutorService probes;
  private final ExecutorService lookups;
  private final boolean continuous;
  private final Clock clock = Clock.systemUTC();

  private final Leadership leadership;

  /** Names the cluster in alerts. */
  final Alert.Cluster identity;

  private final Conditions conditions;
  private final KubernetesErrors errors;
  private final ApiRights rights;
  private final ApiBudget budget;

  /** The timer of the cycles. */
  final Ticks ticks = new Ticks("cycles", this::isCycleDue);

  /** The timer of the checks of nodes that are DOWN. */
  final Ticks checkTicks;

  private final ProbeSchedule schedule;
  private final RoleWatch roles;
  private final NodePools pools;
  private final DownNodes downNodes;
  private final WatchedServices watched;

  /** What the routes carry as the variable {@code cluster}. */
  final Cluster cluster;

  /**
   * @param probes runs the probes of the nodes
   * @param lookups runs what waits for a name server or for the API
   */
  ClusterWiring(
      Settings settings,
      String namespace,
      Invocation invocation,
      KubernetesClient client,
      RequestListener requests,
      ExecutorService probes,
      ExecutorService lookups) {
    this.settings = settings;
    this.services = List.of(settings.rwService(), settings.roService());
    this.namespace = namespace;
    this.invocation = invocation;
    this.client = client;
    this.probes = probes;
    this.lookups = lookups;
    this.continuous = invocation.mode() == Mode.CONTINUOUS;
    this.leadership =
        continuous && settings.get(LEASE_NAME) != null
            ? Leadership.byLease()
            : Leadership.withoutElection();
    this.identity = new Alert.Cluster(namespace, settings.rwService(), settings.roService());
    this.conditions =
        new Conditions(
            identity,
            settings.postgres().port(),
            settings.get(ALERT_REPEAT),
            new MissingRights(settings.postgres().user(), settings.postgres().database()),
            clock);
    settings.warnings().forEach(conditions::reportDegradation);
    this.errors = new KubernetesErrors(client.getConfiguration());
    this.rights =
        new ApiRights(
            services, settings.get(STATE), conditions::reportDegradation, System::nanoTime);
    this.budget = new ApiBudget(settings.get(KUBERNETES_TIMEOUT), System::nanoTime);
    this.pools = new NodePools(settings.postgres(), probes, System::nanoTime);
    this.schedule = schedule();
    this.roles = pools.roleWatch(schedule::requestCycleByServer);
    this.downNodes =
        new DownNodes(
            continuous,
            schedule::requestCycle,
            schedule::pace,
            settings.postgres().connectTimeout(),
            schedule::interval,
            System::nanoTime);
    this.checkTicks = new Ticks("checks", downNodes::isCheckDue);
    this.watched = watchedServices();
    this.requests = RequestListener.all(List.of(watched.requests(), requests));
    this.cluster = build();
  }

  private ProbeSchedule schedule() {
    return new ProbeSchedule(
        continuous ? settings.get(PROBE_INTERVAL) : NEVER,
        settings.unstableProbeInterval(),
        leadership::isHeld,
        leadership::term,
        () -> roles.isComplete(),
        ticks::tickNow,
        System::nanoTime);
  }

  private boolean isCycleDue() {
    return schedule.isDue();
  }

  /** Creates an Event for a sink that is left out. */
  void reportFault(String message) {
    new ServiceEvents(client, errors, RouteBindings.INSTANCE).reportFault(identity, message);
  }

  LeaseMessages leaseMessages() {
    return new LeaseMessages(settings.get(LEASE_NAME), String.join(" and ", services), errors);
  }

  /** Returns the election, in which this process takes part once the election is started. */
  Election election(ElectionListener listener) {
    Candidate candidate = Candidate.of(System.getenv(), ProcessHandle.current().pid());
    return new Election(
        client,
        namespace,
        settings.get(LEASE_NAME),
        candidate,
        String.join(" and ", services),
        leadership,
        listener,
        ticks::tickNow);
  }

  private WatchedServices watchedServices() {
    return new WatchedServices(
        client,
        namespace,
        continuous ? services : List.of(),
        settings.get(PUBLISH),
        rights,
        conditions::reportDegradation,
        System::nanoTime,
        schedule::requestCycle);
  }

  private Cluster build() {
    int port = settings.postgres().port();
    StoredTopologyReader stored =
        new StoredTopologyReader(port, settings.allowLoopback(), conditions::reportDegradation);
    Publisher publisher =
        new Publisher(
            settings.rwService(),
            settings.roService(),
            settings.get(PORT_NAME),
            port,
            settings.get(PUBLISH),
            clock);
    ConfigMapStateStore state = state();
    ClusterMemory memory = memory(state);
    ServiceReader reader = reader();
    ServiceCheck services =
        new ServiceCheck(
            new ObjectClient<>(client, ObjectKind.SERVICES, namespace, requests),
            namespace,
            settings.get(PORT_NAME),
            rights,
            conditions,
            budget,
            lookups);
    return new Cluster(
        namespace,
        invocation.mode(),
        settings.get(PAUSED),
        settings.get(ON_SPLIT_BRAIN),
        schedule,
        leadership,
        reader,
        stored,
        new KnownNodes(settings.nodes(), stored),
        new Prober(
            settings.postgres(),
            new Resolver(lookups, settings.allowLoopback()),
            pools,
            downNodes,
            roles,
            probes,
            System::nanoTime),
        memory,
        publisher,
        services,
        new ClientCheck(
            reader, services, namespace, continuous, System::nanoTime, schedule::requestCycleIn),
        new OverrulePlanner(invocation.entry(), invocation.confirmed(), publisher, memory, clock),
        budget,
        CycleAge.of(settings.postgres().connectTimeout(), leadership::term),
        conditions,
        remembered(state),
        new CycleHistory(),
        errors,
        new SteadyClock(clock, System::nanoTime));
  }

  private RememberedConditions remembered(ConfigMapStateStore state) {
    boolean once = invocation.mode() == Mode.ONCE;
    return new RememberedConditions(continuous || once ? state : null, errors, conditions, once);
  }

  private ServiceReader reader() {
    return new ServiceReader(
        new ObjectClient<>(client, ObjectKind.ENDPOINTS, namespace, requests),
        new ObjectClient<>(client, ObjectKind.ENDPOINT_SLICES, namespace, requests),
        watched,
        rights,
        settings.get(PUBLISH),
        budget);
  }

  /** Returns null if STATE is not set. */
  private ConfigMapStateStore state() {
    return settings.get(STATE) == null
        ? null
        : new ConfigMapStateStore(
            client,
            namespace,
            settings.get(STATE),
            settings.rwService(),
            errors,
            rights,
            conditions,
            budget,
            leadership::check,
            System::nanoTime);
  }

  private ClusterMemory memory(ConfigMapStateStore state) {
    StateStore store = state == null ? StateStore.none() : state;
    return new ClusterMemory(
        Memory.empty(hysteresis()),
        decisionSettings(),
        invocation.writes() ? store : StateStore.readOnly(store),
        Decision::decide);
  }

  /** Earlier states of nodes expire after two intervals plus the time limit of a probe. */
  private DecisionSettings decisionSettings() {
    return new DecisionSettings(
        settings.get(MIN_REACHABLE_NODES),
        settings.readOnlyRules(),
        settings.postgres().connectTimeout().plus(settings.get(PROBE_INTERVAL).multipliedBy(2)));
  }

  private StandbyHysteresis hysteresis() {
    return continuous
        ? new StandbyHysteresis(
            settings.get(STANDBY_FAILURES),
            settings.get(STANDBY_SUCCESSES),
            settings.get(PROBE_INTERVAL))
        : StandbyHysteresis.none();
  }

  @Override
  public void close() throws SQLException {
    ticks.cancel();
    checkTicks.cancel();
    watched.close();
    roles.close();
    pools.close();
  }
}
