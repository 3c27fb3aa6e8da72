package io.github.pgendpoints;

import static io.github.pgendpoints.settings.SettingsCatalog.*;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Sinks;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.CycleBoundary;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.kubernetes.KubernetesAccess;
import io.github.pgendpoints.postgres.NodeProbe;
import io.github.pgendpoints.settings.InvalidSettingsException;
import io.github.pgendpoints.settings.Settings;
import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.apache.camel.Handler;
import org.apache.camel.Processor;
import org.apache.camel.Variable;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;

/**
 * Runs the real routes with the real beans, with two exceptions: the test starts each cycle and
 * supplies the topology that it finds. Uses the Services {@code pg-rw} and {@code pg-ro}.
 */
public final class RoutesContext implements AutoCloseable {
  private final FakeApiServer api;
  private final Map<String, String> environment = new HashMap<>();
  private final Map<String, Object> beans = new HashMap<>();
  private final Map<String, Processor> replaced = new HashMap<>();
  private final List<Alert> alerts = new ArrayList<>();
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private Path home = Path.of("");
  private Mode mode = Mode.ONCE;
  private PrintStream console = System.out;
  private KubernetesClient client;
  private Settings settings;
  private ClusterWiring wiring;
  private DefaultCamelContext context;
  private Topology topology;
  private Result result;

  /** Creates a context that is not started yet. */
  public RoutesContext(FakeApiServer api) {
    this.api = api;
    with("PGUSER", "repmgr");
    with("PGDATABASE", "repmgr");
    with("RW_SERVICE", "pg-rw");
    with("RO_SERVICE", "pg-ro");
    with("PG_NODES", "10.0.0.1,10.0.0.2,10.0.0.3");
    beans.put("probeSteps", new GivenTopology());
    beans.put("alertLog", new KeptAlerts());
  }

  /** Sets a setting. */
  public RoutesContext with(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /** Sets the mode of the run; the default is {@link Mode#ONCE}. */
  public RoutesContext in(Mode other) {
    mode = other;
    return this;
  }

  /** Sets the stream to which a dry run prints what it would write. */
  public RoutesContext printingTo(PrintStream other) {
    console = other;
    return this;
  }

  /** Replaces a real bean with another one. */
  public RoutesContext withBean(String name, Object bean) {
    beans.put(name, bean);
    return this;
  }

  /** Takes the routes from another folder's {@code routes/}. */
  public RoutesContext in(Path otherHome) {
    home = otherHome;
    return this;
  }

  /**
   * Replaces a route with a processor.
   *
   * @param uri the URI that the route starts from, such as {@code direct:publish}
   */
  public RoutesContext replacing(String uri, Processor step) {
    replaced.put(uri, step);
    return this;
  }

  /** Loads the routes and starts them. */
  public RoutesContext start() {
    try {
      settings = TestSettings.read(environment);
      client = KubernetesAccess.client(api.config(), settings.get(KUBERNETES_TIMEOUT));
      wiring = wiring();
      context = new DefaultCamelContext();
      RouteBindings bindings = bindings();
      bindings.properties().forEach(context.getPropertiesComponent()::addInitialProperty);
      bindings.bind(
          (name, bean) -> context.getRegistry().bind(name, beans.getOrDefault(name, bean)));
      context.addRoutePolicyFactory(new CycleBoundary(wiring.cluster, () -> {}));
      load();
      context.start();
      return this;
    } catch (InvalidSettingsException e) {
      throw new IllegalArgumentException(e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private ClusterWiring wiring() {
    return new ClusterWiring(
        settings,
        api.namespace(),
        Invocation.of(mode),
        client,
        (operation, kind, object, failure) -> {},
        executor,
        executor);
  }

  private RouteBindings bindings() {
    return new RouteBindings(
        wiring,
        new Sinks(),
        console,
        (probe, state) -> {},
        (ended, reasons) -> result = ended,
        () -> {});
  }

  private void load() throws Exception {
    for (Path file : files()) {
      PluginHelper.getRoutesLoader(context)
          .loadRoutes(
              ResourceHelper.fromString(file.getFileName().toString(), Files.readString(file)));
    }
    for (RouteDefinition route : List.copyOf(context.getRouteDefinitions())) {
      String uri = route.getInput().getEndpointUri();
      if (uri.startsWith("timer:")) {
        route.getInput().setUri("direct:" + uri.replaceAll("^timer:|\\?.*", ""));
      } else if (replaced.containsKey(uri)) {
        context.removeRouteDefinition(route);
      }
    }
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            replaced.forEach((uri, step) -> from(uri).errorHandler(noErrorHandler()).process(step));
          }
        });
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.list(home.resolve("routes"))) {
      return all.filter(file -> file.toString().endsWith(".camel.yaml")).sorted().toList();
    }
  }

  /**
   * Runs one cycle.
   *
   * @param found the topology that the cycle finds
   * @return null when the cycle ends in a conflict and the next one must begin afresh
   */
  public Result cycle(Topology found) {
    topology = found;
    result = null;
    wiring.cluster.schedule().repeat();
    Exception failure =
        context
            .createFluentProducerTemplate()
            .to("direct:cycle")
            .withExchange(ExchangeBuilder.anExchange(context).build())
            .send()
            .getException();
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
    return result;
  }

  /**
   * Runs cycles until one does not end in a conflict.
   *
   * @return the exit code of that cycle
   */
  public int run(Topology found) {
    Result last = null;
    while (last == null) {
      last = cycle(found);
    }
    return last.outcome().exitCode();
  }

  /** Continues like a process that has just started and remembers nothing. */
  public void restart() {
    closeWiring();
    wiring = wiring();
    context.getRegistry().bind("cluster", wiring.cluster);
  }

  /** Returns the cluster that the cycles work on. */
  public Cluster cluster() {
    return wiring.cluster;
  }

  /** Returns the alerts since the last call. */
  public List<Alert> alerts() {
    List<Alert> news = List.copyOf(alerts);
    alerts.clear();
    return news;
  }

  /** Returns the messages of the alerts since the alerts were last read. */
  public List<String> news() {
    return alerts().stream().map(Alert::message).toList();
  }

  /** Returns the Camel context itself. */
  public DefaultCamelContext camel() {
    return context;
  }

  @Override
  public void close() {
    context.stop();
    executor.shutdownNow();
    closeWiring();
    client.close();
  }

  private void closeWiring() {
    try {
      wiring.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The bean {@code probeSteps} of a cycle with a given topology: it probes no node. */
  public final class GivenTopology {
    public List<NodeProbe> startProbes() {
      return List.of();
    }

    public Topology collectTopology(@Variable("published") LastPublished published) {
      return topology.identifiedBy(published);
    }

    public boolean needsRecheck() {
      return false;
    }

    public long recheckDelay() {
      return 0;
    }

    public List<NodeProbe> startRechecks() {
      return List.of();
    }

    public Topology updateTopology(@Variable("topology") Topology contested) {
      return contested;
    }

    // The routes of a probe and of a check name these methods, but no exchange reaches them.

    public void dataSource() {
      throw new IllegalStateException();
    }

    public void query() {
      throw new IllegalStateException();
    }

    public void completeAnswer() {
      throw new IllegalStateException();
    }

    public void probeOtherwise() {
      throw new IllegalStateException();
    }

    public boolean shouldRetry() {
      throw new IllegalStateException();
    }

    public void startChecks() {
      throw new IllegalStateException();
    }

    public void checkDown() {
      throw new IllegalStateException();
    }
  }

  /** The bean {@code alertLog}, which keeps the alerts for the test. */
  public final class KeptAlerts {
    @Handler
    public void log(Alert alert) {
      alerts.add(alert);
    }
  }
}
