package io.github.pgendpoints;

import static io.github.pgendpoints.topology.Nodes.CLUSTER;
import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.alert.ApiRight;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.FailureMessage;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.publish.Mismatch;
import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Report;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Rival;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Servers;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks that the runbook covers every ERROR and WARN. */
class RunbookTest {
  private static final Pattern HEADING = Pattern.compile("(?m)^### (ERROR|WARN) `(.*)`$");

  /** A literal in a call that logs, or reports a condition, outside of Conditions. */
  private static final Pattern TOLD =
      Pattern.compile(
          "(LOG\\.error|LOG\\.warn|reportDegradation|reportPublishFailure|warnings\\.(?:add|accept)|refuse\\(List\\.of|new NoNodesException"
              + "|new OutdatedTopologyException|exitWith)\\((?:\\w+\\s*\\+)?\\s*\"((?:[^\"\\\\]|\\\\.)*)\"");

  /** A placeholder for a value in a message. */
  private static final String PLACE = "%[sd]|\\{}";

  /** A sentence that a class passes to its caller, which logs it. */
  private static final Pattern HANDED_ON =
      Pattern.compile("\"()((?:Lease %s |overrule: |the cycle began )[^\"\\\\]*)");

  private static List<String> headings(String level) throws IOException {
    return HEADING
        .matcher(Files.readString(Path.of("docs/runbook.md")))
        .results()
        .filter(heading -> heading.group(1).equals(level))
        .map(heading -> heading.group(2))
        .toList();
  }

  private static boolean covers(String heading, String message) {
    String pattern =
        Arrays.stream(heading.split("…", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
    return message.matches("(?s)" + pattern + ".*");
  }

  /** A call that reports something, and the method of Conditions that it calls. */
  private record Said(String by, Consumer<Conditions> says) {
    @Override
    public String toString() {
      return by;
    }
  }

  static Stream<Said> conditions() {
    Topology found = topology(primary("db1", 1), standby("db2"), down("db3"), unknown("db4"));
    LastPublished led = withReadWrite(published(2, "db2"), "db1:5432");
    return Stream.concat(
        Stream.of(
            new Said("reportNodes", c -> c.reportNodes(found)),
            new Said(
                "reportNodes",
                c ->
                    c.reportNodes(
                        topology(primary("db9", foreign("x"))).identifiedBy(published(1, "db1")))),
            new Said(
                "reportNodes",
                c ->
                    c.reportNodes(
                        topology(primary("db1", new Server(null, 10L, null, null, false))))),
            new Said(
                "reportVerdict",
                c -> {
                  c.reportNodes(found);
                  c.reportVerdict(
                      Nodes.verified(
                          found,
                          new ReadOnly(
                              List.of(), null, Map.of(node("db2"), "9 bytes behind the primary"))),
                      "");
                }),
            new Said(
                "reportRepair",
                c -> {
                  Topology refused = topology(primary("db1", 1), down("db2"));
                  c.reportNodes(refused);
                  c.reportRepair(Nodes.verdict(refused, led), led);
                }),
            new Said(
                "reportVerdict",
                c -> {
                  c.reportNodes(found);
                  c.reportVerdict(
                      Nodes.verdict(found, published(1, "db1"))
                          .refuse("NeverPg3", "pg3 never takes writes"),
                      "nothing is written");
                }),
            new Said("reportMismatch", c -> c.reportMismatch("pg-rw", true, mismatch("pg-rw"))),
            new Said("reportMismatch", c -> c.reportMismatch("pg-ro", false, mismatch("pg-ro"))),
            new Said("reportPause", c -> c.reportPause("PAUSED")),
            new Said(
                "reportCycleFailure", c -> c.reportCycleFailure(new IllegalStateException("x")))),
        cycles().flatMap(RunbookTest::decided));
  }

  private static FailureMessage mismatch(String service) {
    return new Mismatch(service, Set.of(), List.of("x")).failure();
  }

  /** The message of a refusal contains its outcome. */
  private static Stream<Said> decided(Cycle cycle) {
    return Stream.of(
            "nothing is written",
            "pg-rw is emptied",
            "pg-rw could not be emptied",
            "pg-rw is not emptied while paused")
        .filter(
            outcome -> outcome.startsWith("nothing") || cycle.verdict().rule() == Rule.SPLIT_BRAIN)
        .map(
            outcome ->
                new Said(
                    "reportVerdict",
                    c -> {
                      c.reportNodes(cycle.topology());
                      c.reportVerdict(cycle.verdict(), outcome);
                    }));
  }

  /** The topologies that a cycle finds, what it remembers, and the quorum that it requires. */
  private record Cycle(
      List<Topology> topologies, LastPublished published, List<Rival> rivals, int quorum) {
    Cycle(Topology topology, LastPublished published) {
      this(topology, published, List.of(), 1);
    }

    Cycle(Topology topology, LastPublished published, List<Rival> rivals, int quorum) {
      this(List.of(topology), published, rivals, quorum);
    }

    /** The last topology. */
    Topology topology() {
      return topologies.get(topologies.size() - 1);
    }

    Verdict verdict() {
      Memory memory = Memory.stored(0, PublishedPrimary.none(), rivals, List.of());
      Verdict verdict = null;
      for (Topology topology : topologies) {
        Decision.Outcome outcome =
            Decision.decide(
                published,
                memory,
                topology,
                new DecisionSettings(
                    new Quorum(quorum),
                    new ReadOnlyRules(null, false, false),
                    Duration.ofMinutes(10)));
        memory = outcome.memory();
        verdict = outcome.verdict();
      }
      return verdict;
    }
  }

  /** Returns at least one cycle for each rule and each report. */
  private static Stream<Cycle> cycles() {
    Server follower = new Server(CLUSTER, 10L, 2L, null, true);
    Server left = new Server(CLUSTER, 10L, 1L, Lsn.of("0/5000060"), true);
    Server successor =
        Servers.granting(
                Set.of(Right.HISTORY), new Server(CLUSTER, 11L, 2L, Lsn.of("0/6000000"), false))
            .with(HistoryAnswer.read(History.of(2, "1\t0/5000000\tx\n")));
    Node full = node("db1");
    return Stream.of(
        new Cycle(topology(primary("db1", 1)), nothingPublished().withFault("Endpoints pg has x")),
        new Cycle(topology(primary("db1", 1), primary("db2", foreign("x"))), nothingPublished()),
        new Cycle(topology(primary("db1", 1), primary("db2", 2)), published(1, "db1")),
        new Cycle(topology(down("db1")), published(1, "db1")),
        new Cycle(
            topology(primary("db1", 1), unknown("db2")),
            published(1, "db1"),
            List.of(new Rival("db2:5432", "db2", Nodes.AT, null, false)),
            1),
        new Cycle(topology(primary("db1", 1), down("db2")), published(1, "db1"), List.of(), 2),
        new Cycle(topology(primary("db1", 1), down("db2")), nothingPublished()),
        new Cycle(topology(primary("db1", 1), down("db2")), published(1, "db2")),
        new Cycle(topology(primary("db1", 200), down("db2")), published(1, "db2")),
        new Cycle(topology(primary("db1", 1), standby("db2", follower)), nothingPublished()),
        new Cycle(topology(primary("db1", 1), standby("db2", follower)), published(1, "db1")),
        new Cycle(topology(primary("db1", 1), primary("db2", 2)), published(2, "db2")),
        new Cycle(
            topology(primary("db1", 1), primary("db9", primary("db1", 1).server())),
            published(1, "db1")),
        new Cycle(topology(primary("db1", 1), standby("db2", left)), published(1, "db1")),
        new Cycle(
            topology(down("db1"), primary("db2", successor), standby("db3", left)),
            published(1, "db1")),
        new Cycle(
            topology(NodeState.unknown(full, "db1", Failure.FULL, "FATAL: too many connections")),
            published(1, "db1")),
        new Cycle(topology(primary("db1", 2)), begunAt(published(2, "db1"), "0/5000000")),
        new Cycle(
            List.of(after(0, "0/3000000"), after(6, "0/6000000")),
            published(1, "db1", Set.of("db2:5432", "db3:5432")),
            List.of(),
            1));
  }

  /** A read-only primary that still writes, a disconnected standby, and an UNKNOWN node. */
  private static Topology after(int minutes, String lsn) {
    return new Topology(
        List.of(
            primary(
                "db1",
                Servers.readOnlyByDefault(
                    true, new Server(CLUSTER, Nodes.startedAt("db1"), 1L, Lsn.of(lsn), false))),
            standby("db2", new Server(CLUSTER, 12L, null, Lsn.of("0/3000000"), false)),
            unknown("db3")),
        Nodes.AT.plusSeconds(60L * minutes));
  }

  private static LastPublished begunAt(LastPublished published, String begin) {
    PublishedPrimary primary = published.primary();
    return new LastPublished(
        new PublishedPrimary(
            new Line(CLUSTER, primary.line().timeline(), Lsn.of(begin)),
            primary.entries(),
            primary.name(),
            primary.startedAt()),
        CLUSTER,
        published.readWrite(),
        published.readOnly(),
        0,
        false,
        List.of());
  }

  private static LastPublished withReadWrite(LastPublished published, String entry) {
    return new LastPublished(
        published.primary(), CLUSTER, Set.of(entry), published.readOnly(), 0, false, List.of());
  }

  @ParameterizedTest
  @MethodSource("conditions")
  void coversEveryCondition(Said said) throws IOException {
    Conditions conditions = TestConditions.create();
    said.says().accept(conditions);

    List<io.github.pgendpoints.alert.Alert> bad =
        conditions.endCycle().stream().filter(alert -> alert.severity() != Severity.INFO).toList();
    assertTrue(!bad.isEmpty(), said.by() + " says nothing bad");
    for (var alert : bad) {
      assertTrue(
          headings(alert.severity().name()).stream()
              .anyMatch(heading -> covers(heading, alert.message())),
          "no heading in the runbook: " + alert.severity() + " " + alert.message());
    }
  }

  @Test
  void triesEveryRuleAndEveryReport() {
    List<Verdict> verdicts = cycles().map(Cycle::verdict).toList();

    Set<Rule> ofTheProgram = EnumSet.complementOf(EnumSet.of(Rule.OWN));
    assertEquals(ofTheProgram, verdicts.stream().map(Verdict::rule).collect(Collectors.toSet()));
    assertEquals(
        Set.of(Report.Topic.values()),
        verdicts.stream()
            .flatMap(verdict -> verdict.reports().stream())
            .filter(report -> !report.pending())
            .map(Report::topic)
            .collect(Collectors.toSet()));
  }

  @Test
  void knowsEveryCondition() {
    Set<String> tried = conditions().map(Said::by).collect(Collectors.toSet());
    // Their messages come from callers, whose sources are checked below.
    Set<String> passedOn =
        Set.of(
            "reportPublishFailure",
            "reportNoNodes",
            "reportDegradation",
            "reportWrite",
            "recordPublished",
            "recordPublication",
            "recordNodes",
            "keepMismatch",
            "restore",
            "forget");

    assertEquals(
        Set.of(),
        Arrays.stream(Conditions.class.getDeclaredMethods())
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .filter(method -> method.getReturnType() == void.class)
            .map(Method::getName)
            .filter(name -> !tried.contains(name) && !passedOn.contains(name))
            .collect(Collectors.toSet()));
  }

  /** An operator must know what ends a refusal. */
  @Test
  void statesForEachRefusalWhatEndsIt() throws IOException {
    String page = Files.readString(Path.of("docs/runbook.md"));
    String refusals =
        page.substring(
            page.indexOf("## Refused: nothing is written"),
            page.indexOf("### ERROR `cycle failed"));
    String[] entries = refusals.split("(?m)^### ");
    assertTrue(entries.length > 10, refusals);
    for (String entry : List.of(entries).subList(1, entries.length)) {
      assertTrue(entry.contains("Ends:"), entry);
    }
  }

  @Test
  void coversEveryMessageInTheSources() throws IOException {
    String runbook = Files.readString(Path.of("docs/runbook.md"));
    List<String> headings =
        Stream.concat(headings("ERROR").stream(), headings("WARN").stream()).toList();
    List<String> messages;
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      messages =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .flatMap(file -> messages(file).stream())
              .toList();
    }
    assertTrue(messages.size() >= 35, "the patterns find only " + messages);
    assertEquals(
        List.of(),
        messages.stream()
            .filter(
                message -> headings.stream().noneMatch(heading -> covers(heading, filled(message))))
            .map(RunbookTest::longestPart)
            .filter(part -> !part.isBlank() && !runbook.contains(part))
            .toList());
  }

  @Test
  void coversEveryRightThatTheRoleMayLack() throws IOException {
    List<String> headings = headings("WARN");
    for (ApiRight right : ApiRight.values()) {
      for (String message :
          List.of(
              right.missing(List.of("name")),
              right.refused(List.of("name"), new KubernetesClientException("quota")))) {
        assertTrue(headings.stream().anyMatch(heading -> covers(heading, message)), message);
      }
    }
  }

  @Test
  void coversEveryMessageOfTheLauncher() throws IOException {
    String runbook = Files.readString(Path.of("docs/runbook.md"));
    List<String> heads = headings("ERROR");
    List<String> messages =
        Pattern.compile("fail \"([^\"]+)\"")
            .matcher(Files.readString(Path.of("src/main/dist/bin/postgres-endpoint-manager")))
            .results()
            .map(said -> said.group(1).replaceAll("\\$\\w+", "…"))
            .toList();
    assertEquals(7, messages.size());
    assertTrue(heads.contains("postgres-endpoint-manager: …"));
    // The page may break lines anywhere.
    String oneLine = runbook.replaceAll("\\s+", " ");
    for (String message : messages) {
      // The text after the colon describes what to do.
      assertTrue(oneLine.contains("`" + message.replaceFirst(": (set|see).*", "")), message);
    }
  }

  /** Returns the literals of the messages in a source file. */
  private static List<String> messages(Path file) {
    try {
      String source = Files.readString(file).replaceAll("\"\\s*\\+\\s*\"", "");
      return Stream.of(TOLD, HANDED_ON)
          .flatMap(pattern -> pattern.matcher(source).results())
          .map(told -> told.group(2))
          .toList();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String filled(String message) {
    return message.replaceAll(PLACE, "x");
  }

  private static String longestPart(String message) {
    return Arrays.stream(message.split(PLACE))
        .max((a, b) -> Integer.compare(a.length(), b.length()))
        .orElse("")
        .strip();
  }
}
