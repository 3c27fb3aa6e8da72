package io.github.pgendpoints.postgres;

import io.github.pgendpoints.cycle.ProbeSteps;
import io.github.pgendpoints.cycle.TestCluster;
import io.github.pgendpoints.settings.InvalidSettingsException;
import io.github.pgendpoints.settings.Settings;
import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.NodeState;
import java.net.InetAddress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.main.Main;

/** The real route {@code probe} with the beans that the manager gives it, and nothing else. */
final class ProbeRoute implements AutoCloseable {
  /** The time limit of one probe in seconds, set as PGCONNECT_TIMEOUT. */
  static final int TIMEOUT = 2;

  private final Map<String, String> environment = new HashMap<>();
  private final ExecutorService probes = Executors.newCachedThreadPool();
  private final Main main = new Main();
  private Resolver.Lookup lookup = InetAddress::getAllByName;
  private Resolver resolver;
  private final AtomicLong passed = new AtomicLong();
  private NodePools pools;
  private Histories histories;
  private Prober prober;
  private ProducerTemplate template;
  private int port;

  /**
   * The result of a probe.
   *
   * @param node the state that the probe found
   * @param took the time from call to return
   */
  record Answer(NodeState node, Duration took) {
    String state() {
      return node.state().name();
    }

    @Override
    public String toString() {
      return node + " after " + took.toMillis() + " ms";
    }
  }

  ProbeRoute() {
    with("PGUSER", PostgresCluster.USER);
    with("PGDATABASE", PostgresCluster.DATABASE);
    with("PGPASSWORD", PostgresCluster.PASSWORD);
    with("PGCONNECT_TIMEOUT", String.valueOf(TIMEOUT));
    with("TCP_CONNECT_TIMEOUT", "0.5");
  }

  ProbeRoute with(String name, String value) {
    environment.put(name, value);
    return this;
  }

  ProbeRoute withLookup(Resolver.Lookup lookup) {
    this.lookup = lookup;
    return this;
  }

  /** Sets the resolver, which replaces the default one and its lookup. */
  ProbeRoute withResolver(Resolver resolver) {
    this.resolver = resolver;
    return this;
  }

  private void start() {
    try {
      Settings settings = TestSettings.read(environment);
      port = settings.postgres().port();
      Resolver names = resolver == null ? new Resolver(probes, true, lookup) : resolver;
      pools = new NodePools(settings.postgres(), probes, this::nanoTime);
      histories = new Histories(pools);
      prober =
          new Prober(
              settings.postgres(),
              names,
              pools,
              new DownNodes(
                  false,
                  () -> {},
                  () -> Duration.ZERO,
                  Duration.ZERO,
                  () -> Duration.ZERO,
                  this::nanoTime),
              pools.roleWatch(() -> {}),
              probes,
              this::nanoTime);
      main.configure()
          .withRoutesIncludePattern("file:routes/00-*.camel.yaml,file:routes/20-*.camel.yaml")
          .withAutoConfigurationLogSummary(false)
          .withJmxEnabled(false);
      main.addInitialProperty("continuous", "false");
      main.addInitialProperty("probe.tick", "100");
      main.bind("noDataSource", new NoDataSource());
      main.bind("probes", probes);
      main.bind("probeSteps", new ProbeSteps((probe, state) -> {}));
      main.start();
      template = main.getCamelContext().createProducerTemplate();
    } catch (InvalidSettingsException e) {
      throw new IllegalArgumentException(e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Probes one node. */
  Answer ask(String node) {
    return askAll(List.of(node)).get(0);
  }

  /** Probes all nodes at the same time, as a cycle does. */
  List<Answer> askAll(List<String> nodes) {
    if (template == null) {
      start();
    }
    List<Future<Answer>> asked = new ArrayList<>();
    NodeAddresses places =
        prober.locate(NodeList.parse(String.join(",", nodes), port, true).nodes());
    for (NodeProbe probe : prober.startProbes(places.nodes())) {
      asked.add(
          probes.submit(
              () -> {
                long start = System.nanoTime();
                Exchange answered =
                    template.request("direct:probe", exchange -> begin(exchange, probe));
                if (answered.getException() != null) {
                  throw answered.getException();
                }
                NodeState state = answered.getMessage().getBody(NodeState.class);
                return new Answer(state, Duration.ofNanos(System.nanoTime() - start));
              }));
    }
    List<Answer> answers = new ArrayList<>();
    for (Future<Answer> future : asked) {
      try {
        answers.add(future.get());
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
    places.unresolved().forEach(state -> answers.add(new Answer(state, Duration.ZERO)));
    return answers;
  }

  /** Reads the history of a node that answered a probe. */
  HistoryAnswer history(NodeState node) {
    return historyUntil(node, pools.deadline());
  }

  HistoryAnswer historyUntil(NodeState node, Deadline deadline) {
    return histories.read(node, deadline).server().history();
  }

  /** The value of a setting as it applies to the queries of a probe. */
  String show(PostgresServer server, String setting) throws SQLException {
    NodePool pool =
        pools.of(
            NodeList.parse(server.host() + ":" + server.port(), port, true).nodes().get(0),
            pools.deadline());
    try (Connection connection = pool.open();
        PreparedStatement statement =
            connection.prepareStatement("SELECT pg_catalog.current_setting(?)")) {
      statement.setString(1, setting);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  /** Advances the clock by which kept answers and sessions expire. */
  void pass(Duration time) {
    passed.addAndGet(time.toNanos());
  }

  private long nanoTime() {
    return System.nanoTime() + passed.get();
  }

  private void begin(Exchange exchange, NodeProbe probe) {
    exchange.setVariable("cluster", TestCluster.with(prober));
    exchange.getMessage().setBody(probe);
  }

  @Override
  public void close() {
    probes.shutdownNow();
    if (pools != null) {
      try {
        main.stop();
        pools.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
