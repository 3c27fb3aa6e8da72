package io.github.pgendpoints.topology;

import java.util.List;
import java.util.Objects;

/**
 * A value that a server did not tell.
 *
 * @param reason why: {@link #NOT_GRANTED}, or the words of the server
 * @param needs the rights that the value requires, as in a GRANT; empty if any role may read it
 */
public record Unread(String reason, List<String> needs) {
  /** The reason where our role lacks a right. */
  public static final String NOT_GRANTED = "not granted";

  public Unread {
    Objects.requireNonNull(reason, "reason");
    needs = List.copyOf(needs);
  }
}
