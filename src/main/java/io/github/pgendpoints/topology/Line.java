package io.github.pgendpoints.topology;

import java.math.BigInteger;
import java.util.regex.Pattern;

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
  /** The highest number of a timeline. */
  public static final long MAX_TIMELINE = 0xFFFF_FFFFL;

  /** The highest system identifier. */
  public static final BigInteger MAX_SYSTEM_IDENTIFIER =
      BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

  private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,19}");

  /** Whether the text is a system identifier as a server tells it. */
  public static boolean isSystemIdentifier(String text) {
    return isNumber(text, MAX_SYSTEM_IDENTIFIER);
  }

  /** Whether the text is a number from 1, without zeros before it. */
  public static boolean isNumber(String text, BigInteger max) {
    return NUMBER.matcher(text).matches() && new BigInteger(text).compareTo(max) <= 0;
  }

  Line withoutBegin() {
    return new Line(systemIdentifier, timeline, null);
  }

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
