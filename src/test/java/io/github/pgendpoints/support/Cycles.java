package io.github.pgendpoints.support;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.kubernetes.KubernetesAccess;
import io.github.pgendpoints.kubernetes.KubernetesErrors;
import io.github.pgendpoints.kubernetes.WatchedEndpoints;
import io.github.pgendpoints.kubernetes.election.Leadership;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.ClusterMemory;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.KnownNodes;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.publish.ServiceCheck;
import io.github.pgendpoints.publish.SliceCheck;
import io.github.pgendpoints.publish.StateStore;
import io.github.pgendpoints.publish.Stored;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.topology.Damping;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Topology;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.camel.Exchange;
import org.apache.camel.Predicate;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;

/**
 * Cycles of the real routes, but for the probes: each is told the topology it is to find. For the
 * Services pg-rw and pg-ro.
 */
public final class Cycles implements AutoCloseable {
  /** The routes between these two know nothing of nodes. */
  private static final String READ = "- route:\n    id: read\n";

  private static final String ASK = "- route:\n    id: ask\n";

  private final DefaultCamelContext context = new DefaultCamelContext();
  private long lives;
  private final Conditions conditions = TestConditions.create();
  private final ApiBudget budget = new ApiBudget(Duration.ofSeconds(5), System::nanoTime);
  private final ExecutorService probes = Executors.newCachedThreadPool();
  private final KubernetesClient client;
  private final ProducerTemplate template;

  /**
   * @param slices whether PUBLISH asks for EndpointSlices
   * @param clear whether ON_SPLIT_BRAIN is clear
   */
  public Cycles(FakeApiServer api, boolean slices, boolean clear) {
    // Each cycle is to be as the first one of a process.
    this(api, slices, clear, true, null);
  }

  /** Those of one process: where Endpoints are published it looks for slices once. */
  public static Cycles ofOneProcess(FakeApiServer api, boolean slices) {
    return new Cycles(api, slices, false, slices, null);
  }

  /** Dry runs, which show there what they would write. */
  public static Cycles dry(FakeApiServer api, boolean slices, PrintStream console) {
    return new Cycles(api, slices, false, true, console);
  }

  private Cycles(
      FakeApiServer api, boolean slices, boolean clear, boolean look, PrintStream console) {
    client = KubernetesAccess.client(api.config(), Duration.ofSeconds(5));
    var properties = context.getPropertiesComponent();
    properties.addInitialProperty("namespace", api.namespace());
    properties.addInitialProperty("rw.service", "pg-rw");
    properties.addInitialProperty("ro.service", "pg-ro");
    properties.addInitialProperty("paused", "false");
    properties.addInitialProperty("dry.run", String.valueOf(console != null));
    properties.addInitialProperty("read.only", "false");
    properties.addInitialProperty("publish.slices", String.valueOf(slices));
    properties.addInitialProperty("clear.on.split.brain", String.valueOf(clear));
    Stored stored = new Stored(5432, true);
    bind("kubernetesClient", client);
    bind("conditions", conditions);
    bind(
        "publisher",
        new Publisher("pg-rw", "pg-ro", "postgresql", 5432, slices, Clock.systemUTC()));
    bind("watched", WatchedEndpoints.none());
    bind("stored", stored);
    bind("knownNodes", new KnownNodes(List.of(Nodes.node("10.0.0.1")), stored));
    bind(
        "memory",
        new ClusterMemory(
            Memory.empty(Damping.none()),
            new DecisionSettings(
                new Quorum(1), new ReadOnlyRules(null, false, false), Duration.ofSeconds(7)),
            new Forgotten(),
            () -> lives,
            () -> {}));
    bind("services", new ServiceCheck("postgresql", conditions, System::nanoTime));
    bind("slices", new SliceCheck(look, conditions, () -> 0, System::nanoTime));
    bind("apiBudget", budget);
    bind("cycleAge", CycleAge.of(Duration.ofSeconds(5), () -> 0));
    bind("leadership", Leadership.withoutElection());
    bind("kubernetesErrors", new KubernetesErrors(client.getConfiguration(), conditions));
    bind("console", console == null ? System.out : console);
    bind("stopping", (Predicate) exchange -> false);
    bind("probes", probes);
    try {
      for (String file :
          List.of(
              "00-errors",
              "10-discover",
              "30-verify",
              "40-publish",
              "43-switch",
              "45-write",
              "60-kubernetes")) {
        String yaml = Files.readString(Path.of("routes", file + ".camel.yaml"));
        if (file.equals("10-discover")) {
          yaml = yaml.substring(yaml.indexOf(READ), yaml.indexOf(ASK));
        }
        PluginHelper.getRoutesLoader(context)
            .loadRoutes(ResourceHelper.fromString(file + ".camel.yaml", yaml));
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    context.start();
    template = context.createProducerTemplate();
  }

  private void bind(String name, Object bean) {
    context.getRegistry().bind(name, bean);
  }

  /**
   * Runs a cycle that finds this topology.
   *
   * @return the exit code of the cycle
   */
  public int run(Topology topology) {
    budget.renew();
    Exchange exchange = ExchangeBuilder.anExchange(context).build();
    template.send("direct:read", exchange);
    Published published = exchange.getProperty("published", Published.class);
    if (exchange.getException() == null) {
      Topology identified = topology.identifiedBy(published);
      conditions.observed(identified);
      exchange.setProperty("topology", identified);
      exchange.getMessage().setBody(identified);
      template.send("direct:verify", exchange);
    }
    if (exchange.getException() != null) {
      throw new IllegalStateException(exchange.getException());
    }
    return Integer.parseInt(exchange.getProperty("exitCode", String.class));
  }

  /** Goes on as a process would that has just started: it remembers nothing. */
  public void restart() {
    lives++;
  }

  /** STATE in which nothing is ever kept. */
  private static final class Forgotten implements StateStore {
    @Override
    public Memory read() {
      return Memory.empty(Damping.none());
    }

    @Override
    public void write(Memory memory) {}

    @Override
    public void overwrite(Memory memory) {}
  }

  /** What is new since it was last asked. */
  public List<String> news() {
    return conditions.news().stream().map(Alert::message).toList();
  }

  @Override
  public void close() {
    context.stop();
    probes.shutdownNow();
    client.close();
  }
}
