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
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.Cycle;
import io.github.pgendpoints.cycle.Heartbeat;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.cycle.ReadSteps;
import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.kubernetes.election.Leadership;
import io.github.pgendpoints.management.CycleHealth;
import io.github.pgendpoints.management.Metrics;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.publish.Plan;
import io.github.pgendpoints.status.Status;
import io.github.pgendpoints.status.Status.Source;
import io.github.pgendpoints.status.StatusTable;
import io.github.pgendpoints.support.RouteFiles;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Topology;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole cycles of the real routes, each with a topology and a published state: with the rules in
 * the YAML files, and with a rule of a user. The test receives what would be written.
 */
class VerifyRouteTest {
  private static final List<String> PUBLISHED = List.of("publish");
  private static final NodeState FOLLOWER_OF_TIMELINE_2 =
      standby("db2", new Server(Nodes.CLUSTER, startedAt("db2"), 2L, Lsn.of("0/3000000"), true));

  private static final String NEVER_PG3 = "refuse('NeverPg3', 'pg3 never takes writes')";

  private static FakeApiServer api;

  @TempDir private Path home;
  private final List<String> sent = new ArrayList<>();
  private RuntimeException failure;
  private LastPublished published;
  private RoutesContext routes;

  @BeforeAll
  static void startApi() {
    api = new FakeApiServer("db").start();
  }

  @AfterAll
  static void stopApi() {
    api.close();
  }

  @BeforeEach
  void prepare() {
    routes =
        new RoutesContext(api)
            .with("MIN_REACHABLE_NODES", "2")
            .withBean("readSteps", new GivenPublished())
            .replacing("direct:publish", exchange -> sent.add("publish"))
            .replacing("direct:publish-service", this::send);
  }

  @AfterEach
  void close() {
    routes.close();
  }

  private void send(Exchange exchange) {
    Plan plan = exchange.getMessage().getBody(Plan.class);
    sent.add(String.valueOf(plan.purpose()) + " " + plan.service());
    if (failure != null) {
      throw failure;
    }
  }

  static Stream<Arguments> topologies() {
    NodeState noTimeline = primary("db1", new Server(null, 10L, null, null, false));
    return Stream.of(
        // the topology, what is published, the exit code, the error (null: none about the cluster)
        Arguments.of(topology(primary("db1", 1), standby("db2")), nothingPublished(), 0, null),
        Arguments.of(topology(primary("db1", 1), standby("db2")), published(1, "db1"), 0, null),
        Arguments.of(topology(primary("db2", 2), standby("db1")), published(1, "db1"), 0, null),
        Arguments.of(topology(noTimeline, standby("db2")), published(7, "db1"), 0, null),
        Arguments.of(topology(noTimeline, standby("db2")), published(7, "db9"), 0, null),
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
        // A refusal would not help: the standby is left out, and an ERROR reports why.
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
      Topology found, LastPublished before, int exitCode, String said) {
    routes.start();
    Result result = verify(found, before);

    assertEquals(exitCode, result.outcome().exitCode());
    assertEquals(said == null ? PUBLISHED : List.of(), sent);
    List<String> errors = errors();
    assertEquals(said == null ? 0 : 1, errors.size(), errors.toString());
    assertTrue(said == null || errors.get(0).startsWith(said), errors.toString());
  }

  @Test
  void refusesWhatItCannotReadOfTheLastTopology() {
    routes.start();
    LastPublished unreadable = nothingPublished().withFault("Endpoints pg has 'x'");
    Result result = verify(topology(primary("db1", 1), standby("db2")), unreadable);

    assertEquals(1, result.outcome().exitCode());
    assertEquals(List.of(), sent);
    assertEquals(List.of("unreadable state, nothing is written: Endpoints pg has 'x'"), errors());
  }

  /** Returns the errors about the whole cluster, rather than about one node. */
  private List<String> errors() {
    return routes.alerts().stream()
        .filter(alert -> alert.severity() == Alert.Severity.ERROR && alert.subject().isEmpty())
        .map(Alert::message)
        .toList();
  }

  @Test
  void acceptsThePublishedPrimaryAtANewAddress() {
    routes.start();
    NodeState moved =
        new NodeState(
            primary("db1", 2).node(),
            primary("db1", 2).state(),
            "10.0.0.9",
            "",
            null,
            primary("db1", 2).server());

    Result result = verify(topology(moved, standby("db2")), published(2, "db1"));

    assertEquals(0, result.outcome().exitCode());
  }

  @Test
  void acceptsPrimaryUnderStoredEntry() {
    routes.start();
    Server server = new Server("7000000000000000001", startedAt("db1"), 2L, Lsn.of("0/1"), false);
    Topology topology = topology(primary("alias", server), primary("db1", server), standby("db2"));
    LastPublished before = published(2, "db1");

    assertEquals(1, verify(topology, before).outcome().exitCode(), "never seen before");
    assertEquals(PUBLISHED, sent);
    PublishedPrimary stored =
        new PublishedPrimary(
            before.line(), List.of("db1:5432", "alias:5432"), "db1", before.primary().startedAt());
    assertEquals(
        0,
        verify(
                topology,
                new LastPublished(
                    stored,
                    before.systemIdentifier(),
                    before.readWrite(),
                    before.readOnly(),
                    0,
                    false,
                    List.of()))
            .outcome()
            .exitCode());
  }

  /** The published primary is neither stale nor its own rival. */
  @Test
  void splitBrainLastsWhileRivalIsUnverified() {
    routes.with("MIN_REACHABLE_NODES", "1").with("ON_SPLIT_BRAIN", "clear").start();
    verify(topology(primary("db1", 1), primary("db2", 2)), published(1, "db1"));
    assertEquals(List.of("CLEAR pg-rw"), sent);
    routes.alerts();

    sent.clear();
    verify(topology(primary("db1", 1), unknown("db2")), published(1, "db1"));
    assertEquals(List.of(), sent);
    List<String> errors = errors();
    assertTrue(
        errors
            .get(0)
            .startsWith(
                "rival primary unaccounted for, nothing is written: db2 was a primary beside db1 at db1"),
        errors.toString());

    verify(topology(primary("db1", 1), down("db2")), published(1, "db1"));
    assertEquals(List.of(), sent, "it may be back in a moment");
    verify(topology(primary("db1", 1), standby("db2")), published(1, "db1"));
    assertEquals(PUBLISHED, sent);
  }

  /** Two primaries, and two nodes that are down. */
  @ParameterizedTest(name = "ON_SPLIT_BRAIN={0}, a quorum of {1}, PAUSED={2}, {3}, fails: {4}")
  @CsvSource(
      delimiter = '|',
      value = {
        "hold  | 2        | false | ONCE    | false | false | nothing is written",
        "clear | 2        | false | ONCE    | false | true  | pg-rw is emptied",
        "clear | majority | false | ONCE    | false | false | nothing is written",
        "clear | 2        | false | ONCE    | true  | true  | pg-rw could not be emptied",
        "clear | 2        | true  | ONCE    | false | true  | pg-rw is not emptied while paused",
        "clear | 2        | false | STATUS  | false | true  | nothing is written",
        "clear | 2        | false | DRY_RUN | false | true  | nothing is written"
      })
  void emptiesReadWriteInASplitBrainOnlyIfConfigured(
      String onSplitBrain,
      String quorum,
      boolean paused,
      Mode mode,
      boolean fails,
      boolean clears,
      String effect) {
    failure = fails ? new IllegalStateException("the API server is on fire") : null;
    routes
        .with("ON_SPLIT_BRAIN", onSplitBrain)
        .with("MIN_REACHABLE_NODES", quorum)
        .with("PAUSED", String.valueOf(paused))
        .in(mode)
        .start();

    Result result =
        verify(
            topology(primary("db1", 1), primary("db2", 2), down("db3"), down("db4")),
            published(1, "db1"));

    // The route publish-service itself does not write while paused, or in a mode that only reports.
    assertEquals(clears ? List.of("CLEAR pg-rw") : List.of(), sent);
    assertEquals(1, result.outcome().exitCode());
    assertEquals(paused, result.paused());
    assertEquals(
        List.of("multiple primaries, " + effect),
        routes.alerts().stream()
            .filter(alert -> alert.kind() == Alert.Kind.MULTIPLE_PRIMARIES)
            .map(alert -> alert.message().replaceAll(": .*", ""))
            .toList());
  }

  @Test
  void aRuleOfAUsersOwnRefusesInItsOwnWords() throws IOException {
    startWithRule(primaryIs("db3"), NEVER_PG3);
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Metrics metrics = metrics(registry);

    Result result =
        verify(topology(standby("db1"), standby("db2"), primary("db3", 1)), nothingPublished());
    metrics.ended(result);

    assertEquals(List.of(), sent);
    assertEquals(Rule.OWN, result.verdict().rule());
    assertEquals(1, result.outcome().exitCode());
    List<String> alerts =
        routes.alerts().stream()
            .filter(alert -> alert.severity() == Alert.Severity.ERROR)
            .map(alert -> alert.kind() + " " + alert.subject() + ": " + alert.message())
            .toList();
    String words = "rule NeverPg3, nothing is written: pg3 never takes writes";
    assertEquals(List.of("Rule NeverPg3: " + words), alerts);
    String scraped = registry.scrape();
    assertTrue(scraped.contains("pgendpoints_verdict{rule=\"NeverPg3\"} 1.0\n"), scraped);
    assertTrue(scraped.contains("pgendpoints_verdict{rule=\"verified\"} 0.0\n"), scraped);
    Cluster cluster = routes.cluster();
    Status status =
        Status.of(
            result,
            cluster.conditions().openMessages(),
            cluster.publisher(),
            Source.probe(Instant.EPOCH));
    assertTrue(new StatusTable(status).text().contains(words), new StatusTable(status).text());
    assertEquals(false, status.verified());

    // The rule does not apply if another server is the primary, or if another rule refuses.
    result =
        verify(topology(primary("db1", 1), standby("db2"), standby("db3")), nothingPublished());
    metrics.ended(result);
    assertEquals(PUBLISHED, sent);
    assertEquals(Rule.VERIFIED, result.verdict().rule());
    assertTrue(registry.scrape().contains("pgendpoints_verdict{rule=\"NeverPg3\"} 0.0\n"));
    assertEquals(
        Rule.NO_PRIMARY, verify(topology(standby("db3")), nothingPublished()).verdict().rule());
  }

  @Test
  void aRuleOfAUsersOwnRefusesWithoutAReason() throws IOException {
    startWithRules(
        """
        - expression: {simple: {expression: "%s"}}
          steps:
            - to: {uri: direct:refuse}
        """
            .formatted(primaryIs("db3")));

    Result result = verify(topology(standby("db1"), primary("db3", 1)), nothingPublished());

    assertEquals(List.of(), sent);
    assertEquals(Rule.OWN, result.verdict().rule());
    assertEquals(1, result.outcome().exitCode());
    assertEquals(
        List.of("rule NoReason, nothing is written: a rule of routes/ refuses and gives no reason"),
        routes.alerts().stream()
            .filter(alert -> alert.kind() == Alert.Kind.RULE)
            .map(Alert::message)
            .toList());
  }

  /** The expressions that README lists. */
  @ParameterizedTest
  @CsvSource({
    "verdict.primary?.node.name, db1",
    "verdict.primary?.node.host, db1",
    "verdict.primary?.address, db1",
    "verdict.primary?.server.timeline, 1",
    "verdict.verified, true",
    "verdict.ruleName, verified",
    "verdict.reachable, 2",
    "verdict.quorum, 2",
    "verdict.standbys.size, 1",
    "topology.nodes.size, 3",
    "topology.primaries.size, 1",
    "topology.standbys.size, 1",
  })
  void aRuleReads(String what, String value) throws IOException {
    startWithRule("${variable.%s} == '%s'".formatted(what, value), NEVER_PG3);

    Result result =
        verify(topology(primary("db1", 1), standby("db2"), down("db3")), published(1, "db1"));

    assertEquals("NeverPg3", result.verdict().ruleName());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "refuse('verified', 'mine') | 'verified' is the name of a built-in rule; allowed: any other",
        "refuse('Quorum', 'mine') | 'Quorum' is the name of a built-in rule; allowed: any other",
        "refuse('OneArg') | a rule refuses with a name and a sentence, as in refuse('NAME', 'sentence')",
        "refuse(null, 'mine') | a rule refuses with a name and a sentence, as in refuse('NAME', 'sentence')",
        "refuse('No-Name', 'mine') | the name of a rule is a letter and up to 62 letters and digits, not 'No-Name'",
      })
  void invalidRefusalFailsCycleWithClearMessage(String call, String message) throws IOException {
    startWithRule(primaryIs("db1"), call);

    Result result = verify(topology(primary("db1", 1), standby("db2")), published(1, "db1"));

    assertEquals(1, result.outcome().exitCode());
    assertEquals(List.of(), sent);
    assertEquals(List.of("cycle failed: %s: %s".formatted(call, message)), errors());
  }

  private Metrics metrics(PrometheusMeterRegistry registry) {
    Heartbeat heartbeat =
        new Heartbeat(Duration.ofSeconds(5), Duration.ofSeconds(2), System::nanoTime);
    return new Metrics(
        registry,
        "pg-rw",
        "pg-ro",
        heartbeat,
        new CycleHealth(routes.camel(), heartbeat, Leadership.withoutElection()),
        false,
        System::nanoTime);
  }

  /** Starts the routes with a rule as a user adds it to the choice of the route {@code verify}. */
  private void startWithRule(String condition, String refusal) throws IOException {
    startWithRules(
        """
        - id: never-pg3
          description: The third server is for reports
          expression: {simple: {expression: "%s"}}
          steps:
            - setVariable:
                name: verdict
                expression: {simple: {expression: "${variable.verdict.%s}"}}
            - to:
                uri: direct:refuse
        """
            .formatted(condition, refusal));
  }

  private void startWithRules(String rules) throws IOException {
    RouteFiles.copiedTo(home).addRules(rules);
    routes.in(home).start();
  }

  private static String primaryIs(String host) {
    return "${variable.verdict.verified} == true && ${variable.verdict.primary.node.host} == '%s'"
        .formatted(host);
  }

  private Result verify(Topology found, LastPublished before) {
    published = before;
    return routes.cycle(found);
  }

  /** The bean {@code readSteps} of a cluster; it returns the published state that the test sets. */
  public final class GivenPublished {
    private final ObservedService none = new ObservedService(null, List.of());

    public ObservedService readWrite() {
      return none;
    }

    public ObservedService readOnly() {
      return none;
    }

    /** Determines as usual whether it is paused, but returns the published state of the test. */
    public LastPublished recallPublished(
        @Variable("cluster") Cluster cluster, @Variable("cycle") Cycle cycle) {
      new ReadSteps().recallPublished(cluster, cycle, none, none);
      return published;
    }

    public List<Object> nodeList() {
      return List.of();
    }
  }
}
