package io.github.pgendpoints.management;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Sinks;
import io.github.pgendpoints.cycle.Heartbeat;
import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.ObjectOperation;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.postgres.NodeProbe;
import io.github.pgendpoints.publish.Mismatch;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.publish.Slices;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.PrimaryClass;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Records what the cycles do as metrics; docs/metrics.md lists them.
 *
 * <p>The labels are bounded: a node is an entry of PG_NODES, never an address or a value that a
 * server reports.
 */
public final class Metrics implements RequestListener {
  private static final String PREFIX = "pgendpoints.";

  private static final String PROBES = PREFIX + "probe.duration";

  private static final String VERIFIED = "verified";

  private static final List<String> OUTCOMES =
      List.of(VERIFIED, "refused", "failed", "no_nodes", "kubernetes");

  /** The limit of rule names, because users may add rules. Further names have no gauge. */
  private static final int MAX_RULES = 50;

  private static final Duration[] BUCKETS =
      Stream.of(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)
          .map(Duration::ofMillis)
          .toArray(Duration[]::new);

  private final MeterRegistry registry;
  private final LongSupplier nanoTime;
  private final String rwService;
  private final String roService;
  private final Counter topologyChanges;
  private final NodeMetrics nodes;

  // Written by one cycle at a time, and read by scrapes.
  private volatile double primaries = Double.NaN;
  private volatile double deadBranches = Double.NaN;
  private volatile double readOnlyPrimary = Double.NaN;
  private volatile String rule = "";
  private final Set<String> rules = new HashSet<>();
  private volatile Map<String, Integer> addresses = Map.of();
  private volatile Set<String> mismatches = Set.of();
  private volatile long verifiedAt;
  private volatile boolean paused;
  private String lastTopology;
  private Set<String> nodeNames = Set.of();

  /**
   * @param pausedBySetting whether PAUSED stops every write, regardless of the annotation
   */
  public Metrics(
      MeterRegistry registry,
      String rwService,
      String roService,
      Heartbeat heartbeat,
      CycleHealth health,
      boolean pausedBySetting,
      LongSupplier nanoTime) {
    this.registry = registry;
    this.nanoTime = nanoTime;
    this.rwService = rwService;
    this.roService = roService;
    this.verifiedAt = nanoTime.getAsLong();
    gauge(
        "verified.age",
        "seconds",
        "Since a cycle last ended verified and published",
        metrics -> (nanoTime.getAsLong() - verifiedAt) / 1e9);
    gauge(
        "cycle.age",
        "seconds",
        "Since a cycle last ended, however",
        metrics -> heartbeat.age().toNanos() / 1e9);
    gauge(
        "cycles.running",
        null,
        "1 while the routes of the cycles run",
        metrics -> health.isRunning() ? 1 : 0);
    gauge("leader", null, "1 while this replica leads", metrics -> health.isStandingBy() ? 0 : 1);
    gauge(
        "paused",
        null,
        "1 while every write is stopped",
        metrics -> pausedBySetting || paused ? 1 : 0);
    gauge("primaries", null, "Servers that accept writes", metrics -> metrics.primaries);
    gauge(
        "dead.branches",
        null,
        "Servers that accept writes off the published line",
        metrics -> metrics.deadBranches);
    gauge(
        "primary.read.only",
        null,
        "1 while sessions at the primary are read-only by default",
        metrics -> metrics.readOnlyPrimary);
    for (Rule any : Rule.values()) {
      if (any != Rule.OWN) {
        verdicts(any.toString());
      }
    }
    topologyChanges =
        Counter.builder(PREFIX + "topology.changes")
            .description("Changes of the primary or of the standbys that are read from")
            .register(registry);
    nodes = new NodeMetrics(registry);
    // A counter starts at 0 and is never absent, because a rate needs a first value.
    OUTCOMES.forEach(this::cycles);
    for (String service : List.of(rwService, roService)) {
      Gauge.builder(PREFIX + "service.addresses", () -> addresses.get(service))
          .description("Addresses behind the Service")
          .tag("service", service)
          .register(registry);
      Gauge.builder(PREFIX + "service.mismatch", () -> mismatches.contains(service) ? 1 : 0)
          .description("1 while clients see other addresses than those written")
          .tag("service", service)
          .register(registry);
      writes(service);
      conflicts(service);
    }
  }

  /** Publishes the version of the program and the commit of its sources. */
  public void build(String version, String revision) {
    Gauge.builder(PREFIX + "build.info", () -> 1)
        .description("1, with the version and the revision of the program")
        .tag("version", version)
        .tag("revision", revision)
        .register(registry);
  }

  /** Publishes the alert counters of each sink. */
  public void count(Sinks sinks) {
    sinks.subscribe(
        (sink, count) -> {
          alerts("sent", "Alerts that the sink has taken", sink, count.sent());
          alerts("failed", "Alerts that the sink failed to deliver", sink, count.failed());
          alerts(
              "dropped",
              "Alerts that did not fit into the queue of the sink",
              sink,
              count.dropped());
          alerts(
              "sink.faults",
              "Faults for which the file of the sink is left out",
              sink,
              count.faults());
        });
  }

  private void alerts(String name, String help, String sink, AtomicLong count) {
    FunctionCounter.builder(PREFIX + "alerts." + name, count, AtomicLong::get)
        .description(help)
        .tag("sink", sink)
        .register(registry);
  }

  private void verdicts(String name) {
    if (rules.size() < MAX_RULES && rules.add(name)) {
      Gauge.builder(PREFIX + "verdict", () -> rule.equals(name) ? 1 : 0)
          .description("1 for the rule that decided last")
          .tag("rule", name)
          .register(registry);
    }
  }

  private void gauge(String name, String unit, String help, ToDoubleFunction<Metrics> value) {
    Gauge.builder(PREFIX + name, this, value).description(help).baseUnit(unit).register(registry);
  }

  private Counter writes(String service) {
    return counter("writes", "Endpoints or EndpointSlices written or deleted", service);
  }

  private Counter conflicts(String service) {
    return counter(
        "conflicts",
        "Writes refused because another writer changed the object in between",
        service);
  }

  private Counter counter(String name, String help, String service) {
    return Counter.builder(PREFIX + name)
        .description(help)
        .tag("service", service)
        .register(registry);
  }

  private Timer cycles(String outcome) {
    return Timer.builder(PREFIX + "cycle.duration")
        .description("How long cycles took, by how they ended")
        .tag("outcome", outcome)
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  private void forgetProbesOfOthers(Topology topology) {
    Set<String> names =
        topology.nodes().stream().map(state -> state.node().name()).collect(Collectors.toSet());
    if (!names.equals(nodeNames)) {
      nodeNames = names;
      registry.find(PROBES).timers().stream()
          .filter(timer -> !names.contains(timer.getId().getTag("node")))
          .forEach(registry::remove);
    }
  }

  private Timer probes(Node node) {
    return Timer.builder(PROBES)
        .description("How long probes of the node took, failed ones too")
        .tag("node", node.name())
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  public void ended(Result result) {
    String outcome = outcome(result);
    cycles(outcome).record(result.duration());
    mismatches =
        result.mismatches().stream().map(Mismatch::service).collect(Collectors.toUnmodifiableSet());
    LastPublished published = result.published();
    if (published != null) {
      paused = published.paused();
      addresses = Map.of(rwService, count(result.readWrite()), roService, count(result.readOnly()));
    }
    if (result.topology() != null) {
      observed(result.topology(), result.verdict());
    }
    if (result.isVerified()) {
      verifiedAt = nanoTime.getAsLong();
      String signature =
          Signature.of(result.verdict().primary(), result.verdict().readOnly().members(), -1);
      if (lastTopology != null && !signature.equals(lastTopology)) {
        topologyChanges.increment();
      }
      lastTopology = signature;
    }
  }

  /** A verified topology counts as verified even if the cycle has an error. */
  private static String outcome(Result result) {
    return switch (result.outcome()) {
      case VERIFIED, MISMATCH, REFUSED, NOT_LEADER -> result.isVerified() ? VERIFIED : "refused";
      case FAILED -> "failed";
      case NO_NODES -> "no_nodes";
      case KUBERNETES, CONFLICT -> "kubernetes";
    };
  }

  private static int count(ObservedService observed) {
    return observed.publishedEndpoints().size();
  }

  private void observed(Topology topology, Verdict verdict) {
    nodes.update(topology, verdict);
    forgetProbesOfOthers(topology);
    primaries = topology.primaries().size();
    if (verdict != null) {
      verdicts(verdict.ruleName());
      rule = verdict.ruleName();
      deadBranches =
          verdict.primaries().values().stream()
              .filter(is -> is == PrimaryClass.DEAD_BRANCH)
              .count();
      readOnlyPrimary = readOnly(verdict.primary());
    }
  }

  private static double readOnly(NodeState primary) {
    Boolean readOnly =
        primary == null || primary.server() == null ? null : primary.server().readOnlyByDefault();
    return readOnly == null ? Double.NaN : readOnly ? 1 : 0;
  }

  public void probed(NodeProbe probe, NodeState state) {
    probes(probe.node()).record(Duration.ofNanos(nanoTime.getAsLong() - probe.startedAt()));
  }

  @Override
  public void ended(
      ObjectOperation operation,
      ObjectKind<?> kind,
      HasMetadata object,
      KubernetesClientException failure) {
    if (failure == null) {
      if (object != null) {
        writes(serviceOf(object)).increment();
      }
    } else if (object != null && failure.getCode() == HttpURLConnection.HTTP_CONFLICT) {
      conflicts(serviceOf(object)).increment();
    } else {
      Counter.builder(PREFIX + "api.errors")
          .description("Requests to the Kubernetes API that failed, retries included")
          .tag("operation", operation.of(kind))
          .tag("code", failure.getCode() > 0 ? String.valueOf(failure.getCode()) : "none")
          .register(registry)
          .increment();
    }
  }

  /** Returns "none" for a slice without a Service, which a user's route may write. */
  private static String serviceOf(HasMetadata object) {
    return Objects.requireNonNullElse(Slices.serviceOf(object), "none");
  }
}
