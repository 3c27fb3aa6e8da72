package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import java.time.Instant;

/**
 * An alert but for what the end of the cycle adds.
 *
 * @param topic what may change over and over: a node, a Service, a condition; null for what is told
 *     however often it happens
 * @param change which change of the topic it is, such as the new state of a node; null when nothing
 *     has changed, and the draft only says again what lasts
 */
record Draft(
    Kind kind,
    Severity severity,
    Phase phase,
    Kind ends,
    String subject,
    String message,
    Instant since,
    String topic,
    String change) {
  /** A condition that begins or lasts. */
  static Draft of(OpenCondition open, Severity severity, Phase phase, String topic, String change) {
    return new Draft(
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
}
