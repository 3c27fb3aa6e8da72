package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * What a server said when it was asked for the history of its own timeline.
 *
 * @param history null unless it was read
 * @param reason why it was not read, for people; else empty
 */
public record HistoryAnswer(Outcome outcome, History history, String reason) {
  /** Why a history may be missing matters: only a right that is missing lets numbers decide. */
  public enum Outcome {
    READ,
    /** Our role may not read it on this server. */
    NOT_GRANTED,
    /** It may, but this time there was no answer that can be used. */
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
