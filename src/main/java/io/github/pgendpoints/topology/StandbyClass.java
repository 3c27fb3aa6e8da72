package io.github.pgendpoints.topology;

import java.util.Locale;

/** Where a standby is on the history of the published primary. */
public enum StandbyClass {
  /** It has replayed nothing that the primary does not have. */
  ON_LINE,
  /** It is beyond the primary, on the same timeline. */
  AHEAD,
  /** It seems beyond a primary that did not confirm its position. */
  UNPLACED,
  /** It is on another branch. */
  OFF_LINE,
  /** Its timeline or the primary's history is not known. */
  UNDETERMINED;

  /** Returns the name that log and docs use, such as {@code off-line}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
