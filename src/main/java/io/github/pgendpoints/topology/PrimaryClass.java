package io.github.pgendpoints.topology;

import java.util.Locale;

/** What a primary of our cluster is to the published line. docs/rules.md has the table. */
public enum PrimaryClass {
  /** No line is published. */
  FIRST,
  /** It does not tell its timeline, and is the published server, or may not tell our role. */
  UNTOLD,
  /** It is the published server, on the published line. */
  PUBLISHED,
  /** The published server has become its standby. */
  GIVEN_IN,
  /** It is the published server at a new address, as its standbys show. */
  MOVED,
  /** It is another server on what looks like the published line. */
  TWIN,
  /** It is proven to be off the published line. */
  DEAD_BRANCH,
  /** Its history continues the published line. */
  SUCCESSOR,
  /** Nothing proves what it is to the published line: what would, it does not tell. */
  UNPROVEN;

  /** Whether it counts when primaries are counted. */
  boolean isCandidate() {
    return this != DEAD_BRANCH;
  }

  /** As log and docs write it, such as {@code dead-branch}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
