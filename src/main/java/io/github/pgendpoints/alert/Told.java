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
public record Told(
    Kind kind, String subject, String message, Stage provenBy, Instant since, Instant said) {
  /** Beyond all years that people write: what is added to it may not be a time. */
  private static final Instant NEVER = Instant.parse("9999-01-01T00:00:00Z");

  public Told {
    if (said.isAfter(NEVER)) {
      throw new IllegalArgumentException("said at " + said);
    }
  }

  Told again(String newMessage, Instant now) {
    return new Told(kind, subject, newMessage, provenBy, since, now);
  }
}
