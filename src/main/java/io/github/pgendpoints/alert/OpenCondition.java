package io.github.pgendpoints.alert;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Conditions.Stage;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;

/**
 * A condition that was reported, and is not over. STATE stores it in this form.
 *
 * @param subject the node it is about; empty if it is about the whole cluster
 * @param headline what it is, in a few words, for the alert that reports its end
 * @param message one sentence for people
 * @param provenBy the stage from which a cycle that does not find the condition ends it
 */
public record OpenCondition(
    Kind kind,
    String subject,
    String headline,
    String message,
    Stage provenBy,
    Instant since,
    @JsonProperty("said") Instant reportedAt) {
  /** Later than any real time. Adding a duration to a much later instant may overflow. */
  private static final Instant NEVER = Instant.parse("9999-01-01T00:00:00Z");

  public OpenCondition {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(subject, "subject");
    // An earlier version stores none.
    headline = Objects.requireNonNullElse(headline, kind.toString());
    Objects.requireNonNull(message, "message");
    Objects.requireNonNull(provenBy, "provenBy");
    Objects.requireNonNull(since, "since");
    if (reportedAt.isAfter(NEVER)) {
      throw new IllegalArgumentException("reported at " + reportedAt);
    }
  }

  /** Identifies a condition even if its details change. */
  record Id(Kind kind, String subject) {
    @Override
    public String toString() {
      return kind + " " + subject;
    }
  }

  Id id() {
    return new Id(kind, subject);
  }

  /** The message of the alert that reports its end. */
  String overMessage() {
    return "over: " + (headline.contains(subject) ? headline : headline + ": " + subject);
  }

  /** The suffix of a message that reports the condition again: when it began. */
  String sinceWhen() {
    return "; since " + since.truncatedTo(ChronoUnit.SECONDS);
  }

  /** Returns this condition, reported once more. */
  OpenCondition reported(String newMessage, Instant begin, Instant now) {
    return new OpenCondition(kind, subject, headline, newMessage, provenBy, begin, now);
  }
}
