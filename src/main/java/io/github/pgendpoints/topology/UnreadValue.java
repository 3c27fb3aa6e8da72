package io.github.pgendpoints.topology;

import java.util.List;
import java.util.Objects;

/**
 * A value that a server did not report.
 *
 * @param reason the reason: {@link #NOT_GRANTED}, or the words of the server
 * @param needs the rights that the value requires, as in a GRANT; empty if any role may read it
 */
public record UnreadValue(String reason, List<String> needs) {
  /** The reason if our role lacks a right. */
  public static final String NOT_GRANTED = "not granted";

  public UnreadValue {
    Objects.requireNonNull(reason, "reason");
    needs = List.copyOf(needs);
  }
}
