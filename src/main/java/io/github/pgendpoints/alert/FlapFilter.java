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
 * Keeps a topic that changes over and over from flooding the sinks. A topic that changes more than
 * {@link #CALM} times within {@link #QUIET} flaps. This is reported once, then every ALERT_REPEAT
 * with the number of changes, and once when the topic has not changed for {@link #QUIET}. A change
 * of a category that is new to the topic is reported at once, even while it flaps.
 *
 * <p>For sinks such as Alertmanager, a condition that flaps is one that lasts. This class reads no
 * clock. Used by one cycle at a time.
 */
final class FlapFilter {
  /** A topic that has not changed for this long no longer flaps. */
  static final Duration QUIET = Duration.ofMinutes(10);

  /** This many changes within {@link #QUIET} are reported one by one: three back and forth. */
  static final int CALM = 6;

  /**
   * The limit of categories that can be new: a server may cause a different one with each probe.
   */
  private static final int MAX_CATEGORIES = 20;

  private record Change(Instant at, String category) {}

  private static final class Topic {
    private final Deque<Change> recent = new ArrayDeque<>();
    private final Set<String> categories = new HashSet<>();
    private Severity severity = Severity.INFO;
    private Kind firing;
    private AlertDraft last;
    private Instant lastAt;
    private Instant since;
    private Instant reportedAt;
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
  FlapFilter(Duration repeat) {
    this.repeat = repeat;
  }

  /** Forgets all topics. */
  void forget() {
    topics.clear();
  }

  /**
   * Filters the drafts of a cycle.
   *
   * @param drafts in the order in which they are to be reported
   * @return the drafts to report, and the ends of flapping that are due
   */
  List<AlertDraft> filter(List<AlertDraft> drafts, Instant now) {
    List<AlertDraft> reported = new ArrayList<>();
    for (AlertDraft draft : drafts) {
      AlertDraft passed = passed(draft, now);
      if (passed != null) {
        reported.add(passed);
      }
    }
    List<Topic> over =
        topics.values().stream().filter(topic -> !now.isBefore(topic.lastAt.plus(QUIET))).toList();
    over.stream().filter(Topic::flaps).map(FlapFilter::quiet).forEach(reported::add);
    topics.values().removeAll(over);
    return reported;
  }

  private AlertDraft passed(AlertDraft draft, Instant now) {
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

  private AlertDraft whileCalm(Topic topic, AlertDraft draft, Instant now) {
    topic.recent.removeIf(change -> !now.isBefore(change.at().plus(QUIET)));
    if (topic.recent.size() < CALM) {
      topic.recent.add(new Change(now, draft.change()));
      return noted(topic, draft);
    }
    topic.since = topic.recent.getFirst().at();
    topic.changes = topic.recent.size() + 1L;
    topic.recent.forEach(change -> topic.categories.add(change.category()));
    topic.categories.add(draft.change());
    return again(topic, draft, now);
  }

  private AlertDraft whileFlapping(Topic topic, AlertDraft draft, Instant now) {
    topic.changes++;
    boolean isNew =
        topic.categories.size() < MAX_CATEGORIES && topic.categories.add(draft.change());
    return isNew || !now.isBefore(topic.reportedAt.plus(repeat)) ? again(topic, draft, now) : null;
  }

  /** Returns the draft as that of a condition that lasts, with the number of changes. */
  private AlertDraft again(Topic topic, AlertDraft draft, Instant now) {
    topic.reportedAt = now;
    // The message of this kind begins with "over:", but the condition is likely to begin again.
    String currently = draft.kind() == Kind.RECOVERED ? "currently " : "";
    String message =
        "%s%s; flapping: %d changes since %s"
            .formatted(
                currently,
                draft.message(),
                topic.changes,
                topic.since.truncatedTo(ChronoUnit.SECONDS));
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
        new AlertDraft(
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

  /** Returns the end of flapping, with the result of the last change. */
  private static AlertDraft quiet(Topic topic) {
    AlertDraft last = topic.last;
    boolean over = last.phase() == Phase.OVER;
    boolean lasts = last.phase() == Phase.BEGAN || last.phase() == Phase.LASTS;
    String message =
        "%s; quiet for %d minutes after %d changes since %s"
            .formatted(
                last.message(),
                QUIET.toMinutes(),
                topic.changes,
                topic.since.truncatedTo(ChronoUnit.SECONDS));
    return new AlertDraft(
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

  /** Records the condition that is firing for the sinks. */
  private static AlertDraft noted(Topic topic, AlertDraft draft) {
    switch (draft.phase()) {
      case BEGAN, LASTS -> topic.firing = draft.kind();
      case OVER -> topic.firing = null;
      case HAPPENED -> {}
    }
    return draft;
  }
}
