package io.github.pgendpoints;

import static io.github.pgendpoints.settings.SettingsCatalog.ALERT_REPEAT;

import io.github.pgendpoints.alert.AlertFormats;
import io.github.pgendpoints.alert.AlertLog;
import io.github.pgendpoints.alert.AlertsComponent;
import io.github.pgendpoints.alert.MailSender;
import io.github.pgendpoints.alert.ResponseBodyDiscarder;
import io.github.pgendpoints.alert.ServiceEvents;
import io.github.pgendpoints.alert.SinkSettings;
import io.github.pgendpoints.alert.Sinks;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.Cycle;
import io.github.pgendpoints.cycle.CycleSteps;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.cycle.OverruleSteps;
import io.github.pgendpoints.cycle.ProbeSteps;
import io.github.pgendpoints.cycle.PublishSteps;
import io.github.pgendpoints.cycle.ReadSteps;
import io.github.pgendpoints.cycle.ResultListener;
import io.github.pgendpoints.cycle.Retries;
import io.github.pgendpoints.cycle.RuleSteps;
import io.github.pgendpoints.kubernetes.WriteGuard;
import io.github.pgendpoints.postgres.NoDataSource;
import io.github.pgendpoints.postgres.NodeProbe;
import io.github.pgendpoints.settings.Settings;
import io.github.pgendpoints.topology.NodeState;
import java.io.PrintStream;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.apache.camel.Predicate;

/**
 * The beans and properties that the routes name.
 *
 * @param console receives the output for people
 * @param end runs after the alerts of a cycle were sent
 */
record RouteBindings(
    ClusterWiring wiring,
    Sinks sinks,
    PrintStream console,
    BiConsumer<NodeProbe, NodeState> probed,
    ResultListener ended,
    Runnable end) {

  /** The pod's name. */
  static final String INSTANCE = Objects.requireNonNullElse(System.getenv("HOSTNAME"), "replica");

  Map<String, String> properties() {
    Mode mode = wiring.invocation.mode();
    return Map.of(
        "probe.tick", String.valueOf(wiring.cluster.schedule().tick().toMillis()),
        "continuous", String.valueOf(mode == Mode.CONTINUOUS),
        "dry.run", String.valueOf(mode == Mode.DRY_RUN),
        "writes", String.valueOf(mode.writes()),
        "overrule", String.valueOf(mode == Mode.OVERRULE));
  }

  void bind(BiConsumer<String, Object> registry) {
    Settings settings = wiring.settings;
    SinkSettings sinkSettings = settings.sinks();
    registry.accept("kubernetesClient", wiring.client);
    registry.accept("writeGuard", writeGuard());
    registry.accept("requests", wiring.requests);
    registry.accept("cluster", wiring.cluster);
    registry.accept("ticks", wiring.ticks);
    registry.accept("checkTicks", wiring.checkTicks);
    registry.accept("probes", wiring.probes);
    registry.accept("noDataSource", new NoDataSource());
    registry.accept("readSteps", new ReadSteps());
    registry.accept("probeSteps", new ProbeSteps(probed));
    registry.accept("ruleSteps", new RuleSteps());
    registry.accept("publishSteps", new PublishSteps());
    registry.accept("overruleSteps", new OverruleSteps(console));
    CycleSteps cycleSteps = new CycleSteps(ended, end);
    registry.accept("cycleSteps", cycleSteps);
    // A bean in an expression does not see the exception that a catch clause checks.
    registry.accept("concernsOneService", (Predicate) cycleSteps::concernsOneService);
    registry.accept("retries", new Retries());
    registry.accept("console", console);
    registry.accept("alertLog", new AlertLog());
    registry.accept("alerts", new AlertsComponent(sinks, sinkSettings));
    registry.accept("sinkSettings", sinkSettings);
    registry.accept("discardResponseBody", new ResponseBodyDiscarder());
    registry.accept("mailSender", new MailSender(sinkSettings));
    registry.accept("alertFormats", new AlertFormats(sinkSettings, settings.get(ALERT_REPEAT)));
    registry.accept(
        "serviceEvents", new ServiceEvents(wiring.client, wiring.cluster.errors(), INSTANCE));
  }

  private WriteGuard writeGuard() {
    // A route that a user adds need not set the variable.
    Cluster only = wiring.cluster;
    return exchange -> {
      Cluster cluster = exchange.getVariable("cluster", only, Cluster.class);
      cluster.leadership().check();
      Cycle cycle = exchange.getVariable("cycle", Cycle.class);
      cluster.age().check(cycle == null ? null : cycle.begun());
    };
  }
}
