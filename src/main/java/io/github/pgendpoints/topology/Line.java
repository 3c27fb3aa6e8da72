package io.github.pgendpoints.topology;

import java.math.BigInteger;
import java.util.regex.Pattern;

/**
 * The line of WAL that a primary writes. PostgreSQL has no unique ID for a timeline: two standbys
 * that are promoted independently use the same number. The LSN at which the timeline begins
 * distinguishes most of them.
 *
 * @param systemIdentifier of the cluster; null when the server does not report it
 * @param timeline the timeline number, from 1
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

  /** Whether the text is a system identifier as a server reports it. */
  public static boolean isSystemIdentifier(String text) {
    return isNumber(text, MAX_SYSTEM_IDENTIFIER);
  }

  /** Whether the text is a number from 1 to {@code max}, without leading zeros. */
  public static boolean isNumber(String text, BigInteger max) {
    return NUMBER.matcher(text).matches() && new BigInteger(text).compareTo(max) <= 0;
  }

  Line withoutBegin() {
    return new Line(systemIdentifier, timeline, null);
  }

  /** Whether this line begins elsewhere than at {@code other}; false if either is not known. */
  boolean beginsElsewhereThan(Lsn other) {
    return differ(begin, other);
  }

  /** Whether both values are known and differ. */
  static boolean differ(Object one, Object other) {
    return one != null && other != null && !one.equals(other);
  }

  /** Returns text such as {@code timeline 2 from 0/5000060}. */
  @Override
  public String toString() {
    return "timeline " + timeline + (begin == null ? "" : " from " + begin);
  }
}
