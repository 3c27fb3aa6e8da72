package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The history of a timeline: the timelines before it, and where each ended. PostgreSQL stores it in
 * the history file of the timeline ({@code 0000000F.history}); timeline 1 has none. The file of a
 * cluster that was restored without its older history files starts later than timeline 1.
 *
 * @param timeline the timeline that has this history
 * @param ancestors the timelines before it, the oldest first; empty for timeline 1
 */
public record History(long timeline, List<Ancestor> ancestors) {
  private static final Pattern LINE =
      Pattern.compile("\\s*(\\d{1,10})\\s+([0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8})(\\s.*)?");

  /**
   * A timeline before this one.
   *
   * @param timeline its number
   * @param end where the next timeline begins
   */
  public record Ancestor(long timeline, Lsn end) {
    public Ancestor {
      Objects.requireNonNull(end, "end");
    }
  }

  public History {
    ancestors = List.copyOf(ancestors);
  }

  /** The history of timeline 1. */
  public static History ofFirstTimeline() {
    return new History(1, List.of());
  }

  /**
   * Parses a history file.
   *
   * @param timeline the timeline of the file
   * @param file a line per ancestor: its number, where it ended, and why; null if there is no file
   * @throws IllegalArgumentException when it is no history of this timeline: absent above timeline
   *     1, cut off within a line, or out of order
   */
  public static History of(long timeline, String file) {
    List<Ancestor> ancestors = new ArrayList<>();
    for (String line : Objects.requireNonNullElse(file, "").split("\n")) {
      if (line.isBlank() || line.stripLeading().startsWith("#")) {
        continue;
      }
      Matcher matcher = LINE.matcher(line.stripTrailing());
      if (!matcher.matches()) {
        throw new IllegalArgumentException("it has a line that is not a history entry");
      }
      ancestors.add(new Ancestor(Long.parseLong(matcher.group(1)), Lsn.of(matcher.group(2))));
    }
    if (timeline > 1 && ancestors.isEmpty()) {
      throw new IllegalArgumentException("it names no earlier timeline");
    }
    long before = 0;
    Lsn end = Lsn.ZERO;
    for (Ancestor ancestor : ancestors) {
      if (ancestor.timeline() <= before
          || ancestor.timeline() >= timeline
          || ancestor.end().compareTo(end) < 0) {
        throw new IllegalArgumentException("it is out of order");
      }
      before = ancestor.timeline();
      end = ancestor.end();
    }
    return new History(timeline, ancestors);
  }

  /** Where this timeline begins. */
  public Lsn begin() {
    return ancestors.isEmpty() ? Lsn.ZERO : ancestors.get(ancestors.size() - 1).end();
  }

  /**
   * Where a timeline begins; null when the timeline is not part of this history, or is the oldest
   * of one that starts later than timeline 1.
   */
  public Lsn beginOf(long number) {
    Lsn begin = covers(1) ? Lsn.ZERO : null;
    for (Ancestor ancestor : ancestors) {
      if (ancestor.timeline() == number) {
        return begin;
      }
      begin = ancestor.end();
    }
    return number == timeline ? begin : null;
  }

  /** Where an ancestor ends; null when the timeline is not an ancestor. */
  public Lsn endOf(long number) {
    return ancestors.stream()
        .filter(ancestor -> ancestor.timeline() == number)
        .map(Ancestor::end)
        .findFirst()
        .orElse(null);
  }

  /** Whether this history reaches back to a timeline. If not, it says nothing about that one. */
  public boolean covers(long number) {
    return ancestors.isEmpty() || number >= ancestors.get(0).timeline();
  }

  /**
   * Whether this history continues a line: it contains the line's timeline, with the same begin. If
   * the begin of the line is not known, the timeline number alone decides.
   */
  public boolean contains(Line line) {
    return (line.timeline() == timeline || endOf(line.timeline()) != null)
        && (line.begin() == null || line.begin().equals(beginOf(line.timeline())));
  }

  /**
   * Whether this history proves that it does not continue a line. One that starts later than
   * timeline 1 proves nothing about older lines.
   */
  public boolean excludes(Line line) {
    return !contains(line) && (covers(1) || covers(line.timeline() - 1));
  }

  /**
   * Finds where this history and another one diverged.
   *
   * @return the last shared timeline, and the end of its shared part; null when they share no
   *     timeline, or when both still write it
   */
  public Ancestor partedFrom(History other) {
    Ancestor shared = null;
    for (int i = 0; i <= Math.min(ancestors.size(), other.ancestors.size()); i++) {
      if (timelineAt(i) != other.timelineAt(i)) {
        return shared;
      }
      Lsn ours = endAt(i);
      Lsn theirs = other.endAt(i);
      if (ours == null && theirs == null) {
        // Two standbys that were promoted independently give their timelines the same number.
        return shared;
      }
      if (!Objects.equals(ours, theirs)) {
        boolean oursIsShorter = theirs == null || ours != null && ours.compareTo(theirs) < 0;
        return new Ancestor(timelineAt(i), oursIsShorter ? ours : theirs);
      }
      shared = ancestors.get(i);
    }
    return shared;
  }

  private long timelineAt(int index) {
    return index < ancestors.size() ? ancestors.get(index).timeline() : timeline;
  }

  private Lsn endAt(int index) {
    return index < ancestors.size() ? ancestors.get(index).end() : null;
  }
}
