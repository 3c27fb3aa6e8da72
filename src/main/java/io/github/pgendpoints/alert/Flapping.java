package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Keeps what begins and ends over and over from flooding those who are told. A topic that changes
 * more than {@link #CALM} times within {@link #QUIET} flaps: that is told once, then each
 * ALERT_REPEAT with the number of changes, and once when it has not changed for {@link #QUIET}. A
 * change of a sort that the topic has not shown before is told at once, also while it flaps.
 *
 * <p>For Alertmanager and its like a condition that flaps is one that lasts. Knows no clock. Used
 * by one cycle at a time.
 */
final class Flapping {
  /** So long without a change, and it flaps no more. */
  static final Duration QUIET = Duration.ofMinutes(10);

  /** So many changes within that time are told one by one: three times there and back. */
  static final int CALM = 6;

  /** More sorts of changes than this are not new: a server may invent one for each probe. */
  private static final int MAX_SORTS = 20;

  private record Change(Instant at, String sort) {}

  private static final class Topic {
    private final Deque<Change> told = new ArrayDeque<>();
    private final Set<String> sorts = new HashSet<>();
    private Severity severity = Severity.INFO;
    private Kind firing;
    private Draft last;
    private Instant lastAt;
    private Instant since;
    private Instant saidAt;
    private long changes;

    private boolean flaps() {
      return since != null;
    }
  }

  private final Duration repeat;
  private final Map<String, Topic> topics = new HashMap<>();

  /**
   * @param repeat ALERT_REPEAT
   */
  Flapping(Duration repeat) {
    this.repeat = repeat;
  }

  /** Begins anew. */
  void forget() {
    topics.clear();
  }

  /**
   * Counts what a cycle has to report.
   *
   * @param drafts in their order
   * @return what is to be reported of it, and what is due by now
   */
  List<Draft> filter(List<Draft> drafts, Instant now) {
    List<Draft> told = new ArrayList<>();
    for (Draft draft : drafts) {
      Draft passed = passed(draft, now);
      if (passed != null) {
        told.add(passed);
      }
    }
    topics
        .values()
        .forEach(
            topic -> {
              if (topic.flaps() && !now.isBefore(topic.lastAt.plus(QUIET))) {
                told.add(quiet(topic));
              }
            });
    topics.values().removeIf(topic -> !now.isBefore(topic.lastAt.plus(QUIET)));
    return told;
  }

  private Draft passed(Draft draft, Instant now) {
    if (draft.topic() == null) {
      return draft;
    }
    if (draft.change() == null) {
      Topic topic = topics.get(draft.topic());
      return topic != null && topic.flaps() ? null : draft;
    }
    Topic topic = topics.computeIfAbsent(draft.topic(), name -> new Topic());
    topic.last = draft;
    topic.lastAt = now;
    if (draft.severity().compareTo(topic.severity) > 0) {
      topic.severity = draft.severity();
    }
    return topic.flaps() ? whileFlapping(topic, draft, now) : whileCalm(topic, draft, now);
  }

  private Draft whileCalm(Topic topic, Draft draft, Instant now) {
    topic.told.removeIf(change -> !now.isBefore(change.at().plus(QUIET)));
    if (topic.told.size() < CALM) {
      topic.told.add(new Change(now, draft.change()));
      return noted(topic, draft);
    }
    topic.since = topic.told.getFirst().at();
    topic.changes = topic.told.size() + 1L;
    topic.told.forEach(change -> topic.sorts.add(change.sort()));
    topic.sorts.add(draft.change());
    return again(topic, draft, now);
  }

  private Draft whileFlapping(Topic topic, Draft draft, Instant now) {
    topic.changes++;
    boolean news = topic.sorts.size() < MAX_SORTS && topic.sorts.add(draft.change());
    return news || !now.isBefore(topic.saidAt.plus(repeat)) ? again(topic, draft, now) : null;
  }

  /** The draft as one of a condition that lasts, with the number of changes. */
  private Draft again(Topic topic, Draft draft, Instant now) {
    topic.saidAt = now;
    String message =
        "%s; flapping: %d changes since %s"
            .formatted(draft.message(), topic.changes, topic.since.truncatedTo(ChronoUnit.SECONDS));
    boolean over = draft.phase() == Phase.OVER;
    Kind kind = over && topic.firing != null ? topic.firing : draft.kind();
    Phase phase =
        topic.firing != null && draft.phase() != Phase.HAPPENED
            ? Phase.LASTS
            : draft.phase() == Phase.BEGAN || draft.phase() == Phase.LASTS
                ? Phase.BEGAN
                : Phase.HAPPENED;
    Kind ends = kind == topic.firing ? null : topic.firing;
    return noted(
        topic,
        new Draft(
            kind,
            topic.severity,
            phase,
            ends,
            draft.subject(),
            message,
            topic.since,
            draft.topic(),
            draft.change()));
  }

  /** The end of it: as its last change left it. */
  private Draft quiet(Topic topic) {
    Draft last = topic.last;
    boolean over = last.phase() == Phase.OVER;
    boolean lasts = last.phase() == Phase.BEGAN || last.phase() == Phase.LASTS;
    String message =
        "%s; quiet for %d minutes after %d changes since %s"
            .formatted(
                last.message(),
                QUIET.toMinutes(),
                topic.changes,
                topic.since.truncatedTo(ChronoUnit.SECONDS));
    return new Draft(
        last.kind(),
        last.severity(),
        lasts ? Phase.LASTS : over && topic.firing != null ? Phase.OVER : Phase.HAPPENED,
        last.kind() == topic.firing ? null : topic.firing,
        last.subject(),
        message,
        topic.since,
        last.topic(),
        last.change());
  }

  /** Remembers which condition those who were told take for lasting. */
  private static Draft noted(Topic topic, Draft draft) {
    switch (draft.phase()) {
      case BEGAN, LASTS -> topic.firing = draft.kind();
      case OVER -> topic.firing = null;
      default -> {
        // It tells of no condition.
      }
    }
    return draft;
  }
}
