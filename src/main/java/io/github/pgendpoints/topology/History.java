package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * How a primary came to its timeline: where each timeline before it ended. Tells where two
 * primaries parted.
 *
 * @param primary whose history it is
 * @param segments the timelines in order, the primary's own last; empty when it may not be read
 */
public record History(NodeState primary, List<Segment> segments) {
  private static final Pattern LINE =
      Pattern.compile("(?m)^\\s*(\\d{1,10})\\s+([0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8})\\b");

  /**
   * A stretch of WAL.
   *
   * @param timeline its number
   * @param end where the next timeline begins; null for the one being written
   */
  public record Segment(long timeline, Lsn end) {}

  public History {
    segments = List.copyOf(segments);
  }

  /**
   * Reads a timeline's history file.
   *
   * @param file a line an ancestor: its number, where it ended, and why; null on timeline 1, which
   *     has no file
   */
  public static History of(NodeState primary, String file) {
    if (primary.server().timeline() == null) {
      return unknown(primary);
    }
    List<Segment> segments = new ArrayList<>();
    for (MatchResult line : LINE.matcher(file == null ? "" : file).results().toList()) {
      segments.add(new Segment(Long.parseLong(line.group(1)), Lsn.of(line.group(2))));
    }
    segments.add(new Segment(primary.server().timeline(), null));
    return new History(primary, segments);
  }

  /** The history of a primary that does not let us read it. */
  public static History unknown(NodeState primary) {
    return new History(primary, List.of());
  }

  /**
   * Where this history and another went apart.
   *
   * @return the last timeline they shared, up to the end of the shared part; null when that cannot
   *     be told
   */
  public Segment partedFrom(History other) {
    Segment shared = null;
    for (int i = 0; i < Math.min(segments.size(), other.segments.size()); i++) {
      Segment ours = segments.get(i);
      Segment theirs = other.segments.get(i);
      if (ours.timeline() != theirs.timeline() || ours.end() == null && theirs.end() == null) {
        // Two standbys promoted apart give their timelines the same number.
        return shared;
      }
      if (!ours.equals(theirs)) {
        boolean oursIsShorter =
            theirs.end() == null || ours.end() != null && ours.end().compareTo(theirs.end()) < 0;
        return oursIsShorter ? ours : theirs;
      }
      shared = ours;
    }
    return shared;
  }
}
