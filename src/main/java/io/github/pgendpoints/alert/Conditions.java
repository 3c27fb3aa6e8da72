package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
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
  private static final int MAX_MESSAGE = 4000;
  private static final int MAX_CAUSES = 20;

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

  /** A condition that one cycle found. */
  private record Found(
      Kind kind, Severity severity, String subject, String message, Stage provenBy) {
    private boolean isOf(Told told) {
      return kind == told.kind() && subject.equals(told.subject());
    }
  }

  /** An alert but for what the end of the cycle adds. */
  private record Draft(
      Kind kind,
      Severity severity,
      Phase phase,
      Kind ends,
      String subject,
      String message,
      Instant since) {}

  private final Alert.Cluster cluster;
  private final int defaultPort;
  private final Duration repeat;
  private final Clock clock;
  private final List<Draft> drafts = new ArrayList<>();
  private final Map<String, Found> current = new LinkedHashMap<>();
  private final Set<String> degradations = new HashSet<>();
  private final Set<String> degradationsNow = new TreeSet<>();
  private final Map<String, Told> troubles = new LinkedHashMap<>();
  private final Map<String, Told> leftOut = new LinkedHashMap<>();
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
   */
  public Conditions(Alert.Cluster cluster, int defaultPort, Duration repeat, Clock clock) {
    this.cluster = cluster;
    this.defaultPort = defaultPort;
    this.repeat = repeat;
    this.clock = clock;
  }

  /** Notes what is published: the topology before, for a process that has verified none yet. */
  public void read(Published published) {
    reached = Stage.READ;
    if (before == null && published.primaryEndpoint() != null) {
      before =
          "primary:%s;standbys:%s"
              .formatted(
                  item(published.primaryEndpoint()),
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
        .forEach(node -> over(troubles.remove(node), node + " is DOWN or UNKNOWN"));
    lastStates = states;
    for (NodeState node : topology.foreign()) {
      condition(
          Kind.FOREIGN_NODE,
          node.node().name(),
          "",
          "foreign node %s at %s is %s: it is put behind neither Service"
              .formatted(node.node(), node.address(), node.reason()));
    }
    topology.reachable().forEach(this::degradedBy);
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
        troubles.put(name, repeated(trouble, Severity.WARN, node.toString()));
      }
    } else if (kind != null) {
      Instant now = clock.instant();
      draft(kind, Severity.WARN, Phase.BEGAN, ends, name, node + was, now);
      troubles.put(name, new Told(kind, name, node.toString(), Stage.ASKED, now, now));
    } else if (node.state() == State.FOREIGN) {
      if (trouble != null) {
        over(troubles.remove(name), name + " is " + before);
      }
    } else if (before != null) {
      Told ended = troubles.remove(name);
      boolean back = ended != null && node.state() == State.STANDBY;
      draft(
          back ? Kind.STANDBY_BACK : Kind.NODE_CHANGED,
          Severity.INFO,
          ended == null ? Phase.HAPPENED : Phase.OVER,
          ends,
          name,
          node + was,
          clock.instant());
    }
  }

  private void degradedBy(NodeState node) {
    if (node.server().systemIdentifier() == null) {
      degraded(
          "pg_control_system() is not granted to our role on %s: foreign nodes are not recognised"
              .formatted(node.node()));
    }
    if (node.state() == State.PRIMARY && node.server().timeline() == null) {
      degraded(
          "pg_walfile_name() is not granted to our role on %s: a stale primary is not recognised"
              .formatted(node.node()));
    }
    if (node.server().lsn() == null) {
      degraded(
          "%s does not tell its WAL position: its lag and a diverged standby are not recognised"
              .formatted(node.node()));
    }
  }

  /** Notes that the topology passed the rules of verification, and what is read from. */
  public void verified(Topology topology, ReadOnly readOnly) {
    after = Signature.of(topology.primary(), readOnly.standbys(), defaultPort);
    if (!after.equals(lastSignature)) {
      event(changeOf(before, after), Severity.INFO, "topology verified: " + after);
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
                draft(kind, Severity.WARN, Phase.BEGAN, null, node.name(), message, now);
                leftOut.put(
                    node.name(), new Told(kind, node.name(), message, Stage.PUBLISHED, now, now));
              } else {
                leftOut.put(node.name(), repeated(told, Severity.WARN, message));
              }
            });
    for (NodeState standby : readOnly.standbys()) {
      Told told = leftOut.remove(standby.node().name());
      if (told != null) {
        draft(
            Kind.STANDBY_BACK,
            Severity.INFO,
            Phase.OVER,
            told.kind(),
            told.subject(),
            "standby %s is read from".formatted(standby.node()),
            clock.instant());
      }
    }
    Set<String> leftOutNow =
        readOnly.leftOut().keySet().stream().map(Node::name).collect(Collectors.toSet());
    leftOut.keySet().stream()
        .filter(node -> !leftOutNow.contains(node))
        .toList()
        .forEach(node -> over(leftOut.remove(node), "standby " + node + " is not read from"));
  }

  private static Kind changeOf(String before, String after) {
    if (before == null || before.equals(after)) {
      return Kind.TOPOLOGY_VERIFIED;
    }
    String primary = after.substring(0, after.indexOf(';') + 1);
    return before.startsWith(primary) ? Kind.TOPOLOGY_CHANGED : Kind.PRIMARY_CHANGED;
  }

  /** Notes a refusal: what the Endpoints remember cannot be read. */
  public void unreadable(Published published) {
    String faults = String.join("; ", published.faults());
    condition(
        Kind.UNREADABLE_STATE, "", faults, "unreadable annotation, nothing is written: " + faults);
  }

  /** Notes a refusal: the first run found several clusters, none with a majority. */
  public void noMajority(Topology topology) {
    String servers =
        topology.reachable().stream()
            .map(
                node ->
                    "%s is a %s of %s"
                        .formatted(node.node(), node.state(), node.server().systemIdentifier()))
            .collect(Collectors.joining(", "));
    refused(
        Kind.FOREIGN_NODE,
        "no majority of one system identifier, nothing is written: " + servers,
        topology);
  }

  /** Notes a refusal: too few nodes could be verified. */
  public void quorum(Topology topology, int quorum) {
    refused(
        Kind.QUORUM,
        "%d of %d nodes verified, fewer than the %d of MIN_REACHABLE_NODES, nothing is written: %s"
            .formatted(topology.reachable().size(), topology.listed(), quorum, topology),
        topology);
  }

  /**
   * Notes a refusal: more than one primary.
   *
   * @param histories of the primaries, for the point where they parted
   * @param outcome what became of the read-write Service
   */
  public void multiplePrimaries(Topology topology, List<History> histories, String outcome) {
    String primaries =
        topology.primaries().stream()
            .map(
                primary ->
                    "%s at %s (system identifier %s, timeline %s, LSN %s)"
                        .formatted(
                            primary.node(),
                            primary.address(),
                            primary.server().systemIdentifier(),
                            primary.server().timeline(),
                            primary.server().lsn()))
            .collect(Collectors.joining(", "));
    refused(
        Kind.MULTIPLE_PRIMARIES,
        "multiple primaries, %s: %s%s".formatted(outcome, primaries, parted(histories)),
        topology);
  }

  private static String parted(List<History> histories) {
    StringBuilder parted = new StringBuilder();
    for (History other : histories.subList(Math.min(1, histories.size()), histories.size())) {
      History.Segment shared = histories.get(0).partedFrom(other);
      if (shared != null) {
        parted.append(
            "; %s and %s parted on timeline %d at %s"
                .formatted(
                    histories.get(0).primary().node(),
                    other.primary().node(),
                    shared.timeline(),
                    shared.end()));
      }
    }
    return parted.toString();
  }

  /** Notes a refusal: no primary. */
  public void noPrimary(Topology topology) {
    refused(Kind.NO_PRIMARY, "no primary, nothing is written: " + topology, topology);
  }

  /** Notes a refusal: the only primary is on an older timeline than the published one. */
  public void stalePrimary(Topology topology, Published published) {
    refused(
        Kind.STALE_PRIMARY,
        "stale primary, nothing is written: %s is on timeline %d, the published primary%s is on timeline %d; %s"
            .formatted(
                primary(topology),
                topology.primary().server().timeline(),
                published.primary() == null ? "" : " " + published.primary(),
                published.timeline(),
                topology),
        topology);
  }

  /** Notes a refusal: the only primary is on the published timeline, but is another server. */
  public void rivalPrimary(Topology topology, Published published) {
    refused(
        Kind.STALE_PRIMARY,
        "primary promoted apart, nothing is written: %s is on timeline %d, and so is the published primary %s, another server; %s"
            .formatted(
                primary(topology),
                topology.primary().server().timeline(),
                published.primary() == null ? "at an unknown address" : published.primary(),
                topology),
        topology);
  }

  /** Notes a refusal: a standby follows another primary, on a higher timeline. */
  public void outdatedPrimary(Topology topology) {
    NodeState standby = topology.standbyAheadOfPrimary();
    refused(
        Kind.STALE_PRIMARY,
        "stale primary, nothing is written: %s is on timeline %d, and the standby %s streams timeline %d; %s"
            .formatted(
                primary(topology),
                topology.primary().server().timeline(),
                standby.node(),
                standby.server().timeline(),
                topology),
        topology);
  }

  /**
   * Notes a refusal: a primary, and others that were primaries beside it.
   *
   * @param rivals which cannot be verified now
   */
  public void splitBrainLasts(Topology topology, List<NodeState> rivals) {
    refused(
        Kind.MULTIPLE_PRIMARIES,
        "multiple primaries not over, nothing is written: %s was a primary beside %s, and cannot be verified now; %s"
            .formatted(
                rivals.stream().map(rival -> rival.node().name()).collect(Collectors.joining(", ")),
                primary(topology),
                topology),
        topology);
  }

  private static String primary(Topology topology) {
    return topology.primary().node() + " at " + topology.primary().address();
  }

  /** Notes that nothing is written because somebody said so. */
  public void paused(String by) {
    String message = "paused by %s: nothing is written".formatted(by);
    condition(Kind.PAUSED, Severity.WARN, "", by, message, Stage.READ);
  }

  /** Notes that Endpoints were written. */
  public void written(String summary) {
    event(Kind.WRITTEN, Severity.INFO, summary);
  }

  /** Notes that both Services were looked at, and written where they differed. */
  public void published() {
    reached = Stage.PUBLISHED;
  }

  /** Notes that something about one object could not be done, or the API could not be asked. */
  public void publishFailed(String message) {
    failed(Kind.PUBLISH_FAILED, message);
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
    degradationsNow.add(message);
    if (degradations.add(message)) {
      event(Kind.DEGRADED, Severity.WARN, message);
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
    ended.values().forEach(told -> over(told, headline(told.message())));
    List<Alert> news = drafts.stream().map(draft -> alert(draft, now)).toList();
    lasting = stillLasting;
    before = after == null ? before : after;
    after = null;
    asked = null;
    reached = Stage.BEGUN;
    current.clear();
    drafts.clear();
    return news;
  }

  /** What another process must know to go on from here. */
  public Memory memory() {
    return new Memory(lastSignature, lastStates, lasting, troubles, leftOut, degradationsNow);
  }

  /** Goes on where another process ended, before the first cycle. */
  public void recall(Memory memory) {
    lastSignature = memory.signature();
    lastStates = memory.states();
    lasting = memory.lasting();
    troubles.putAll(memory.troubles());
    leftOut.putAll(memory.leftOut());
    degradations.addAll(memory.degradations());
    drafts.removeIf(
        draft -> draft.kind() == Kind.DEGRADED && memory.degradations().contains(draft.message()));
  }

  /** What the last cycle that ended found wrong, and is not over: one sentence each. */
  public List<String> lasting() {
    return lasting.values().stream()
        .map(told -> ForeignText.clean(told.message(), MAX_MESSAGE))
        .toList();
  }

  private Told told(Found found, Told before, Instant now) {
    if (before != null) {
      return repeated(before, found.severity(), found.message());
    }
    Optional<Told> earlier = lasting.values().stream().filter(found::isOf).findFirst();
    Instant since = earlier.map(Told::since).orElse(now);
    Phase phase = earlier.isPresent() ? Phase.LASTS : Phase.BEGAN;
    draft(found.kind(), found.severity(), phase, null, found.subject(), found.message(), since);
    return new Told(found.kind(), found.subject(), found.message(), found.provenBy(), since, now);
  }

  /** Tells of a condition again when it is time to. */
  private Told repeated(Told told, Severity severity, String message) {
    Instant now = clock.instant();
    if (now.isBefore(told.said().plus(repeat))) {
      return told;
    }
    draft(
        told.kind(),
        severity,
        Phase.LASTS,
        null,
        told.subject(),
        message + "; since " + told.since().truncatedTo(ChronoUnit.SECONDS),
        told.since());
    return told.again(message, now);
  }

  private void over(Told told, String what) {
    String message = "over: " + what;
    Instant now = clock.instant();
    draft(Kind.RECOVERED, Severity.INFO, Phase.OVER, told.kind(), told.subject(), message, now);
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

  /** What a message is about, without its details. */
  private static String headline(String message) {
    return message.split("(, \\S+ (is|could) [^:]*)?: ", 2)[0];
  }

  private void refused(Kind kind, String message, Topology topology) {
    // The reasons of a node that is down change with the moment of the probe: not news by itself.
    String states =
        topology.nodes().stream()
            .map(node -> node.node() + "=" + node.state())
            .collect(Collectors.joining(","));
    condition(kind, "", states + message.split(":", 2)[0], message);
    lastSignature = "";
  }

  /** A condition of the stage that the cycle is in, which a cycle that gets past it proves over. */
  private void failed(Kind kind, String message) {
    Stage next = Stage.values()[Math.min(reached.ordinal() + 1, Stage.PUBLISHED.ordinal())];
    String what = VARYING.matcher(message).replaceAll("#");
    condition(kind, Severity.ERROR, "", what, message, next);
  }

  private void condition(Kind kind, String subject, String what, String message) {
    condition(kind, Severity.ERROR, subject, what, message, Stage.ASKED);
  }

  private void condition(
      Kind kind, Severity severity, String subject, String what, String message, Stage provenBy) {
    current.putIfAbsent(
        kind + " " + subject + " " + what, new Found(kind, severity, subject, message, provenBy));
  }

  private void event(Kind kind, Severity severity, String message) {
    draft(kind, severity, Phase.HAPPENED, null, "", message, clock.instant());
  }

  private void draft(
      Kind kind,
      Severity severity,
      Phase phase,
      Kind ends,
      String subject,
      String message,
      Instant since) {
    drafts.add(new Draft(kind, severity, phase, ends, subject, message, since));
  }
}
