package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import java.time.Instant;

/**
 * An alert without the fields that the end of the cycle adds.
 *
 * @param topic what may flap: a node, a Service, or a condition; null for what is reported each
 *     time that it happens
 * @param change identifies the change of the topic, such as the new state of a node; null if
 *     nothing has changed, and the draft only repeats a condition that lasts
 */
record AlertDraft(
    Kind kind,
    Severity severity,
    Phase phase,
    Kind ends,
    String subject,
    String message,
    Instant since,
    String topic,
    String change) {
  /** Returns the draft of a condition that begins or lasts. */
  static AlertDraft of(
      OpenCondition open, Severity severity, Phase phase, String topic, String change) {
    return new AlertDraft(
        open.kind(),
        severity,
        phase,
        null,
        open.subject(),
        open.message(),
        open.since(),
        topic,
        change);
  }

  /** Returns a draft of something that happened, and does not last. */
  static AlertDraft event(
      Kind kind,
      Severity severity,
      String subject,
      String message,
      Instant now,
      String topic,
      String change) {
    return new AlertDraft(
        kind, severity, Phase.HAPPENED, null, subject, message, now, topic, change);
  }
}
