package io.github.pgendpoints.topology;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A position in the WAL, in bytes from its beginning; PostgreSQL's {@code pg_lsn}.
 *
 * @param bytes an unsigned number; no real server has written so much WAL that the long is negative
 */
public record Lsn(long bytes) implements Comparable<Lsn> {
  /** Where timeline 1 begins. */
  public static final Lsn ZERO = new Lsn(0);

  private static final Pattern TEXT = Pattern.compile("([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})");

  /**
   * Parses the notation of PostgreSQL, such as {@code 16/B374D848}.
   *
   * @return null for null
   * @throws IllegalArgumentException when the text is not an LSN
   */
  public static Lsn of(String text) {
    if (text == null) {
      return null;
    }
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("'" + text + "' is not an LSN");
    }
    return new Lsn(
        Long.parseLong(matcher.group(1), 16) << 32 | Long.parseLong(matcher.group(2), 16));
  }

  @Override
  public int compareTo(Lsn other) {
    return Long.compareUnsigned(bytes, other.bytes);
  }

  /** Returns the notation of PostgreSQL. */
  @Override
  public String toString() {
    return "%X/%X".formatted(bytes >>> 32, bytes & 0xFFFF_FFFFL);
  }
}
