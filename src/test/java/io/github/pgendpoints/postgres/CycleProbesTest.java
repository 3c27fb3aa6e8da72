package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.CycleBoundary;
import io.github.pgendpoints.cycle.CycleSteps;
import io.github.pgendpoints.cycle.Outcome;
import io.github.pgendpoints.cycle.ProbeSchedule;
import io.github.pgendpoints.cycle.ProbeSteps;
import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.cycle.Retries;
import io.github.pgendpoints.cycle.TestCluster;
import io.github.pgendpoints.cycle.Ticks;
import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Topology;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.direct.DirectComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Which nodes the route {@code cycle} probes, and which nodes the route {@code check-down} checks
 * meanwhile. The test replaces the steps before and after the probes, and the results of probes. A
 * check connects to a real socket.
 */
@Timeout(60)
class CycleProbesTest {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration CYCLE_INTERVAL = Duration.ofSeconds(1);

  /** The age of a DOWN state at which a cycle probes the node itself, with or without checks. */
  private static final Duration AGED_OUT = CONNECT_TIMEOUT.plus(CYCLE_INTERVAL.multipliedBy(2));

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final Set<String> accepting = ConcurrentHashMap.newKeySet();
  private final FakeNode server1 = server("db1");
  private final FakeNode server2 = server("db2");
  private final String db1 = "db1:" + server1.port();
  private final String db2 = "db2:" + server2.port();
  private final NodeState stale = primary(db1, 1);
  private final NodeState newPrimary = primary(db2, 2);

  private final AtomicLong passed = new AtomicLong();
  private final AtomicInteger threadsLeft = new AtomicInteger(Integer.MAX_VALUE);
  private final Semaphore threadsRefused = new Semaphore(0);
  private final ThreadPoolExecutor probes = new ProbeThreads(this::newThread);
  private final ExecutorService lookups = Executors.newCachedThreadPool();
  private final Map<Node, Supplier<NodeState>> found = new ConcurrentHashMap<>();
  private final List<NodeProbe> probed = new CopyOnWriteArrayList<>();
  private final Semaphore cyclesRequested = new Semaphore(0);
  private NodePools pools;
  private Ticks checkTicks;
  private Cluster cluster;
  private volatile Runnable readFailure = () -> {};
  private volatile Result last;

  @BeforeEach
  void loadTheRoutes() throws Exception {
    PostgresSettings settings =
        TestSettings.read(
                Map.of(
                    "PG_NODES",
                    db1 + "," + db2,
                    "PGPASSWORD",
                    "x",
                    "PGSSLMODE",
                    "disable",
                    "PGCONNECT_TIMEOUT",
                    String.valueOf(CONNECT_TIMEOUT.toSeconds())))
            .postgres();
    pools = new NodePools(settings, lookups, System::nanoTime);
    DownNodes downNodes =
        new DownNodes(
            true,
            cyclesRequested::release,
            () -> Duration.ofMillis(50),
            CONNECT_TIMEOUT,
            () -> CYCLE_INTERVAL,
            this::nanoTime);
    checkTicks = new Ticks("checks", downNodes::isCheckDue);
    cluster =
        TestCluster.probing(
            new ProbeSchedule(
                CYCLE_INTERVAL,
                CYCLE_INTERVAL,
                () -> true,
                () -> 1,
                () -> false,
                () -> {},
                System::nanoTime),
            new Prober(
                settings,
                new Resolver(lookups, true, this::lookUp),
                pools,
                downNodes,
                pools.roleWatch(() -> {}),
                probes,
                this::nanoTime),
            TestConditions.create());
    Map.of(
            "cluster", cluster,
            "probes", probes,
            "probeSteps", new ProbeSteps((probe, state) -> {}),
            "cycleSteps", new CycleSteps((result, reasons) -> last = result, () -> {}),
            "retries", new Retries(),
            "publishSteps", new NothingPublished(),
            "noDataSource", new NoDataSource(),
            "checkTicks", checkTicks)
        .forEach(context.getRegistry()::bind);
    context.getPropertiesComponent().addInitialProperty("continuous", "true");
    context.getPropertiesComponent().addInitialProperty("probe.tick", "10");
    context.addRoutePolicyFactory(new CycleBoundary(cluster, () -> {}));
    for (String file : List.of("00-errors", "10-cycle", "20-probe")) {
      Path path = Path.of("routes", file + ".camel.yaml").toAbsolutePath();
      PluginHelper.getRoutesLoader(context)
          .loadRoutes(PluginHelper.getResourceLoader(context).resolveResource("file:" + path));
    }
    for (String replaced : List.of("read", "probe", "query")) {
      context.removeRouteDefinition(context.getRouteDefinition(replaced));
    }
    context.getRouteDefinition("cycle").getInput().setUri("direct:tick");
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:read")
                .routeConfigurationId("kubernetes")
                .process(exchange -> readFailure.run())
                .setVariable("published", constant(nothingPublished()))
                .setVariable("nodes", constant(List.of(node(db1), node(db2))));
            from("direct:probe").setBody().body(NodeProbe.class, CycleProbesTest.this::probe);
            from("direct:verify").process(exchange -> {});
            from("direct:alert")
                .routeId("alert")
                .bean("cycleSteps", "conclude")
                .bean("cycleSteps", "end");
          }
        });
    context.getComponent("direct", DirectComponent.class).setTimeout(100);
    context.start();
  }

  @AfterEach
  void stop() throws Exception {
    threadsLeft.set(Integer.MAX_VALUE);
    context.stop();
    checkTicks.cancel();
    probes.shutdownNow();
    lookups.shutdownNow();
    pools.close();
    server1.close();
    server2.close();
  }

  /** The check of the true primary may take longer: no cycle may find the stale primary alone. */
  @Test
  void probesDownNodesOnlyOnceOneIsBack() throws Exception {
    finds(down(db1), down(db2));
    assertEquals(List.of(down(db1), down(db2)), cycle().nodes());
    assertEquals(List.of(db1, db2), namesProbed());

    finds(stale, newPrimary);
    cycle();
    assertEquals(List.of(), namesProbed());

    accepts("db1");
    assertTrue(cyclesRequested.tryAcquire(10, TimeUnit.SECONDS));
    assertEquals(List.of(stale, newPrimary), cycle().nodes());
  }

  @Test
  void aCycleProbesContestedNodesOnceMore() {
    finds(stale, newPrimary);
    found.put(node(db1), List.of(stale, standby(db1)).iterator()::next);

    assertEquals(List.of(standby(db1), newPrimary), cycle().nodes());
    assertEquals(List.of(db1, db1, db2, db2), namesProbed());
  }

  @Test
  void aSecondProbeHasItsOwnTime() {
    finds(stale, newPrimary);
    cycle();
    assertTrue(probed.get(2).deadline().remainingMillis() > CONNECT_TIMEOUT.toMillis() / 2);
  }

  /** A new client cannot log in, so the node is DOWN. The next cycle probes it again. */
  @Test
  void aPrimarySilentInTheSecondProbeIsDown() {
    finds(stale, newPrimary);
    NodeState silent = NodeState.down(node(db2), "db2", Failure.SILENT, "no answer within 5 s");
    found.put(node(db2), List.of(newPrimary, silent, newPrimary).iterator()::next);
    assertEquals(List.of(stale), cycle().primaries());

    finds(standby(db1));
    assertEquals(List.of(standby(db1), newPrimary), cycle().nodes());
  }

  @Test
  void aStoppedRouteCheckDownKeepsNoNodeDown() throws Exception {
    db2IsDown();
    context.getRouteController().stopRoute("check-down");
    finds(standby(db2));
    accepts("db2");
    pass(AGED_OUT.minusMillis(500));
    assertEquals(List.of(stale, down(db2)), cycle().nodes());

    pass(Duration.ofMillis(600));
    assertEquals(List.of(stale, standby(db2)), cycle().nodes());
  }

  @Test
  void checksGoOnOnceTheRouteCheckDownIsStartedAgain() throws Exception {
    db2IsDown();
    context.getRouteController().stopRoute("check-down");
    finds(standby(db2));
    accepts("db2");
    context.getRouteController().startRoute("check-down");

    assertTrue(cyclesRequested.tryAcquire(10, TimeUnit.SECONDS));
    assertEquals(List.of(stale, standby(db2)), cycle().nodes());
  }

  @Test
  void aCheckThatGetsNoThreadKeepsNoNodeDown() throws Exception {
    db2IsDown();
    withoutThreads();
    assertTrue(threadsRefused.tryAcquire(10, TimeUnit.SECONDS));
    threadsLeft.set(Integer.MAX_VALUE);
    finds(standby(db2));
    accepts("db2");

    // After this time, the check is treated as ended, although it never began.
    pass(CONNECT_TIMEOUT.multipliedBy(2));
    assertTrue(cyclesRequested.tryAcquire(10, TimeUnit.SECONDS));
    assertEquals(List.of(stale, standby(db2)), cycle().nodes());
  }

  /** The cycle decides nothing from the states of some nodes only, and does not wait forever. */
  @Test
  void aCycleThatLacksThreadsFails() {
    finds(stale, standby(db2));
    for (int threads : List.of(0, 1)) {
      threadsLeft.set(threads);
      assertNull(cycle());
      assertEquals(Outcome.FAILED, last.outcome());
      awaitNoThreads();
    }

    threadsLeft.set(Integer.MAX_VALUE);
    assertEquals(List.of(stale, standby(db2)), cycle().nodes());
  }

  @Test
  void runsACycleAfterOneThatNeverEnded() throws Exception {
    finds(stale, standby(db2));
    context.getRouteController().stopRoute("alert");
    cycle();
    context.getRouteController().startRoute("alert");

    last = null;
    assertEquals(List.of(stale, standby(db2)), cycle().nodes());
  }

  @Test
  void sendsNoProbesIfReadingServicesFails() {
    finds(stale, standby(db2));
    readFailure =
        () -> {
          throw new IllegalStateException("what the Services route to cannot be read");
        };
    assertNull(cycle());
    assertEquals(Outcome.FAILED, last.outcome());
    assertEquals(List.of(), namesProbed());
  }

  private void db2IsDown() {
    finds(stale, down(db2));
    assertEquals(List.of(stale, down(db2)), cycle().nodes());
  }

  private void withoutThreads() {
    threadsLeft.set(0);
    awaitNoThreads();
  }

  /** Waits until all idle threads have ended, because a probe could reuse one of them. */
  private void awaitNoThreads() {
    probes.setKeepAliveTime(1, TimeUnit.MILLISECONDS);
    await().atMost(Duration.ofSeconds(10)).until(() -> probes.getPoolSize() == 0);
  }

  private Thread newThread(Runnable task) {
    if (threadsLeft.getAndDecrement() <= 0) {
      threadsRefused.release();
      throw new OutOfMemoryError("unable to create native thread");
    }
    return new Thread(task);
  }

  private NodeState probe(NodeProbe probe) {
    probed.add(probe);
    return found.get(probe.node()).get();
  }

  private List<String> namesProbed() {
    return probed.stream().map(probe -> probe.node().name()).sorted().toList();
  }

  private void finds(NodeState... states) {
    Stream.of(states).forEach(state -> found.put(state.node(), () -> state));
  }

  /** From now on, a server runs at this host, although it refuses every login. */
  private void accepts(String host) {
    accepting.add(host);
  }

  private FakeNode server(String host) {
    return FakeNode.talking(
        (in, out) ->
            FakeNode.error(out, accepting.contains(host) ? "28000" : "57P03", "no".getBytes()));
  }

  private InetAddress[] lookUp(String host) throws UnknownHostException {
    return new InetAddress[] {InetAddress.getByName("127.0.0.1")};
  }

  private long nanoTime() {
    return System.nanoTime() + passed.get();
  }

  private void pass(Duration time) {
    passed.addAndGet(time.toNanos());
  }

  /** Runs a cycle and returns the topology that it finds; null if it fails before that. */
  private Topology cycle() {
    probed.clear();
    cluster.schedule().repeat();
    context.createProducerTemplate().send("direct:tick", exchange -> {});
    return last == null ? null : last.topology();
  }

  /** Replaces the bean of the steps that publish: there is nothing to compare. */
  public static final class NothingPublished {
    public void compareClients() {}
  }
}
