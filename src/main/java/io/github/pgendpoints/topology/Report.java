package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * Something that a cycle found and people have to know.
 *
 * @param topic what it is about
 * @param subject the node; empty for the whole cluster
 * @param headline what it is, in a few words
 * @param details who, where and why; and what ends it
 */
public record Report(Topic topic, String subject, String headline, String details) {
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
    LINE_UNPROVEN(false);

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

  /** One line for people. */
  public String message() {
    return headline + ": " + details;
  }

  /** The same with what became of the Services. */
  public String message(String outcome) {
    return headline + ", " + outcome + ": " + details;
  }
}
