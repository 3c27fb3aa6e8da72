package io.github.pgendpoints.topology;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A position in the WAL, in bytes from its beginning; PostgreSQL's {@code pg_lsn}.
 *
 * @param bytes unsigned, though no server has written the half that would make it negative
 */
public record Lsn(long bytes) implements Comparable<Lsn> {
  /** Where timeline 1 begins. */
  public static final Lsn ZERO = new Lsn(0);

  private static final Pattern TEXT = Pattern.compile("([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})");

  /**
   * Reads PostgreSQL's spelling, {@code 16/B374D848}.
   *
   * @return null for null
   * @throws IllegalArgumentException when the text is no LSN
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

  /** PostgreSQL's spelling. */
  @Override
  public String toString() {
    return "%X/%X".formatted(bytes >>> 32, bytes & 0xFFFF_FFFFL);
  }
}
