package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * A finding of a cycle that operators must know.
 *
 * @param subject the node; empty for the whole cluster
 * @param headline what it is, in a few words
 * @param details which node, where and why; and what ends it
 * @param pending whether it may pass by itself: a pending finding keeps an earlier report alive and
 *     begins none
 */
public record Report(
    Topic topic, String subject, String headline, String details, boolean pending) {
  /** The kind of finding. */
  public enum Topic {
    /** A rule refuses. */
    REFUSED(true),
    /** A primary that the published line left behind accepts writes. */
    DEAD_BRANCH(true),
    /** A node claims to be the published primary under an entry that never belonged to it. */
    UNKNOWN_ALIAS(true),
    /** A standby is ahead of the primary. */
    STANDBY_AHEAD(true),
    /** A standby follows a line that continues the published primary's. */
    NEWER_LINE(true),
    /** The new primary lacks WAL that a standby has. */
    LEFT_BEHIND(false),
    /** The published primary has no free connection for this program. */
    FULL(false),
    /** Our role can no longer read the history of the published line. */
    LINE_UNPROVEN(false),
    /** Sessions at the primary cannot write unless they turn a setting off. */
    READ_ONLY_PRIMARY(false),
    /** A standby that serves reads has had no WAL receiver for minutes. */
    NO_RECEIVER(false),
    /** The lag of a standby has only grown for minutes. */
    LAG_GROWS(false),
    /** A node that serves reads has been UNKNOWN for minutes. */
    UNVERIFIED(false);

    private final boolean error;

    Topic(boolean error) {
      this.error = error;
    }

    /** Whether the cycle ends with exit code 1 because of it, even if the cycle is verified. */
    public boolean isError() {
      return error;
    }
  }

  public Report {
    Objects.requireNonNull(subject, "subject");
    Objects.requireNonNull(headline, "headline");
    Objects.requireNonNull(details, "details");
  }

  /** Creates a finding that is not pending. */
  public Report(Topic topic, String subject, String headline, String details) {
    this(topic, subject, headline, details, false);
  }

  /** Returns a finding that has not lasted long enough to be reported. */
  static Report pending(Topic topic, String subject) {
    return new Report(topic, subject, "pending", topic.name(), true);
  }

  /** Returns the finding as one line. */
  public String message() {
    return headline + ": " + details;
  }

  /** Returns the finding as one line, with the effect on the Services. */
  public String message(String outcome) {
    return headline + ", " + outcome + ": " + details;
  }
}
