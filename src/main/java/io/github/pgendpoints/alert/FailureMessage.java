package io.github.pgendpoints.alert;

import java.util.Objects;

/**
 * The message of a failure.
 *
 * @param headline what failed; the same each time that it fails
 * @param object identifies the object or the place if the headline does not name it; not in the
 *     message, and empty if the headline is enough
 * @param details why, and what ends it; may differ each time; empty if the headline says it all
 */
public record FailureMessage(String headline, String object, String details) {
  public FailureMessage {
    Objects.requireNonNull(headline, "headline");
    Objects.requireNonNull(object, "object");
    Objects.requireNonNull(details, "details");
  }

  /** Creates a message whose headline names the object. */
  public FailureMessage(String headline, String details) {
    this(headline, "", details);
  }

  /** Identifies the failure, however its details differ. */
  String identity() {
    return headline + " " + object;
  }

  /** Returns the failure as one line. */
  public String text() {
    return details.isEmpty() ? headline : headline + ": " + details;
  }
}
