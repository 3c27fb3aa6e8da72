package io.github.pgendpoints.topology;

import java.util.Locale;

/** The rules of verification, in their order: the first that matches decides. */
public enum Rule {
  /** A value in the objects or in STATE cannot be read. */
  UNREADABLE,
  /** Nothing is published, and no strict majority agrees on a system identifier. */
  NO_MAJORITY,
  /** Two servers or more could be the primary. */
  SPLIT_BRAIN,
  /** No server could be the primary. */
  NO_PRIMARY,
  /** One server could be, but a rival of an earlier split brain is not accounted for. */
  SPLIT_BRAIN_LASTS,
  /** Fewer servers than MIN_REACHABLE_NODES were verified. */
  QUORUM,
  /** No listed node was ever published, and too few servers answer, or a standby is ahead. */
  FIRST_RUN,
  /** The primary is a twin of the published one. */
  PROMOTED_APART,
  /** Nothing proves that the primary continues the published line. */
  UNPROVEN,
  /** A standby follows a line that continues the primary's: the primary was left behind. */
  NEWER_LINE,
  /** The primary belongs behind the read-write Service. */
  VERIFIED,
  /** A rule that a route adds refuses; {@link Verdict#refuse} gives it a name. */
  OWN;

  /** Returns the name that routes, log and docs use, such as {@code split-brain}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
