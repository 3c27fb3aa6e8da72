package io.github.pgendpoints.management;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.publish.Actual;
import io.github.pgendpoints.publish.Plan;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.PrimaryClass;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;

/**
 * What the cycles do, as metrics; docs/metrics.md lists them. It watches the routes from outside,
 * so that they need not speak of it.
 *
 * <p>The labels are bounded: a node is an entry of PG_NODES, never an address or what a server says
 * of itself.
 */
public final class Metrics implements RoutePolicyFactory {
  private static final String PREFIX = "pgendpoints.";

  private static final String VERIFIED = "verified";

  /** By exit code; what was verified beside an error is verified all the same. */
  private static final List<String> OUTCOMES =
      List.of(VERIFIED, "refused", "no_nodes", "kubernetes");

  private static final Set<String> WRITES =
      Set.of(
          "create-endpoints",
          "patch-endpoints",
          "delete-endpoints",
          "create-slice",
          "patch-slice",
          "delete-slice");
  private static final Set<String> READS =
      Set.of("get-endpoints", "list-slices", "get-slice", "get-service");
  private static final int CONFLICT = 409;

  private static final Duration[] BUCKETS =
      Stream.of(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)
          .map(Duration::ofMillis)
          .toArray(Duration[]::new);

  private final MeterRegistry registry;
  private final LongSupplier nanoTime;
  private final String rwService;
  private final String roService;
  private final Counter topologyChanges;
  private final MultiGauge states;
  private final MultiGauge lags;
  private final MultiGauge timelines;

  // Written by the cycles, one at a time, and read by those who scrape.
  private volatile Map<Node, NodeState> nodes = Map.of();
  private volatile Map<Node, Long> lagOf = Map.of();
  private volatile double primaries = Double.NaN;
  private volatile double deadBranches = Double.NaN;
  private volatile Rule rule;
  private volatile Map<String, Integer> addresses = Map.of();
  private volatile long verifiedAt;
  private volatile boolean paused;
  private String lastTopology;

  /**
   * @param health of the same manager
   * @param pausedBySetting whether PAUSED stops every write, whatever the annotation says
   * @param nanoTime as {@link System#nanoTime}
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
        "discover.running",
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
    for (Rule any : Rule.values()) {
      Gauge.builder(PREFIX + "verdict", () -> rule == any ? 1 : 0)
          .description("1 for the rule that decided last")
          .tag("rule", any.toString())
          .register(registry);
    }
    topologyChanges =
        Counter.builder(PREFIX + "topology.changes")
            .description("Changes of the primary or of the standbys that are read from")
            .register(registry);
    states =
        MultiGauge.builder(PREFIX + "node.state")
            .description("1 for the state that the node is in")
            .register(registry);
    lags =
        MultiGauge.builder(PREFIX + "node.lag")
            .description("WAL of the primary that the standby has yet to replay")
            .baseUnit("bytes")
            .register(registry);
    timelines =
        MultiGauge.builder(PREFIX + "node.timeline")
            .description("Timeline that the node writes or streams")
            .register(registry);
    // What has not happened yet is 0, not absent: rates need a beginning.
    OUTCOMES.forEach(this::cycles);
    for (String service : List.of(rwService, roService)) {
      Gauge.builder(PREFIX + "service.addresses", () -> addresses.get(service))
          .description("Addresses behind the Service")
          .tag("service", service)
          .register(registry);
      writes(service);
      conflicts(service);
    }
  }

  private void gauge(String name, String unit, String help, ToDoubleFunction<Metrics> value) {
    Gauge.builder(PREFIX + name, this, value).description(help).baseUnit(unit).register(registry);
  }

  private Counter writes(String service) {
    return counter("writes", "Endpoints or EndpointSlices written or deleted", service);
  }

  private Counter conflicts(String service) {
    return counter("conflicts", "Writes refused because somebody else wrote in between", service);
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

  private Timer probes(Node node) {
    return Timer.builder(PREFIX + "probe.duration")
        .description("How long probes of the node took, failed ones too")
        .tag("node", node.name())
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  @Override
  public RoutePolicy createRoutePolicy(CamelContext context, String routeId, NamedNode route) {
    if (routeId.equals("discover")) {
      return new Policy(this::cycleEnded);
    }
    if (routeId.equals("probe")) {
      return new Policy(this::probed);
    }
    return WRITES.contains(routeId) || READS.contains(routeId)
        ? new Policy(exchange -> requested(routeId, exchange))
        : null;
  }

  private void cycleEnded(Exchange cycle) {
    int code = cycle.isFailed() ? 1 : cycle.getProperty("exitCode", 1, Integer.class);
    Topology topology = cycle.getProperty("topology", Topology.class);
    Verdict verdict = cycle.getProperty("verdict", Verdict.class);
    boolean verified = verdict != null && verdict.isVerified() && !cycle.isFailed();
    String outcome = verified && code == 1 ? VERIFIED : OUTCOMES.get(code);
    cycles(outcome).record(Duration.ofMillis(cycle.getClock().elapsed()));
    Published published = cycle.getProperty("published", Published.class);
    if (published != null) {
      paused = published.paused();
      addresses =
          Map.of(
              rwService, count(cycle.getProperty("rw", Actual.class)),
              roService, count(cycle.getProperty("ro", Actual.class)));
    }
    if (topology != null) {
      observed(topology, verdict);
    }
    if (verified) {
      verifiedAt = outcome.equals(VERIFIED) ? nanoTime.getAsLong() : verifiedAt;
      String signature = Signature.of(verdict.primary(), verdict.readOnly().members(), -1);
      if (lastTopology != null && !signature.equals(lastTopology)) {
        topologyChanges.increment();
      }
      lastTopology = signature;
    }
  }

  private static int count(Actual actual) {
    return actual.publishedEndpoints().size();
  }

  private void observed(Topology topology, Verdict verdict) {
    Map<Node, NodeState> now = new HashMap<>();
    Map<Node, Long> lagNow = new HashMap<>();
    List<Row<?>> stateRows = new ArrayList<>();
    List<Row<?>> lagRows = new ArrayList<>();
    List<Row<?>> timelineRows = new ArrayList<>();
    for (NodeState state : topology.nodes()) {
      Node node = state.node();
      Tags tags = Tags.of("node", node.name());
      now.put(node, state);
      for (State any : State.values()) {
        stateRows.add(
            Row.of(
                tags.and("state", any.name().toLowerCase(Locale.ROOT)),
                this,
                metrics -> metrics.nodes.get(node).state() == any ? 1 : 0));
      }
      Long lag = verdict == null ? null : verdict.lag(state);
      if (lag != null) {
        lagNow.put(node, lag);
        lagRows.add(Row.of(tags, this, metrics -> value(metrics.lagOf.get(node))));
      }
      if (timeline(state) != null) {
        timelineRows.add(Row.of(tags, this, metrics -> value(timeline(metrics.nodes.get(node)))));
      }
    }
    nodes = now;
    primaries = topology.primaries().size();
    if (verdict != null) {
      rule = verdict.rule();
      deadBranches =
          verdict.primaries().values().stream()
              .filter(is -> is == PrimaryClass.DEAD_BRANCH)
              .count();
    }
    lagOf = lagNow;
    states.register(stateRows);
    lags.register(lagRows);
    timelines.register(timelineRows);
  }

  private static Long timeline(NodeState state) {
    return state.server() == null ? null : state.server().timeline();
  }

  private static double value(Long number) {
    return number == null ? Double.NaN : number;
  }

  private void probed(Exchange probe) {
    if (probe.getMessage().getBody() instanceof NodeState state) {
      probes(state.node()).record(Duration.ofMillis(probe.getClock().elapsed()));
    }
  }

  private void requested(String operation, Exchange request) {
    KubernetesClientException failure = request.getException(KubernetesClientException.class);
    if (failure == null) {
      if (WRITES.contains(operation) && !request.isFailed()) {
        writes(service(request)).increment();
      }
    } else if (WRITES.contains(operation) && failure.getCode() == CONFLICT) {
      conflicts(service(request)).increment();
    } else {
      Counter.builder(PREFIX + "api.errors")
          .description("Requests to the Kubernetes API that failed, retries included")
          .tag("operation", operation)
          .tag("code", failure.getCode() > 0 ? String.valueOf(failure.getCode()) : "none")
          .register(registry)
          .increment();
    }
  }

  private static String service(Exchange request) {
    return request.getProperty("plan", Plan.class).service();
  }

  /** What to do at the end of each exchange of a route. */
  private static final class Policy extends RoutePolicySupport {
    private final Consumer<Exchange> end;

    Policy(Consumer<Exchange> end) {
      this.end = end;
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
      end.accept(exchange);
    }
  }
}
