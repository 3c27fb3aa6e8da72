package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * Something that a cycle found and people have to know.
 *
 * @param subject the node; empty for the whole cluster
 * @param headline what it is, in a few words
 * @param details who, where and why; and what ends it
 * @param pending whether it may pass by itself: it keeps alive what was reported, and begins
 *     nothing
 */
public record Report(
    Topic topic, String subject, String headline, String details, boolean pending) {
  /** What there is to say. */
  public enum Topic {
    /** A rule refuses. */
    REFUSED(true),
    /** A primary was left behind by the published line, and takes writes. */
    DEAD_BRANCH(true),
    /** A node claims to be the published primary, under an entry that was never seen. */
    UNKNOWN_ALIAS(true),
    /** A standby is ahead of the primary. */
    STANDBY_AHEAD(true),
    /** A standby follows a line that continues the published primary's. */
    NEWER_LINE(true),
    /** The primary that takes over lacks WAL which a standby has. */
    LEFT_BEHIND(false),
    /** The published primary has no connection left for us. */
    FULL(false),
    /** The history of the published line is no longer told. */
    LINE_UNPROVEN(false),
    /** Sessions at the primary cannot write unless they turn a setting off. */
    READ_ONLY_PRIMARY(false),
    /** A standby that is read from has had no WAL receiver for minutes. */
    NO_RECEIVER(false),
    /** The lag of a standby has only grown for minutes. */
    LAG_GROWS(false),
    /** A node that is read from has been UNKNOWN for minutes. */
    UNVERIFIED(false);

    private final boolean error;

    Topic(boolean error) {
      this.error = error;
    }

    /** Whether the cycle ends with exit code 1 for it, though it may be verified. */
    public boolean isError() {
      return error;
    }
  }

  public Report {
    Objects.requireNonNull(subject, "subject");
    Objects.requireNonNull(headline, "headline");
    Objects.requireNonNull(details, "details");
  }

  /** A report that is to be made. */
  public Report(Topic topic, String subject, String headline, String details) {
    this(topic, subject, headline, details, false);
  }

  /** Something that has not lasted long enough to be reported. */
  static Report pending(Topic topic, String subject) {
    return new Report(topic, subject, "pending", topic.name(), true);
  }

  /** One line for people. */
  public String message() {
    return headline + ": " + details;
  }

  /** The same with what became of the Services. */
  public String message(String outcome) {
    return headline + ", " + outcome + ": " + details;
  }
}
