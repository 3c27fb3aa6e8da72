package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Conditions.Stage;
import java.time.Instant;

/**
 * A condition that was told of, and is not over.
 *
 * @param subject the node it is about; empty when it is about the whole cluster
 * @param provenBy what a cycle must have come to, to prove that it is over by not finding it
 * @param since when it began
 * @param said when it was last told of
 */
record Told(
    Kind kind, String subject, String message, Stage provenBy, Instant since, Instant said) {
  Told again(String newMessage, Instant now) {
    return new Told(kind, subject, newMessage, provenBy, since, now);
  }
}
