package io.github.pgendpoints;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Topology;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** That the runbook tells of every ERROR and WARN there is. */
class RunbookTest {
  private static final Pattern HEADING = Pattern.compile("(?m)^### (ERROR|WARN) `(.*)`$");

  /** A literal in a call that logs, or tells of a condition, elsewhere than in Conditions. */
  private static final Pattern TOLD =
      Pattern.compile(
          "(LOG\\.error|LOG\\.warn|degraded|publishFailed|warnings\\.add|refuse\\(List\\.of|new NoNodesException"
              + "|OutdatedTopologyException\\(String \\w+\\) \\{\\s*super|exitWith)\\(\\s*\"((?:[^\"\\\\]|\\\\.)*)\"");

  /** Where every sentence is for people. */
  private static final Set<String> SENTENCES = Set.of("KubernetesErrors", "KubernetesAccess");

  private static final Pattern SENTENCE = Pattern.compile("\"()([a-z][^\"\\\\]* [^\"\\\\]*)\"");

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

  private record Said(String by, Consumer<Conditions> says) {
    @Override
    public String toString() {
      return by;
    }
  }

  static Stream<Said> conditions() {
    Topology split = topology(primary("db1", 1), primary("db2", 2));
    Topology found = topology(primary("db1", 1), standby("db2"), down("db3"), unknown("db4"));
    Server untold = new Server(null, "10:00", null, null, false);
    NodeState node = standby("db2");
    Published faulty =
        new Published(null, 0, null, null, Set.of(), false, List.of("Endpoints pg has x"));
    return Stream.of(
        new Said("observed", c -> c.observed(found)),
        new Said(
            "observed",
            c ->
                c.observed(
                    topology(primary("db9", foreign("x"))).identifiedBy(published(1, "db1")))),
        new Said("observed", c -> c.observed(topology(primary("db1", untold)))),
        new Said(
            "verified",
            c ->
                c.verified(
                    found, new ReadOnly(List.of(), null, Map.of(node.node(), "9 bytes behind")))),
        new Said("unreadable", c -> c.unreadable(faulty)),
        new Said("noMajority", c -> c.noMajority(split)),
        new Said("quorum", c -> c.quorum(found, 3)),
        new Said(
            "multiplePrimaries", c -> c.multiplePrimaries(split, List.of(), "nothing is written")),
        new Said("multiplePrimaries", c -> c.multiplePrimaries(split, List.of(), "a is emptied")),
        new Said("noPrimary", c -> c.noPrimary(topology(down("db1")))),
        new Said("stalePrimary", c -> c.stalePrimary(found, published(2, "db2"))),
        new Said("rivalPrimary", c -> c.rivalPrimary(found, published(1, "db2"))),
        new Said(
            "outdatedPrimary",
            c ->
                c.outdatedPrimary(
                    topology(
                        primary("db1", 1),
                        standby("db2", new Server(null, "10:00", 2L, null, true))))),
        new Said("splitBrainLasts", c -> c.splitBrainLasts(found, List.of(unknown("db4")))),
        new Said("paused", c -> c.paused("PAUSED")),
        new Said("cycleFailed", c -> c.cycleFailed(new IllegalStateException("x"))));
  }

  @ParameterizedTest
  @MethodSource("conditions")
  void tellsOfEveryCondition(Said said) throws IOException {
    Conditions conditions = TestConditions.create();
    said.says().accept(conditions);

    List<io.github.pgendpoints.alert.Alert> bad =
        conditions.news().stream().filter(alert -> alert.severity() != Severity.INFO).toList();
    assertTrue(!bad.isEmpty(), said.by() + " says nothing bad");
    for (var alert : bad) {
      assertTrue(
          headings(alert.severity().name()).stream()
              .anyMatch(heading -> covers(heading, alert.message())),
          "no heading in the runbook: " + alert.severity() + " " + alert.message());
    }
  }

  @Test
  void knowsEveryCondition() {
    Set<String> tried = conditions().map(Said::by).collect(Collectors.toSet());
    // Their messages come from callers, who are looked through below.
    Set<String> passedOn =
        Set.of("publishFailed", "noNodes", "degraded", "written", "read", "published", "recall");

    assertEquals(
        Set.of(),
        Arrays.stream(Conditions.class.getDeclaredMethods())
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .filter(method -> method.getReturnType() == void.class)
            .map(Method::getName)
            .filter(name -> !tried.contains(name) && !passedOn.contains(name))
            .collect(Collectors.toSet()));
  }

  @Test
  void tellsOfEveryMessageInTheSources() throws IOException {
    String runbook = Files.readString(Path.of("docs/runbook.md"));
    List<String> missing;
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      missing =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .flatMap(file -> messages(file).stream())
              .filter(message -> !message.isBlank() && !runbook.contains(message))
              .toList();
    }
    assertEquals(List.of(), missing);
  }

  @Test
  void tellsOfEveryMessageOfTheLauncher() throws IOException {
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
    // The page breaks lines where it likes.
    String oneLine = runbook.replaceAll("\\s+", " ");
    for (String message : messages) {
      // What comes after a colon says what to do.
      assertTrue(oneLine.contains("`" + message.replaceFirst(": (set|see).*", "")), message);
    }
  }

  @Test
  void tellsOfEveryExceptionInTheRoutes() throws IOException {
    String runbook = Files.readString(Path.of("docs/runbook.md"));
    try (Stream<Path> files = Files.list(Path.of("routes"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        for (MatchResult message :
            Pattern.compile("message: \"(Service [^\"]*)\"")
                .matcher(Files.readString(file))
                .results()
                .toList()) {
          String heading = message.group(1).replaceAll("\\$\\{[^}]*}|\\{\\{[^}]*}}", "…");
          assertTrue(runbook.contains("### ERROR `" + heading + "`"), heading);
        }
      }
    }
  }

  /** The longest constant part of each message. */
  private static List<String> messages(Path file) {
    try {
      return TOLD.matcher(Files.readString(file).replaceAll("\"\\s*\\+\\s*\"", ""))
          .results()
          .map(told -> told.group(2))
          .map(
              message ->
                  Arrays.stream(message.split("%[sd]|\\{}"))
                      .max((a, b) -> Integer.compare(a.length(), b.length()))
                      .orElse("")
                      .strip())
          .toList();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
