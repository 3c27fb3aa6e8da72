package io.github.pgendpoints;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.topology.Damping;
import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Rivals;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Topology;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Predicate;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The rules as they stand in the routes folder, each topology against what is published. */
class VerifyRouteTest {
  private final Conditions conditions = TestConditions.create();
  private final List<String> sent = new ArrayList<>();
  private CamelContext context;
  private String on = "";
  private Consumer<Exchange> clearing = exchange -> {};
  private Consumer<NodeState> asked = primary -> {};
  private final ExecutorService probes = Executors.newCachedThreadPool();

  @BeforeEach
  void loadTheRoutes() throws Exception {
    start(new Quorum(2), false);
  }

  private void start(Quorum quorum, boolean clear) throws Exception {
    stop();
    context = new DefaultCamelContext();
    var properties = context.getPropertiesComponent();
    properties.addInitialProperty("clear.on.split.brain", "" + clear);
    properties.addInitialProperty("rw.service", "pg-rw");
    for (String off : List.of("paused", "dry.run", "read.only")) {
      properties.addInitialProperty(off, String.valueOf(off.equals(on)));
    }
    context.getRegistry().bind("probes", probes);
    context.getRegistry().bind("conditions", conditions);
    context.getRegistry().bind("quorum", quorum);
    context.getRegistry().bind("rivals", new Rivals());
    context.getRegistry().bind("damping", Damping.none());
    context.getRegistry().bind("stopping", (Predicate) exchange -> false);
    context.getRegistry().bind("readOnlyRules", new ReadOnlyRules(null, false, false));
    for (String file : List.of("00-errors", "30-verify")) {
      Path path = Path.of("routes", file + ".camel.yaml");
      Resource resource =
          PluginHelper.getResourceLoader(context).resolveResource("file:" + path.toAbsolutePath());
      PluginHelper.getRoutesLoader(context).loadRoutes(resource);
    }
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:publish").process(exchange -> sent.add("publish"));
            from("direct:clear")
                .errorHandler(noErrorHandler())
                .process(exchange -> sent.add("clear"))
                .process(exchange -> clearing.accept(exchange));
            from("direct:history").process(exchange -> answerHistory(exchange));
          }
        });
    context.start();
  }

  @AfterEach
  void close() {
    stop();
    probes.shutdownNow();
  }

  private void stop() {
    if (context != null) {
      context.stop();
    }
  }

  private void answerHistory(Exchange exchange) {
    NodeState primary = exchange.getMessage().getBody(NodeState.class);
    asked.accept(primary);
    boolean first = primary.server().timeline() == 1;
    exchange.getMessage().setBody(History.of(primary, first ? null : "1\t0/3000000\twhy"));
  }

  static Stream<Arguments> topologies() {
    NodeState untold = primary("db1", new Server(null, "10:00", null, null, false));
    return Stream.of(
        // what is found, what is published, the exit code, what is said
        Arguments.of(topology(primary("db1", 1), standby("db2")), nothingPublished(), 0, null),
        Arguments.of(topology(primary("db1", 1), standby("db2")), published(1, "db1"), 0, null),
        Arguments.of(topology(primary("db2", 2), standby("db1")), published(1, "db1"), 0, null),
        Arguments.of(topology(untold, standby("db2")), published(7, "db1"), 0, null),
        Arguments.of(topology(untold, standby("db2")), published(7, "db9"), 0, null),
        Arguments.of(
            topology(standby("db1"), standby("db2")),
            published(1, "db1"),
            1,
            "no primary, nothing is written: db1 is STANDBY, db2 is STANDBY"),
        Arguments.of(
            topology(down("db1"), unknown("db2")),
            published(1, "db1"),
            1,
            "no primary, nothing is written: db1 is DOWN (Connection refused), db2 is UNKNOWN"),
        Arguments.of(
            topology(primary("db1", 1), primary("db2", 2)),
            published(1, "db1"),
            1,
            "multiple primaries, nothing is written: db1 at db1 (system identifier 7000000000000000001, timeline 1, LSN 0/3000060),"
                + " db2 at db2 (system identifier 7000000000000000001, timeline 2, LSN 0/3000060); db1 and db2 parted on timeline 1 at 0/3000000"),
        Arguments.of(
            topology(primary("db1", 1), primary("db2", 2), down("db3")),
            published(1, "db1"),
            1,
            "multiple primaries"),
        Arguments.of(
            topology(primary("db1", 1), down("db2"), unknown("db3")),
            published(1, "db1"),
            1,
            "1 of 3 nodes verified, fewer than the 2 of MIN_REACHABLE_NODES, nothing is written: db1 is PRIMARY, db2 is DOWN"),
        Arguments.of(
            topology(primary("db1", 1), standby("db2"), down("db3")),
            published(2, "db3"),
            1,
            "stale primary, nothing is written: db1 at db1 is on timeline 1, the published primary db3 is on timeline 2; db1 is PRIMARY"),
        Arguments.of(
            topology(primary("db1", 2), standby("db2"), down("db3")),
            published(2, "db3"),
            1,
            "primary promoted apart, nothing is written: db1 at db1 is on timeline 2, and so is the published primary db3"),
        Arguments.of(
            topology(
                primary("db1", 1),
                standby(
                    "db2", new Server(Nodes.CLUSTER, "started db2", 2L, Lsn.of("0/3000000"), true)),
                unknown("db3")),
            published(1, "db1"),
            1,
            "stale primary, nothing is written: db1 at db1 is on timeline 1, and the standby db2 streams timeline 2; db1 is PRIMARY"),
        Arguments.of(
            topology(primary("db1", foreign("db1")), standby("db2"), standby("db3")),
            published(2, "db2"),
            1,
            "no primary, nothing is written: db1 is FOREIGN (a primary of system identifier 7000000000000000009, not 7000000000000000001)"),
        Arguments.of(
            topology(primary("db1", 1), standby("db2"), primary("db3", foreign("db3"))),
            published(1, "db1"),
            0,
            null),
        Arguments.of(
            topology(primary("db1", 1), primary("db2", foreign("db2"))),
            nothingPublished(),
            1,
            "no majority of one system identifier, nothing is written: db1 is a PRIMARY of 7000000000000000001, db2 is a PRIMARY of 7000000000000000009"));
  }

  @ParameterizedTest
  @MethodSource("topologies")
  void publishesOnlyWhatPassesEveryRule(
      Topology found, Published published, int exitCode, String said) {
    Exchange exchange = verify(found, published);

    assertEquals(String.valueOf(exitCode), exchange.getProperty("exitCode"));
    assertEquals(exitCode == 0 ? List.of("publish") : List.of(), sent);
    List<String> errors =
        conditions.news().stream()
            .filter(alert -> alert.severity() == Alert.Severity.ERROR)
            .map(Alert::message)
            .toList();
    assertEquals(said == null ? 0 : 1, errors.size(), errors.toString());
    assertTrue(said == null || errors.get(0).startsWith(said), errors.toString());
  }

  @Test
  void refusesWhatItCannotReadOfTheLastTopology() {
    Published unreadable =
        new Published(null, 0, null, null, Set.of(), false, List.of("Endpoints pg has 'x'"));
    Exchange exchange = verify(topology(primary("db1", 1), standby("db2")), unreadable);

    assertEquals("1", exchange.getProperty("exitCode"));
    assertEquals(List.of(), sent);
    assertEquals(
        "unreadable annotation, nothing is written: Endpoints pg has 'x'",
        conditions.news().get(0).message());
  }

  @Test
  void acceptsThePublishedPrimaryAtANewAddress() {
    NodeState moved =
        new NodeState(
            primary("db1", 2).node(),
            primary("db1", 2).state(),
            "10.0.0.9",
            "",
            primary("db1", 2).server());

    assertEquals(
        "0", verify(topology(moved, standby("db2")), published(2, "db1")).getProperty("exitCode"));
  }

  @Test
  void acceptsThePublishedPrimaryUnderAnotherName() {
    Server server = new Server("7000000000000000001", "10:00", 2L, Lsn.of("0/1"), false);
    Topology topology = topology(primary("alias", server), primary("db1", server), standby("db2"));

    assertEquals("0", verify(topology, published(2, "db1")).getProperty("exitCode"));
  }

  /** The one that was published is neither stale nor a rival of its own. */
  @Test
  void aSplitBrainLastsWhileOneOfThePrimariesCannotBeVerified() throws Exception {
    start(new Quorum(1), true);
    verify(topology(primary("db1", 1), primary("db2", 2)), published(1, "db1"));
    assertEquals(List.of("clear"), sent);
    conditions.news();

    sent.clear();
    verify(topology(primary("db1", 1), unknown("db2")), published(1, "db1"));
    assertEquals(List.of(), sent);
    assertTrue(
        conditions
            .news()
            .get(0)
            .message()
            .startsWith(
                "multiple primaries not over, nothing is written: db2 was a primary beside db1 at db1"));

    verify(topology(primary("db1", 1), down("db2")), published(1, "db1"));
    assertEquals(List.of("publish"), sent);
  }

  @Test
  void clearsOnSplitBrainOnlyWhereThatIsWanted() throws Exception {
    Topology split = topology(primary("db1", 1), primary("db2", 2), down("db3"), down("db4"));

    start(new Quorum(2), true);
    verify(split, published(1, "db1"));
    assertEquals(List.of("clear"), sent);

    sent.clear();
    start(Quorum.MAJORITY, true);
    Exchange refused = verify(split, published(1, "db1"));
    assertEquals(List.of(), sent, "2 of 4 are no majority");
    assertEquals("1", refused.getProperty("exitCode"));
  }

  /** One of them that says nothing must not take the time of the others. */
  @Test
  void asksThePrimariesForTheirHistoriesAtOnce() {
    CountDownLatch secondAsked = new CountDownLatch(1);
    asked =
        primary -> {
          if (primary.node().name().equals("db2")) {
            secondAsked.countDown();
          } else {
            await(secondAsked);
          }
        };

    verify(topology(primary("db1", 1), primary("db2", 2)), published(1, "db1"));

    assertEquals(0, secondAsked.getCount());
    assertTrue(
        conditions
            .news()
            .get(0)
            .message()
            .endsWith("db1 and db2 parted on timeline 1 at 0/3000000"));
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(20, TimeUnit.SECONDS)) {
        throw new IllegalStateException("not asked beside the first one");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void tellsWhatBecameOfTheReadWriteServiceInASplitBrain() throws Exception {
    start(new Quorum(2), false);
    assertEquals("nothing is written", outcomeOfSplitBrain());
    start(Quorum.MAJORITY, true);
    assertEquals("nothing is written", outcomeOfSplitBrain());
    start(new Quorum(2), true);
    assertEquals("pg-rw is emptied", outcomeOfSplitBrain());
    clearing = exchange -> exchange.setProperty("exitCode", "3");
    assertEquals("pg-rw could not be emptied", outcomeOfSplitBrain());
    clearing = exchange -> {};
    assertEquals("pg-rw is emptied", outcomeOfSplitBrain());
    clearing =
        exchange -> {
          throw new IllegalStateException();
        };
    assertEquals("pg-rw could not be emptied", outcomeOfSplitBrain());
    clearing = exchange -> {};
    on = "paused";
    start(new Quorum(2), true);
    assertEquals("pg-rw is not emptied while paused", outcomeOfSplitBrain());
    on = "read.only";
    start(new Quorum(2), true);
    assertEquals("nothing is written", outcomeOfSplitBrain());
  }

  private String outcomeOfSplitBrain() {
    verify(
        topology(primary("db1", 1), primary("db2", 2), down("db3"), down("db4")),
        published(1, "db1"));
    return conditions.news().stream()
        .filter(alert -> alert.kind() == Alert.Kind.MULTIPLE_PRIMARIES)
        .map(alert -> alert.message().replaceAll("^multiple primaries, ([^:]*): .*", "$1"))
        .findFirst()
        // As before, so it is no news.
        .orElse("nothing is written");
  }

  private Exchange verify(Topology found, Published published) {
    Topology identified = found.identifiedBy(published);
    return context
        .createFluentProducerTemplate()
        .to("direct:verify")
        .withExchange(
            () ->
                ExchangeBuilder.anExchange(context)
                    .withBody(identified)
                    .withProperty("topology", identified)
                    .withProperty("published", published)
                    .build())
        .send();
  }
}
