package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Report;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Collects the findings of a cycle, and returns the alerts at its end. A condition causes an alert
 * when it begins, when its details change, every ALERT_REPEAT while it lasts, and when it ends, but
 * not in every cycle. Used by one cycle at a time.
 */
public final class Conditions {
  static final int MAX_MESSAGE = 4000;

  /** How far a cycle got. It can neither find nor end conditions of a stage it did not reach. */
  public enum Stage {
    BEGUN,
    READ,
    ASKED,
    PUBLISHED
  }

  private final Alert.Cluster cluster;
  private final int defaultPort;
  private final MissingRights rights;
  private final FlapFilter flapping;
  private final ConditionTracker tracker;
  private final NodeConditions nodes;
  private final UnplacedStandbys undetermined = new UnplacedStandbys();
  private final Set<String> degradations = new HashSet<>();
  private final Set<String> degradationsNow = new TreeSet<>();
  private String lastSignature = "";
  private List<RepeatedFinding> repeated = List.of();
  private List<Alert> reported = List.of();
  private String before;
  private String after;
  private Topology asked;
  private Stage reached = Stage.BEGUN;

  /**
   * @param defaultPort PGPORT, which signatures leave out
   * @param repeat ALERT_REPEAT, after which a condition that lasts is reported again
   * @param rights finds the rights that our role lacks
   */
  public Conditions(
      Alert.Cluster cluster, int defaultPort, Duration repeat, MissingRights rights, Clock clock) {
    this.cluster = cluster;
    this.defaultPort = defaultPort;
    this.rights = rights;
    this.flapping = new FlapFilter(repeat);
    this.tracker = new ConditionTracker(repeat, clock);
    this.nodes = new NodeConditions(tracker);
  }

  /** Returns new conditions for the same cluster, with nothing reported yet. */
  public Conditions afresh() {
    return new Conditions(cluster, defaultPort, tracker.repeatsAfter(), rights, tracker.clock());
  }

  /** Records what is published, as the last topology of a process that has verified none yet. */
  public void recordPublished(LastPublished published) {
    reached = Stage.READ;
    if (before == null && published.primary().endpoint() != null) {
      before = Signature.of(published, defaultPort);
    }
  }

  /** Reports the states of the nodes. A changed state causes an alert. */
  public void reportNodes(Topology topology) {
    recordNodes(topology);
    nodes.report(topology);
    for (NodeState node : topology.foreign()) {
      String headline = "foreign node %s at %s".formatted(node.node(), node.address());
      String message =
          "%s is %s: it is put behind neither Service".formatted(headline, node.reason());
      add(Kind.FOREIGN_NODE, Severity.ERROR, node.node().name(), headline, "", message);
    }
    rights.in(topology).forEach((right, message) -> degrade(message, right));
  }

  /** Records the states of the nodes for the verdict, without a report. */
  public void recordNodes(Topology topology) {
    asked = topology;
    reached = Stage.ASKED;
  }

  /**
   * Reports the verdict.
   *
   * @param outcome of a refusal: what happened to the Services
   */
  public void reportVerdict(Verdict verdict, String outcome) {
    for (Report report : verdict.reports()) {
      switch (report.topic()) {
        case REFUSED -> refuse(Kind.of(verdict.rule()), report, outcome);
        case LINE_UNPROVEN -> degrade(report.message(), report.topic().name());
        default -> report(Kind.of(report.topic()), report);
      }
    }
    undetermined
        .observe(asked, verdict, tracker.now())
        .forEach((node, message) -> degrade(message, "undetermined " + node));
    if (verdict.isVerified()) {
      verify(verdict.primary(), verdict.readOnly());
    }
  }

  private void report(Kind kind, Report report) {
    String subject = report.subject();
    Severity severity = report.topic().isError() ? Severity.ERROR : Severity.WARN;
    if (report.pending()) {
      tracker.keep(kind, subject, severity);
      return;
    }
    String headline = report.headline();
    add(kind, severity, subject, headline, headline, report.message());
  }

  private void refuse(Kind kind, Report report, String outcome) {
    // Without the reasons: that of a DOWN node varies from probe to probe, which is not news.
    String states =
        asked.nodes().stream()
            .map(node -> node.node() + "=" + node.state())
            .collect(Collectors.joining(","));
    String category = report.headline() + outcome;
    tracker.add(
        found(kind, report.subject(), report.headline(), report.message(outcome), Stage.ASKED),
        Severity.ERROR,
        states + category,
        category);
    lastSignature = "";
  }

  private void verify(NodeState primary, ReadOnly readOnly) {
    after = Signature.of(primary, readOnly.standbys(), defaultPort);
    if (!after.equals(lastSignature)) {
      Kind kind = Kind.ofChange(before, after);
      // Without a topic: each change of the primary is reported, even if it flaps.
      String topic = kind == Kind.PRIMARY_CHANGED ? null : "topology";
      event(kind, Severity.INFO, "", "topology verified: " + after, topic, after);
    } else {
      tracker.repeat(Severity.INFO, "topology verified: " + after, "");
    }
    lastSignature = after;
    nodes.report(readOnly);
  }

  /** Reports that the read-write Service is repaired although a rule refuses the topology. */
  public void reportRepair(Verdict verdict, LastPublished published) {
    String message =
        "%s routes to %s, which is not the published primary: it is reset to %s; to keep a manual change, set PAUSED=true"
            .formatted(
                cluster.readWrite(),
                published.readWrite().stream().sorted().collect(Collectors.joining(", ")),
                verdict.repair());
    event(Kind.WRITTEN, Severity.WARN, cluster.readWrite(), message, "repair", message);
  }

  /** Reports that nothing is written because of {@code by}. */
  public void reportPause(String by) {
    String headline = "paused by " + by;
    String message = headline + ": nothing is written";
    tracker.add(found(Kind.PAUSED, "", headline, message, Stage.READ), Severity.WARN, by, by);
  }

  /** Reports that an object of a Service was written. */
  public void reportWrite(String service, String summary) {
    event(Kind.WRITTEN, Severity.INFO, service, summary, "written " + service, summary);
  }

  /** Records that both Services were compared, and written where they differed. */
  public void recordPublication() {
    reached = Stage.PUBLISHED;
  }

  /** Reports that an operation on one object failed, or that the API did not respond. */
  public void reportPublishFailure(FailureMessage failure) {
    fail(Kind.PUBLISH_FAILED, failure);
  }

  /**
   * Reports that the clients of a Service see other addresses than those written.
   *
   * @param isError whether it is the read-write Service
   * @param failure with the causes as details; a changed cause causes an alert
   */
  public void reportMismatch(String service, boolean isError, FailureMessage failure) {
    Severity severity = isError ? Severity.ERROR : Severity.WARN;
    String causes = failure.details();
    add(Kind.MISMATCH, severity, service, failure.headline(), causes, failure.text());
  }

  /** Keeps a reported mismatch open: whether it lasts is not known yet. */
  public void keepMismatch(String service, boolean isError) {
    tracker.keep(Kind.MISMATCH, service, isError ? Severity.ERROR : Severity.WARN);
  }

  private void add(
      Kind kind,
      Severity severity,
      String subject,
      String headline,
      String detail,
      String message) {
    tracker.add(found(kind, subject, headline, message, Stage.ASKED), severity, detail, detail);
  }

  private OpenCondition found(
      Kind kind, String subject, String headline, String message, Stage provenBy) {
    Instant now = tracker.now();
    return new OpenCondition(kind, subject, headline, message, provenBy, now, now);
  }

  public void reportNoNodes(String message) {
    fail(Kind.NO_NODES, new FailureMessage(message, ""));
  }

  /** Reports an error of the program itself. */
  public void reportCycleFailure(Throwable failure) {
    fail(Kind.CYCLE_FAILED, FailureText.ofCycle(failure));
  }

  /** Adds a condition of the current stage, which ends when a cycle gets past that stage. */
  private void fail(Kind kind, FailureMessage failure) {
    Stage next = Stage.values()[Math.min(reached.ordinal() + 1, Stage.PUBLISHED.ordinal())];
    String what = failure.identity();
    tracker.add(
        found(kind, "", failure.headline(), failure.text(), next), Severity.ERROR, what, what);
  }

  /** Reports that a check is off, or a setting is probably a mistake, once per process. */
  public void reportDegradation(String message) {
    degrade(message, message);
  }

  private void degrade(String message, String what) {
    degradationsNow.add(what);
    if (degradations.add(what)) {
      event(Kind.DEGRADED, Severity.WARN, "", message, null, what);
    }
  }

  private void event(
      Kind kind, Severity severity, String subject, String message, String topic, String change) {
    Instant now = tracker.now();
    tracker.drafts().add(AlertDraft.event(kind, severity, subject, message, now, topic, change));
  }

  /**
   * Ends the cycle.
   *
   * @return its alerts, in the order in which things happened
   */
  public List<Alert> endCycle() {
    Instant now = tracker.now();
    List<AlertDraft> drafts = flapping.filter(tracker.endCycle(reached), now);
    List<Alert.Node> found =
        asked == null || drafts.isEmpty()
            ? List.of()
            : List.copyOf(asked.nodes().stream().map(Alert.Node::of).toList());
    List<Alert> alerts = drafts.stream().map(draft -> alert(draft, found, now)).toList();
    repeated = List.copyOf(tracker.repeated());
    reported = alerts;
    tracker.beginCycle();
    before = after == null ? before : after;
    after = null;
    asked = null;
    reached = Stage.BEGUN;
    return alerts;
  }

  private Alert alert(AlertDraft draft, List<Alert.Node> found, Instant now) {
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
        found,
        draft.since(),
        now);
  }

  /**
   * Returns what the last cycle found but its alerts leave out: it was reported before.
   *
   * @return null if its alerts report all of it
   */
  public RepeatedFinding repeated() {
    return RepeatedFinding.join(repeated, reported);
  }

  /** One sentence for each condition that the last cycle left open. */
  public List<String> openMessages() {
    return tracker.open().values().stream()
        .map(condition -> ForeignText.clean(condition.message(), MAX_MESSAGE))
        .toList();
  }

  /** Forgets what was reported: another process has reported since, and this one starts over. */
  public void forget() {
    lastSignature = "";
    before = null;
    nodes.restore(ConditionsSnapshot.empty());
    tracker.forget();
    flapping.forget();
  }

  /** Returns what another process needs to continue from here. */
  public ConditionsSnapshot snapshot() {
    return nodes.snapshot(lastSignature, before, tracker.open(), degradationsNow);
  }

  /** Continues where another process ended. Called before this one verifies. */
  public void restore(ConditionsSnapshot snapshot) {
    lastSignature = snapshot.signature();
    before = snapshot.verified();
    nodes.restore(snapshot);
    tracker.restore(snapshot.lasting());
    degradations.addAll(snapshot.degradations());
    tracker
        .drafts()
        .removeIf(
            draft ->
                draft.kind() == Kind.DEGRADED && snapshot.degradations().contains(draft.change()));
  }
}
