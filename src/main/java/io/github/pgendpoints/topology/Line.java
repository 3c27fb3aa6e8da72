package io.github.pgendpoints.topology;

/**
 * The line of WAL that a primary writes. PostgreSQL has no identity for a timeline: two standbys
 * that are promoted apart give theirs the same number. The position at which it begins tells most
 * of them apart.
 *
 * @param systemIdentifier of the cluster; null when the server does not tell it
 * @param timeline its number, from 1
 * @param begin where the timeline begins, {@link Lsn#ZERO} for timeline 1; null when it is not
 *     known
 */
public record Line(String systemIdentifier, long timeline, Lsn begin) {

  /** Whether {@code other} is a begin of another line; false where either is not known. */
  boolean beginsElsewhereThan(Lsn other) {
    return differ(begin, other);
  }

  /** Whether both are known, and are not the same. */
  static boolean differ(Object one, Object other) {
    return one != null && other != null && !one.equals(other);
  }

  /** Such as {@code timeline 2 from 0/5000060}. */
  @Override
  public String toString() {
    return "timeline " + timeline + (begin == null ? "" : " from " + begin);
  }
}
