package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Report;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.StandbyClass;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Remembers from one cycle to the next what has been said, so that a thing is said when it begins,
 * now and then while it lasts, and when it ends, and not once a cycle. Used by one cycle at a time.
 */
public final class Conditions {
  private static final Map<Rule, Kind> KINDS =
      new EnumMap<>(
          Map.of(
              Rule.UNREADABLE, Kind.UNREADABLE_STATE,
              Rule.NO_MAJORITY, Kind.FOREIGN_NODE,
              Rule.SPLIT_BRAIN, Kind.MULTIPLE_PRIMARIES,
              Rule.NO_PRIMARY, Kind.NO_PRIMARY,
              Rule.SPLIT_BRAIN_LASTS, Kind.MULTIPLE_PRIMARIES,
              Rule.QUORUM, Kind.QUORUM,
              Rule.FIRST_RUN, Kind.FIRST_RUN,
              Rule.PROMOTED_APART, Kind.STALE_PRIMARY,
              Rule.UNPROVEN, Kind.STALE_PRIMARY,
              Rule.NEWER_LINE, Kind.STALE_PRIMARY));

  static {
    KINDS.put(Rule.OWN, Kind.RULE);
  }

  private static final Map<Report.Topic, Kind> TOPICS =
      new EnumMap<>(
          Map.of(
              Report.Topic.DEAD_BRANCH, Kind.MULTIPLE_PRIMARIES,
              Report.Topic.UNKNOWN_ALIAS, Kind.UNKNOWN_ALIAS,
              Report.Topic.STANDBY_AHEAD, Kind.STANDBY_AHEAD,
              Report.Topic.NEWER_LINE, Kind.STALE_PRIMARY,
              Report.Topic.LEFT_BEHIND, Kind.LEFT_BEHIND,
              Report.Topic.FULL, Kind.PRIMARY_FULL));

  private static final int MAX_MESSAGE = 4000;
  private static final int MAX_CAUSES = 20;

  /** A standby that changes its source tells no timeline for a moment. */
  private static final Duration SETTLED = Duration.ofSeconds(30);

  /**
   * What is another one each time that the same thing fails: ids such as an exchange's, times,
   * ports and other numbers. Not the digits of names and addresses, nor a code of HTTP in brackets.
   */
  private static final Pattern VARYING =
      Pattern.compile(
          "\\b\\d{4}-\\d\\d-\\d\\dT[\\d:.]+"
              + "|\\b\\p{XDigit}{8,}(-\\p{XDigit}+)*\\b"
              + "|@\\p{XDigit}+\\b"
              + "|(?<![\\w.(-])\\d+(\\.\\d+)?(?!\\d|\\.\\d)");

  /** How far a cycle has come; what it has not come to it can neither find nor find to be over. */
  public enum Stage {
    BEGUN,
    READ,
    ASKED,
    PUBLISHED
  }

  /** A condition that one cycle found; of what sort, beside its details. */
  private record Found(
      Kind kind, Severity severity, String subject, String sort, String message, Stage provenBy) {
    private boolean isOf(Told told) {
      return kind == told.kind() && subject.equals(told.subject());
    }
  }

  private final Alert.Cluster cluster;
  private final int defaultPort;
  private final Duration repeat;
  private final MissingRights rights;
  private final Clock clock;
  private final Flapping flapping;
  private final List<Draft> drafts = new ArrayList<>();
  private final Map<String, Found> current = new LinkedHashMap<>();
  private final Set<String> degradations = new HashSet<>();
  private final Set<String> degradationsNow = new TreeSet<>();
  private final Map<String, Told> troubles = new LinkedHashMap<>();
  private final Map<String, Told> leftOut = new LinkedHashMap<>();
  private final Map<Node, Instant> undetermined = new LinkedHashMap<>();
  private Map<String, Told> lasting = Map.of();
  private Map<String, State> lastStates = Map.of();
  private String lastSignature = "";
  private String before;
  private String after;
  private Topology asked;
  private Stage reached = Stage.BEGUN;

  /**
   * @param cluster whose conditions they are
   * @param defaultPort PGPORT: the one that signatures leave out
   * @param repeat ALERT_REPEAT: after how long a condition that lasts is told of again
   * @param rights finds what our role may not do
   */
  public Conditions(
      Alert.Cluster cluster, int defaultPort, Duration repeat, MissingRights rights, Clock clock) {
    this.cluster = cluster;
    this.defaultPort = defaultPort;
    this.repeat = repeat;
    this.rights = rights;
    this.clock = clock;
    this.flapping = new Flapping(repeat);
  }

  /** Notes what is published: the topology before, for a process that has verified none yet. */
  public void read(Published published) {
    reached = Stage.READ;
    if (before == null && published.primary().endpoint() != null) {
      before =
          "primary:%s;standbys:%s"
              .formatted(
                  item(published.primary().endpoint()),
                  published.readOnly().stream()
                      .map(this::item)
                      .sorted()
                      .collect(Collectors.joining(",")));
    }
  }

  private String item(String endpoint) {
    String port = ":" + defaultPort;
    return endpoint.endsWith(port)
        ? endpoint.substring(0, endpoint.length() - port.length())
        : endpoint;
  }

  /** Notes what the nodes are; a node in another state than before is news. */
  public void observed(Topology topology) {
    asked = topology;
    reached = Stage.ASKED;
    Map<String, State> states = new LinkedHashMap<>();
    for (NodeState node : topology.nodes()) {
      states.put(node.node().name(), node.state());
      observed(node, lastStates.get(node.node().name()));
    }
    troubles.keySet().stream()
        .filter(node -> !states.containsKey(node))
        .toList()
        .forEach(node -> over(troubles.remove(node), node + " is DOWN or UNKNOWN", topicOf(node)));
    lastStates = states;
    for (NodeState node : topology.foreign()) {
      condition(
          Kind.FOREIGN_NODE,
          Severity.ERROR,
          node.node().name(),
          "",
          "",
          "foreign node %s at %s is %s: it is put behind neither Service"
              .formatted(node.node(), node.address(), node.reason()),
          Stage.ASKED);
    }
    rights.in(topology).forEach((right, message) -> degraded(message, right));
  }

  private static String topicOf(String node) {
    return "node " + node;
  }

  private void observed(NodeState node, State before) {
    String name = node.node().name();
    String was = before == null ? "" : ", was " + before;
    Told trouble = troubles.get(name);
    Kind kind =
        switch (node.state()) {
          case DOWN -> before == State.STANDBY ? Kind.STANDBY_LOST : Kind.NODE_DOWN;
          case UNKNOWN -> Kind.NODE_UNKNOWN;
          default -> null;
        };
    Kind ends = trouble == null ? null : trouble.kind();
    if (before == node.state()) {
      if (trouble != null) {
        troubles.put(name, repeated(trouble, Severity.WARN, node.toString(), topicOf(name)));
      }
    } else if (kind != null) {
      Instant now = clock.instant();
      changed(node, kind, Severity.WARN, Phase.BEGAN, ends, was);
      troubles.put(name, new Told(kind, name, node.toString(), Stage.ASKED, now, now));
    } else if (node.state() == State.FOREIGN) {
      if (trouble != null) {
        over(troubles.remove(name), name + " is " + before, topicOf(name));
      }
    } else if (before != null) {
      Told ended = troubles.remove(name);
      boolean back = ended != null && node.state() == State.STANDBY;
      changed(
          node,
          back ? Kind.STANDBY_BACK : Kind.NODE_CHANGED,
          Severity.INFO,
          ended == null ? Phase.HAPPENED : Phase.OVER,
          ends,
          was);
    }
  }

  private void changed(
      NodeState node, Kind kind, Severity severity, Phase phase, Kind ends, String was) {
    String name = node.node().name();
    drafts.add(
        new Draft(
            kind,
            severity,
            phase,
            ends,
            name,
            node + was,
            clock.instant(),
            topicOf(name),
            node.state().name()));
  }

  /**
   * Notes what was decided.
   *
   * @param outcome of a refusal: what became of the Services
   */
  public void decided(Verdict verdict, String outcome) {
    for (Report report : verdict.reports()) {
      switch (report.topic()) {
        case REFUSED -> refused(KINDS.get(verdict.rule()), report, outcome);
        case LINE_UNPROVEN -> degraded(report.message(), report.topic().name());
        default ->
            condition(
                TOPICS.get(report.topic()),
                report.topic().isError() ? Severity.ERROR : Severity.WARN,
                report.subject(),
                report.headline(),
                report.headline(),
                report.message(),
                Stage.ASKED);
      }
    }
    undetermined(verdict);
    if (verdict.isVerified()) {
      verified(verdict.primary(), verdict.readOnly());
    }
  }

  /** A right that is missing has been told of; what fails although it is there has not. */
  private void undetermined(Verdict verdict) {
    Instant now = clock.instant();
    Map<Node, String> why = new LinkedHashMap<>();
    for (NodeState standby : asked.standbys()) {
      String reason =
          verdict.standbys().get(standby.node()) == StandbyClass.UNDETERMINED
              ? whyUndetermined(standby, verdict.primary())
              : null;
      if (reason != null) {
        why.put(standby.node(), reason);
      }
    }
    undetermined.keySet().retainAll(why.keySet());
    why.forEach(
        (node, reason) -> {
          Instant since = undetermined.computeIfAbsent(node, first -> now);
          if (!now.isBefore(since.plus(SETTLED))) {
            degraded(
                "standby %s cannot be placed on the primary's line, so only its position is looked at: %s"
                    .formatted(node, reason),
                "undetermined " + node);
          }
        });
  }

  private static String whyUndetermined(NodeState standby, NodeState primary) {
    if (primary.server() == null) {
      return null;
    }
    if (standby.server().timeline() == null) {
      return standby.server().rights().contains(Right.MONITOR)
          ? "it does not tell its timeline, and has no WAL receiver"
          : null;
    }
    HistoryAnswer history = primary.server().history();
    return history != null && history.outcome() == HistoryAnswer.Outcome.FAILED
        ? "the history of the timeline of %s could not be read (%s)"
            .formatted(primary.node(), history.reason())
        : null;
  }

  /** Notes that the read-write Service is put back although the cycle is refused. */
  public void repairing(Verdict verdict, Published published) {
    event(
        Kind.WRITTEN,
        Severity.WARN,
        "%s leads to %s, which is not the published primary: it is put back to %s; set PAUSED=true to keep what is written by hand"
            .formatted(
                cluster.readWrite(),
                published.readWrite().stream().sorted().collect(Collectors.joining(", ")),
                verdict.repair()),
        "repair");
  }

  private void verified(NodeState primary, ReadOnly readOnly) {
    after = Signature.of(primary, readOnly.standbys(), defaultPort);
    if (!after.equals(lastSignature)) {
      Kind kind = changeOf(before, after);
      event(
          kind,
          Severity.INFO,
          "topology verified: " + after,
          // Each change of the primary is told, however many there are.
          kind == Kind.PRIMARY_CHANGED ? null : "topology");
    }
    lastSignature = after;
    readOnly
        .leftOut()
        .forEach(
            (node, why) -> {
              String message = "standby %s is not read from: %s".formatted(node, why);
              Told told = leftOut.get(node.name());
              Instant now = clock.instant();
              if (told == null) {
                Kind kind = Kind.STANDBY_LEFT_OUT;
                read(node, kind, Severity.WARN, Phase.BEGAN, null, message);
                leftOut.put(
                    node.name(), new Told(kind, node.name(), message, Stage.PUBLISHED, now, now));
              } else {
                leftOut.put(
                    node.name(), repeated(told, Severity.WARN, message, readTopicOf(node.name())));
              }
            });
    for (NodeState standby : readOnly.standbys()) {
      Told told = leftOut.remove(standby.node().name());
      if (told != null) {
        read(
            standby.node(),
            Kind.STANDBY_BACK,
            Severity.INFO,
            Phase.OVER,
            told.kind(),
            "standby %s is read from".formatted(standby.node()));
      }
    }
    Set<String> leftOutNow =
        readOnly.leftOut().keySet().stream().map(Node::name).collect(Collectors.toSet());
    leftOut.keySet().stream()
        .filter(node -> !leftOutNow.contains(node))
        .toList()
        .forEach(
            node ->
                over(
                    leftOut.remove(node),
                    "standby " + node + " is not read from",
                    readTopicOf(node)));
  }

  private void read(
      Node node, Kind kind, Severity severity, Phase phase, Kind ends, String message) {
    drafts.add(
        new Draft(
            kind,
            severity,
            phase,
            ends,
            node.name(),
            message,
            clock.instant(),
            readTopicOf(node.name()),
            kind.name()));
  }

  private static String readTopicOf(String node) {
    return "read from " + node;
  }

  private static Kind changeOf(String before, String after) {
    if (before == null || before.equals(after)) {
      return Kind.TOPOLOGY_VERIFIED;
    }
    String primary = after.substring(0, after.indexOf(';') + 1);
    return before.startsWith(primary) ? Kind.TOPOLOGY_CHANGED : Kind.PRIMARY_CHANGED;
  }

  /** Notes that nothing is written because somebody said so. */
  public void paused(String by) {
    String message = "paused by %s: nothing is written".formatted(by);
    condition(Kind.PAUSED, Severity.WARN, "", by, by, message, Stage.READ);
  }

  /** Notes that Endpoints were written. */
  public void written(String summary) {
    event(Kind.WRITTEN, Severity.INFO, summary, "written " + summary.split(" ", 2)[0]);
  }

  /** Notes that both Services were looked at, and written where they differed. */
  public void published() {
    reached = Stage.PUBLISHED;
  }

  /** Notes that something about one object could not be done, or the API could not be asked. */
  public void publishFailed(String message) {
    failed(Kind.PUBLISH_FAILED, message);
  }

  /**
   * Notes that the clients of a Service see other addresses than those written.
   *
   * @param isError whether it is the read-write Service
   * @param message with another cause it is news
   */
  public void mismatch(String service, boolean isError, String message) {
    condition(
        Kind.MISMATCH,
        isError ? Severity.ERROR : Severity.WARN,
        service,
        message,
        message,
        message,
        Stage.ASKED);
  }

  /** Notes that no node is known. */
  public void noNodes(String message) {
    failed(Kind.NO_NODES, message);
  }

  /** Notes an error of the program itself. */
  public void cycleFailed(Throwable failure) {
    Throwable root = failure;
    for (int i = 0; root.getCause() != null && i < MAX_CAUSES; i++) {
      root = root.getCause();
    }
    // What wraps it is often the same whatever happened, and would hide that it is another failure.
    String wrapped = root == failure ? "" : " (" + failure + ")";
    failed(Kind.CYCLE_FAILED, "cycle failed, nothing is decided: " + root + wrapped);
  }

  /** Notes that a check is off or a setting odd; said once in the life of the process. */
  public void degraded(String message) {
    degraded(message, message);
  }

  /** The same of a thing that is one thing whatever the details in its message are. */
  private void degraded(String message, String what) {
    degradationsNow.add(what);
    if (degradations.add(what)) {
      drafts.add(
          new Draft(
              Kind.DEGRADED,
              Severity.WARN,
              Phase.HAPPENED,
              null,
              "",
              message,
              clock.instant(),
              null,
              what));
    }
  }

  /**
   * Ends the cycle.
   *
   * @return what is new since the last one, in the order it happened
   */
  public List<Alert> news() {
    Instant now = clock.instant();
    Map<String, Told> stillLasting = new LinkedHashMap<>();
    current.forEach((key, found) -> stillLasting.put(key, told(found, lasting.get(key), now)));
    Map<String, Told> ended = new LinkedHashMap<>();
    lasting.forEach(
        (key, told) -> {
          if (current.values().stream().anyMatch(found -> found.isOf(told))) {
            return;
          }
          if (reached.compareTo(told.provenBy()) >= 0) {
            ended.put(cluster.key(told.kind(), told.subject()), told);
          } else {
            stillLasting.put(key, told);
          }
        });
    ended.values().stream()
        .filter(told -> !told.kind().isOfOneMoment())
        .forEach(told -> over(told, headline(told), topicOf(told.kind(), told.subject())));
    List<Alert> news = flapping.told(drafts, now).stream().map(draft -> alert(draft, now)).toList();
    lasting = stillLasting;
    before = after == null ? before : after;
    drafts.clear();
    end();
    return news;
  }

  private void end() {
    after = null;
    asked = null;
    reached = Stage.BEGUN;
    current.clear();
  }

  /** What another process must know to go on from here. */
  public ConditionsSnapshot snapshot() {
    return new ConditionsSnapshot(
        lastSignature, lastStates, lasting, troubles, leftOut, degradationsNow);
  }

  /** Goes on where another process ended, before the first cycle. */
  public void recall(ConditionsSnapshot snapshot) {
    lastSignature = snapshot.signature();
    lastStates = snapshot.states();
    lasting = snapshot.lasting();
    troubles.putAll(snapshot.troubles());
    leftOut.putAll(snapshot.leftOut());
    degradations.addAll(snapshot.degradations());
    drafts.removeIf(
        draft -> draft.kind() == Kind.DEGRADED && snapshot.degradations().contains(draft.change()));
  }

  /** What the last cycle that ended found wrong, and is not over: one sentence each. */
  public List<String> lasting() {
    return lasting.values().stream()
        .map(told -> ForeignText.clean(told.message(), MAX_MESSAGE))
        .toList();
  }

  private Told told(Found found, Told before, Instant now) {
    String topic = topicOf(found.kind(), found.subject());
    if (before != null) {
      return found.kind().isOfOneMoment()
          ? before
          : repeated(before, found.severity(), found.message(), topic);
    }
    Optional<Told> earlier = lasting.values().stream().filter(found::isOf).findFirst();
    Instant since = earlier.map(Told::since).orElse(now);
    Phase phase =
        found.kind().isOfOneMoment()
            ? Phase.HAPPENED
            : earlier.isPresent() ? Phase.LASTS : Phase.BEGAN;
    drafts.add(
        new Draft(
            found.kind(),
            found.severity(),
            phase,
            null,
            found.subject(),
            found.message(),
            since,
            topic,
            found.sort()));
    return new Told(found.kind(), found.subject(), found.message(), found.provenBy(), since, now);
  }

  /** Tells of a condition again when it is time to. */
  private Told repeated(Told told, Severity severity, String message, String topic) {
    Instant now = clock.instant();
    if (now.isBefore(told.said().plus(repeat))) {
      return told;
    }
    drafts.add(
        new Draft(
            told.kind(),
            severity,
            Phase.LASTS,
            null,
            told.subject(),
            message + "; since " + told.since().truncatedTo(ChronoUnit.SECONDS),
            told.since(),
            topic,
            null));
    return told.again(message, now);
  }

  private static String topicOf(Kind kind, String subject) {
    return kind + " " + subject;
  }

  private void over(Told told, String what, String topic) {
    drafts.add(
        new Draft(
            Kind.RECOVERED,
            Severity.INFO,
            Phase.OVER,
            told.kind(),
            told.subject(),
            "over: " + what,
            clock.instant(),
            topic,
            "over"));
  }

  private Alert alert(Draft draft, Instant now) {
    return new Alert(
        draft.kind(),
        draft.severity(),
        draft.phase(),
        draft.ends(),
        draft.subject(),
        cluster.key(draft.phase() == Phase.OVER ? draft.ends() : draft.kind(), draft.subject()),
        ForeignText.clean(draft.message(), MAX_MESSAGE),
        cluster,
        before,
        after,
        asked == null ? List.of() : asked.nodes().stream().map(Conditions::reported).toList(),
        draft.since(),
        now);
  }

  private static Alert.Node reported(NodeState node) {
    return new Alert.Node(
        node.node().name(), node.address(), node.state().name(), ForeignText.clean(node.reason()));
  }

  /** What was told, without its details. */
  private static String headline(Told told) {
    String headline = told.message().split("(, \\S+ (is|could) [^:]*)?: ", 2)[0];
    return headline.contains(told.subject()) ? headline : headline + ": " + told.subject();
  }

  private void refused(Kind kind, Report report, String outcome) {
    // The reasons of a node that is down change with the moment of the probe: not news by itself.
    String states =
        asked.nodes().stream()
            .map(node -> node.node() + "=" + node.state())
            .collect(Collectors.joining(","));
    String sort = report.headline() + outcome;
    condition(
        kind,
        Severity.ERROR,
        report.subject(),
        states + sort,
        sort,
        report.message(outcome),
        Stage.ASKED);
    lastSignature = "";
  }

  /** A condition of the stage that the cycle is in, which a cycle that gets past it proves over. */
  private void failed(Kind kind, String message) {
    Stage next = Stage.values()[Math.min(reached.ordinal() + 1, Stage.PUBLISHED.ordinal())];
    String what = VARYING.matcher(message).replaceAll("#");
    condition(kind, Severity.ERROR, "", what, what, message, next);
  }

  /**
   * @param what the same means that it is not news
   * @param sort the same means that it is not news while it comes and goes
   */
  private void condition(
      Kind kind,
      Severity severity,
      String subject,
      String what,
      String sort,
      String message,
      Stage provenBy) {
    current.putIfAbsent(
        kind + " " + subject + " " + what,
        new Found(kind, severity, subject, sort, message, provenBy));
  }

  private void event(Kind kind, Severity severity, String message, String topic) {
    drafts.add(
        new Draft(
            kind, severity, Phase.HAPPENED, null, "", message, clock.instant(), topic, message));
  }
}
