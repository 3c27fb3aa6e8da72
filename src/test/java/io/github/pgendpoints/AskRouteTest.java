package io.github.pgendpoints;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.postgres.AbsentNodes;
import io.github.pgendpoints.postgres.NodePools;
import io.github.pgendpoints.postgres.ProbeThreads;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Topology;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Predicate;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.direct.DirectComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is asked in a cycle, by the route of the routes folder, and who beside it. */
class AskRouteTest {
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final NodeState STALE = primary("db1", 1);
  private static final NodeState PRIMARY = primary("db2", 2);
  private static final NodeState SILENT =
      NodeState.down(node("db2"), "db2", Failure.SILENT, "no answer within 0.5 s");

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AtomicLong passed = new AtomicLong();
  private final AtomicInteger threadsLeft = new AtomicInteger(Integer.MAX_VALUE);
  private final CountDownLatch noThreadForTap = new CountDownLatch(1);
  private volatile boolean tapsFail;
  private final ThreadPoolExecutor probes =
      new ProbeThreads(
          task -> {
            if (tapsFail && isTap() || threadsLeft.getAndDecrement() <= 0) {
              noThreadForTap.countDown();
              throw new OutOfMemoryError("unable to create native thread");
            }
            return new Thread(task);
          });
  private final Map<Node, Supplier<NodeState>> answers = new ConcurrentHashMap<>();
  private final Semaphore woken = new Semaphore(0);
  private NodePools pools;

  @BeforeEach
  void loadTheRoutes() throws Exception {
    pools =
        new NodePools(
            TestSettings.read(
                    Map.of(
                        "PG_NODES", "db1,db2",
                        "PGPASSWORD", "x",
                        "PGCONNECT_TIMEOUT", "2",
                        "RW_SERVICE", "rw",
                        "RO_SERVICE", "ro"))
                .postgres());
    for (String setting :
        List.of("rw.service", "ro.service", "paused", "publish.slices", "cycles")) {
      context.getPropertiesComponent().addInitialProperty(setting, "false");
    }
    Map<String, Object> beans =
        Map.of(
            "probes",
            probes,
            "pools",
            pools,
            "absent",
            AbsentNodes.remembered(
                woken::release,
                Duration.ofSeconds(2),
                () -> INTERVAL,
                () -> System.nanoTime() + passed.get()),
            "apiBudget",
            new ApiBudget(Duration.ofSeconds(5), System::nanoTime),
            "conditions",
            TestConditions.create(),
            "clock",
            Clock.systemUTC(),
            "stopping",
            (Predicate) exchange -> false);
    beans.forEach(context.getRegistry()::bind);
    for (String file : List.of("00-errors", "10-discover")) {
      Path path = Path.of("routes", file + ".camel.yaml").toAbsolutePath();
      PluginHelper.getRoutesLoader(context)
          .loadRoutes(PluginHelper.getResourceLoader(context).resolveResource("file:" + path));
    }
    // The others need all of the program.
    context.removeRouteDefinitions(
        context.getRouteDefinitions().stream()
            .filter(route -> !route.getRouteId().matches("ask|probe-.*"))
            .toList());
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:read-histories").setBody(exchangeProperty("topology"));
            from("direct:probe")
                .process(
                    exchange ->
                        exchange
                            .getMessage()
                            .setBody(answers.get(exchange.getMessage().getBody(Node.class)).get()));
          }
        });
    context.getComponent("direct", DirectComponent.class).setTimeout(100);
    context.start();
  }

  @AfterEach
  void stop() throws Exception {
    context.stop();
    probes.shutdownNow();
    pools.close();
  }

  /** The true primary's probe may end a little later: the stale one must not be found alone. */
  @Test
  void findsNoneOfThoseThatAreBackAlone() throws Exception {
    answer(down("db1"));
    answer(down("db2"));
    assertEquals(List.of(down("db1"), down("db2")), cycle().nodes());

    Semaphore lost = new Semaphore(0);
    answer(STALE);
    answers.put(
        node("db2"),
        () -> {
          lost.acquireUninterruptibly();
          return down("db2");
        });
    assertEquals(List.of(down("db1"), down("db2")), cycle().nodes());
    assertTrue(woken.tryAcquire(10, TimeUnit.SECONDS));

    answer(PRIMARY);
    probes.execute(lost::release);
    assertEquals(List.of(STALE, PRIMARY), cycle().nodes());
  }

  @Test
  void aPrimaryThatIsSlowWhenItIsAskedOnceMoreIsAskedAgainByTheNextCycle() throws Exception {
    answer(STALE);
    answers.put(node("db2"), List.of(PRIMARY, SILENT, PRIMARY).iterator()::next);
    Topology doubted = cycle();
    assertEquals(List.of("db1", "db2"), names(doubted.primaries()));

    answer(standby("db1"));
    assertEquals(List.of(standby("db1"), PRIMARY), cycle().nodes());
  }

  @Test
  void aRouteThatWasStoppedAndStartedKeepsNoNodeDown() throws Exception {
    answer(STALE);
    answer(down("db2"));
    cycle();
    context.getRouteController().stopRoute("probe-absent");
    assertEquals(List.of(STALE, down("db2")), cycle().nodes());
    context.getRouteController().startRoute("probe-absent");
    answer(standby("db2"));

    // The probe that never began has ended when it would have taken twice its time.
    pass(Duration.ofMillis(3900));
    assertEquals(List.of(STALE, down("db2")), cycle().nodes());
    pass(Duration.ofMillis(200));
    assertEquals(List.of(STALE, standby("db2")), cycle().nodes());
  }

  @Test
  void aRouteThatStaysStoppedKeepsNoNodeDown() throws Exception {
    answer(STALE);
    answer(down("db2"));
    cycle();
    context.getRouteController().stopRoute("probe-absent");
    cycle();
    answer(standby("db2"));
    pass(Duration.ofMillis(4100));

    assertEquals(List.of(STALE, standby("db2")), cycle().nodes());
  }

  @Test
  @Timeout(20)
  void aThreadThatCannotBeMadeKeepsNoNodeDown() throws Exception {
    answer(STALE);
    answer(down("db2"));
    cycle();
    answer(standby("db2"));
    tapsFail = true;
    // Else the probe beside the cycle gets the thread of one that was asked.
    probes.setKeepAliveTime(1, TimeUnit.MILLISECONDS);
    answers.put(
        node("db1"),
        () -> {
          try {
            noThreadForTap.await(1, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          return STALE;
        });
    assertEquals(List.of(STALE, down("db2")), cycle().nodes());

    assertEquals(List.of(STALE, standby("db2")), cycle().nodes());
  }

  /** Nothing is decided on a part of the nodes, and nothing is waited for without end. */
  @Test
  @Timeout(20)
  void aCycleWithoutThreadsFails() throws Exception {
    answer(STALE);
    answer(standby("db2"));
    threadsLeft.set(0);
    assertThrows(RejectedExecutionException.class, this::cycle);

    threadsLeft.set(1);
    assertThrows(RejectedExecutionException.class, this::cycle);

    threadsLeft.set(Integer.MAX_VALUE);
    assertEquals(List.of(STALE, standby("db2")), cycle().nodes());
  }

  private static boolean isTap() {
    return Stream.of(Thread.currentThread().getStackTrace())
        .anyMatch(frame -> frame.getClassName().endsWith(".WireTapProcessor"));
  }

  private void pass(Duration time) {
    passed.addAndGet(time.toNanos());
  }

  private static List<String> names(List<NodeState> states) {
    return states.stream().map(state -> state.node().name()).toList();
  }

  private void answer(NodeState state) {
    answers.put(state.node(), () -> state);
  }

  private Topology cycle() throws Exception {
    Published published = nothingPublished();
    Exchange exchange =
        ExchangeBuilder.anExchange(context)
            .withProperty("nodes", List.of(node("db1"), node("db2")))
            .withProperty("published", published)
            .build();
    context.createProducerTemplate().send("direct:ask", exchange);
    if (exchange.getException() != null) {
      throw exchange.getException();
    }
    return exchange.getMessage().getBody(Topology.class);
  }
}
