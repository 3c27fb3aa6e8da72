package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.alert.Conditions.Stage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tracks the conditions that each cycle finds again. A condition is reported when it begins, when
 * its details change, every ALERT_REPEAT while it lasts, and when it ends.
 */
final class ConditionTracker {
  private record Finding(OpenCondition condition, Severity severity, String category) {}

  private final Duration repeat;
  private final Clock clock;
  private final List<AlertDraft> drafts = new ArrayList<>();
  private final List<RepeatedFinding> repeated = new ArrayList<>();
  private final Map<String, Finding> found = new LinkedHashMap<>();
  private Map<String, OpenCondition> open = Map.of();

  /**
   * @param repeat ALERT_REPEAT
   */
  ConditionTracker(Duration repeat, Clock clock) {
    this.repeat = repeat;
    this.clock = clock;
  }

  Duration repeatsAfter() {
    return repeat;
  }

  Clock clock() {
    return clock;
  }

  Instant now() {
    return clock.instant();
  }

  /** The drafts of the cycle so far, in the order in which things happened. */
  List<AlertDraft> drafts() {
    return drafts;
  }

  /** Clears the list of what a cycle finds again before ALERT_REPEAT has passed. */
  void beginCycle() {
    repeated.clear();
  }

  /** What the cycle found again but does not report, in the order in which it was found. */
  List<RepeatedFinding> repeated() {
    return repeated;
  }

  /** Adds a finding of this cycle that no alert reports. */
  void repeat(Severity severity, String finding, String sinceWhen) {
    repeated.add(new RepeatedFinding(severity, finding, sinceWhen));
  }

  /** The open conditions, by their keys in STATE. */
  Map<String, OpenCondition> open() {
    return open;
  }

  /** Continues with the conditions that another process left open, and those found since. */
  void restore(Map<String, OpenCondition> stored) {
    Map<String, OpenCondition> all = new LinkedHashMap<>(open);
    all.putAll(stored);
    open = all;
  }

  /** Forgets the open conditions. */
  void forget() {
    open = Map.of();
  }

  /**
   * Adds a condition that the cycle found.
   *
   * @param detail excludes what varies from cycle to cycle, since a new detail causes an alert
   * @param category the part of the detail that makes a change new while the condition flaps
   */
  void add(OpenCondition condition, Severity severity, String detail, String category) {
    found.putIfAbsent(condition.id() + " " + detail, new Finding(condition, severity, category));
  }

  /** Keeps a condition open if it is: the cycle shows neither that it lasts nor that it ended. */
  void keep(Kind kind, String subject, Severity severity) {
    OpenCondition.Id id = new OpenCondition.Id(kind, subject);
    open.forEach(
        (key, condition) -> {
          if (condition.id().equals(id)) {
            found.putIfAbsent(key, new Finding(condition, severity, null));
          }
        });
  }

  /**
   * Ends the cycle.
   *
   * @param reached how far it got
   * @return the drafts to report
   */
  List<AlertDraft> endCycle(Stage reached) {
    Map<String, OpenCondition> next = new LinkedHashMap<>();
    found.forEach((key, finding) -> next.put(key, report(finding, open.get(key))));
    Map<OpenCondition.Id, OpenCondition> ended = new LinkedHashMap<>();
    open.forEach(
        (key, condition) -> {
          if (found.values().stream()
              .anyMatch(each -> each.condition().id().equals(condition.id()))) {
            return;
          }
          if (reached.compareTo(condition.provenBy()) >= 0) {
            ended.put(condition.id(), condition);
          } else {
            next.put(key, condition);
          }
        });
    ended.values().stream()
        .filter(condition -> !condition.kind().isOfOneMoment())
        .forEach(condition -> end(condition, condition.id().toString()));
    List<AlertDraft> all = List.copyOf(drafts);
    open = next;
    found.clear();
    drafts.clear();
    return all;
  }

  private OpenCondition report(Finding finding, OpenCondition same) {
    OpenCondition condition = finding.condition();
    boolean ofOneMoment = condition.kind().isOfOneMoment();
    String topic = condition.id().toString();
    if (same != null) {
      if (!ofOneMoment) {
        return repeat(same, finding.severity(), condition.message(), topic);
      }
      repeat(finding.severity(), condition.message(), same.sinceWhen());
      return same;
    }
    Instant earlier =
        open.values().stream()
            .filter(each -> each.id().equals(condition.id()))
            .map(OpenCondition::since)
            .findFirst()
            .orElse(null);
    Phase phase = ofOneMoment ? Phase.HAPPENED : earlier == null ? Phase.BEGAN : Phase.LASTS;
    OpenCondition begun =
        earlier == null ? condition : condition.reported(condition.message(), earlier, now());
    drafts.add(AlertDraft.of(begun, finding.severity(), phase, topic, finding.category()));
    return begun;
  }

  /**
   * Reports a condition again if ALERT_REPEAT has passed.
   *
   * @return the condition as it was last reported
   */
  OpenCondition repeat(OpenCondition last, Severity severity, String message, String topic) {
    if (now().isBefore(last.reportedAt().plus(repeat))) {
      repeat(severity, message, last.sinceWhen());
      return last;
    }
    OpenCondition again = last.reported(message + last.sinceWhen(), last.since(), now());
    drafts.add(AlertDraft.of(again, severity, Phase.LASTS, topic, null));
    return last.reported(message, last.since(), now());
  }

  /** Reports the end of a condition that no other kind of alert shows. */
  void end(OpenCondition ended, String topic) {
    drafts.add(
        new AlertDraft(
            Kind.RECOVERED,
            Severity.INFO,
            Phase.OVER,
            ended.kind(),
            ended.subject(),
            ended.overMessage(),
            now(),
            topic,
            "over"));
  }
}
