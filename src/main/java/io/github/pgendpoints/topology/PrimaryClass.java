package io.github.pgendpoints.topology;

import java.util.Locale;

/** How a primary of our cluster relates to the published line. docs/rules.md has the table. */
public enum PrimaryClass {
  /** No line is published. */
  FIRST,
  /** Its timeline is not readable: the published server, or not granted and no begin is stored. */
  NO_TIMELINE,
  /** It is the published server, on the published line. */
  PUBLISHED,
  /** The published server has become its standby. */
  TAKEN_OVER,
  /** It is the published server at a new address, as its standbys show. */
  MOVED,
  /** It is another server on what looks like the published line. */
  TWIN,
  /** It is proven to be off the published line. */
  DEAD_BRANCH,
  /** Its history continues the published line. */
  SUCCESSOR,
  /** The server does not report what would prove its relation to the published line. */
  UNPROVEN;

  /** Whether a primary of this class is a candidate. */
  boolean isCandidate() {
    return this != DEAD_BRANCH;
  }

  /** Returns the name that log and docs use, such as {@code dead-branch}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
