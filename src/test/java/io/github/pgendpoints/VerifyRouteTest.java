package io.github.pgendpoints;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.startedAt;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.publish.ClusterMemory;
import io.github.pgendpoints.publish.StateStore;
import io.github.pgendpoints.topology.Damping;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Topology;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
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
  private static final NodeState FOLLOWER_OF_TIMELINE_2 =
      standby("db2", new Server(Nodes.CLUSTER, startedAt("db2"), 2L, Lsn.of("0/3000000"), true));

  private final Conditions conditions = TestConditions.create();
  private final List<String> sent = new ArrayList<>();
  private CamelContext context;
  private String on = "";
  private Consumer<Exchange> clearing = exchange -> {};
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
    context
        .getRegistry()
        .bind(
            "memory",
            new ClusterMemory(
                Memory.empty(Damping.none()),
                new DecisionSettings(
                    quorum, new ReadOnlyRules(null, false, false), Duration.ofSeconds(7)),
                StateStore.none(),
                () -> 0,
                () -> {}));
    context.getRegistry().bind("stopping", (Predicate) exchange -> false);
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
            from("direct:remember").process(exchange -> {});
            from("direct:publish").process(exchange -> sent.add("publish"));
            from("direct:clear")
                .errorHandler(noErrorHandler())
                .process(exchange -> sent.add("clear"))
                .process(exchange -> clearing.accept(exchange));
            from("direct:repair").process(exchange -> sent.add("repair"));
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

  static Stream<Arguments> topologies() {
    NodeState untold = primary("db1", new Server(null, 10L, null, null, false));
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
            "multiple primaries, nothing is written: db1 at db1 (published, system identifier 7000000000000000001, timeline 1, LSN 0/3000060),"
                + " db2 at db2 (unproven, system identifier 7000000000000000001, timeline 2, LSN 0/3000060)"),
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
            "no primary, nothing is written: db1 is PRIMARY, db2 is STANDBY, db3 is DOWN (Connection refused); if db1:5432 is right all the same: postgres-endpoint-manager overrule db1:5432"),
        Arguments.of(
            topology(primary("db1", 2), standby("db2"), down("db3")),
            published(2, "db3"),
            1,
            "primary promoted apart, nothing is written: db1 at db1 is on timeline 2, and so is the published primary db3"),
        Arguments.of(
            topology(primary("db1", 1), FOLLOWER_OF_TIMELINE_2, unknown("db3")),
            nothingPublished(),
            1,
            "stale primary, nothing is written: db1 at db1 is on timeline 1, and the standby db2 is on timeline 2, which continues it; db1 is PRIMARY"),
        // Refused would not help: the standby is left out, and an ERROR says why.
        Arguments.of(
            topology(primary("db1", 1), FOLLOWER_OF_TIMELINE_2, unknown("db3")),
            published(1, "db1"),
            1,
            null),
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
    assertEquals(said == null ? List.of("publish") : List.of(), sent);
    List<String> errors = errors();
    assertEquals(said == null ? 0 : 1, errors.size(), errors.toString());
    assertTrue(said == null || errors.get(0).startsWith(said), errors.toString());
  }

  @Test
  void refusesWhatItCannotReadOfTheLastTopology() {
    Published unreadable = nothingPublished().withFault("Endpoints pg has 'x'");
    Exchange exchange = verify(topology(primary("db1", 1), standby("db2")), unreadable);

    assertEquals("1", exchange.getProperty("exitCode"));
    assertEquals(List.of(), sent);
    assertEquals("unreadable state, nothing is written: Endpoints pg has 'x'", errors().get(0));
  }

  /** What is wrong with the whole cluster, rather than with one node. */
  private List<String> errors() {
    return conditions.news().stream()
        .filter(alert -> alert.severity() == Alert.Severity.ERROR && alert.subject().isEmpty())
        .map(Alert::message)
        .toList();
  }

  @Test
  void acceptsThePublishedPrimaryAtANewAddress() {
    NodeState moved =
        new NodeState(
            primary("db1", 2).node(),
            primary("db1", 2).state(),
            "10.0.0.9",
            "",
            null,
            primary("db1", 2).server());

    assertEquals(
        "0", verify(topology(moved, standby("db2")), published(2, "db1")).getProperty("exitCode"));
  }

  @Test
  void acceptsThePublishedPrimaryUnderAnEntryThatIsStored() {
    Server server = new Server("7000000000000000001", startedAt("db1"), 2L, Lsn.of("0/1"), false);
    Topology topology = topology(primary("alias", server), primary("db1", server), standby("db2"));
    Published published = published(2, "db1");

    assertEquals("1", verify(topology, published).getProperty("exitCode"), "never seen before");
    assertEquals(List.of("publish"), sent);
    PublishedPrimary stored =
        new PublishedPrimary(
            published.line(),
            List.of("db1:5432", "alias:5432"),
            "db1",
            published.primary().startedAt());
    assertEquals(
        "0",
        verify(
                topology,
                new Published(
                    stored,
                    published.systemIdentifier(),
                    published.readWrite(),
                    published.readOnly(),
                    0,
                    false,
                    List.of()))
            .getProperty("exitCode"));
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
        errors()
            .get(0)
            .startsWith(
                "rival primary unaccounted for, nothing is written: db2 was a primary beside db1 at db1"));

    verify(topology(primary("db1", 1), down("db2")), published(1, "db1"));
    assertEquals(List.of(), sent, "it may be back in a moment");
    verify(topology(primary("db1", 1), standby("db2")), published(1, "db1"));
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
    conditions.observed(identified);
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
