package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * The result of reading the history of a server's own timeline.
 *
 * @param history the history; null unless it was read
 * @param reason why the history was not read, for operators; else empty
 */
public record HistoryAnswer(Outcome outcome, History history, String reason) {
  /** Whether the history was read, and if not, why: only a missing right lets numbers decide. */
  public enum Outcome {
    READ,
    /** Our role has no right to read it on this server. */
    NOT_GRANTED,
    /** Our role has the right, but this attempt returned no usable answer. */
    FAILED
  }

  public HistoryAnswer {
    Objects.requireNonNull(reason, "reason");
    if ((outcome == Outcome.READ) != (history != null)) {
      throw new IllegalArgumentException(outcome + " with history " + history);
    }
  }

  public static HistoryAnswer read(History history) {
    return new HistoryAnswer(Outcome.READ, history, "");
  }

  public static HistoryAnswer notGranted() {
    return new HistoryAnswer(Outcome.NOT_GRANTED, null, "not granted to our role");
  }

  public static HistoryAnswer failed(String reason) {
    return new HistoryAnswer(Outcome.FAILED, null, reason);
  }

  public boolean isRead() {
    return outcome == Outcome.READ;
  }

  public boolean isNotGranted() {
    return outcome == Outcome.NOT_GRANTED;
  }
}
