package io.github.pgendpoints.topology;

import java.util.Map;
import java.util.Set;

/**
 * What a probed server reports. A value that our role may not read is null, and the protection that
 * needs it is off.
 *
 * @param systemIdentifier {@code pg_control_system().system_identifier}: the same on a primary and
 *     its standbys, different after any other initdb; null without the right to read it
 * @param startedAt {@code pg_postmaster_start_time()} in microseconds since 1970, independent of
 *     the time zone; with the system identifier, it shows whether two addresses are one server;
 *     null without the right to read it
 * @param timeline on a primary, the timeline of the WAL that it writes; on a standby, of the WAL
 *     that it replays or streams; null when the server does not report it
 * @param lsn the end of WAL on a primary, the position replayed on a standby; null when the standby
 *     has replayed nothing yet, or without the right to read it
 * @param streaming whether a standby has a WAL receiver or does not report it; false on a primary
 * @param source {@code host:port} that a standby streams from, as in its primary_conninfo; null
 *     when it streams from no server or does not report it
 * @param replicas the IP addresses that stream from this server; empty when it does not report them
 * @param rights what our role may do there
 * @param history the history of its timeline; null until it is requested
 * @param unread the protections that are off because the server does not report what they need
 * @param readOnlyByDefault {@code default_transaction_read_only} of new sessions; null when the
 *     server does not report it
 */
public record Server(
    String systemIdentifier,
    Long startedAt,
    Long timeline,
    Lsn lsn,
    boolean streaming,
    String source,
    Set<String> replicas,
    Set<Right> rights,
    HistoryAnswer history,
    Map<Protection, UnreadValue> unread,
    Boolean readOnlyByDefault) {
  public Server {
    unread = Map.copyOf(unread);
    replicas = Set.copyOf(replicas);
    rights = Set.copyOf(rights);
  }

  /** A server that reports nothing about its neighbours and grants no right beyond LOGIN. */
  public Server(
      String systemIdentifier, Long startedAt, Long timeline, Lsn lsn, boolean streaming) {
    this(
        systemIdentifier,
        startedAt,
        timeline,
        lsn,
        streaming,
        null,
        Set.of(),
        Set.of(),
        null,
        Map.of(),
        null);
  }

  private Server with(Long itsTimeline, HistoryAnswer itsHistory) {
    return new Server(
        systemIdentifier,
        startedAt,
        itsTimeline,
        lsn,
        streaming,
        source,
        replicas,
        rights,
        itsHistory,
        unread,
        readOnlyByDefault);
  }

  /** Returns a copy with the result of reading its history. */
  public Server with(HistoryAnswer answer) {
    return with(timeline, answer);
  }

  /** Returns a copy with a timeline from another source. */
  public Server onTimeline(Long reported) {
    return with(reported, history);
  }

  /** Whether {@code other} is the same server under another name or address. */
  boolean isSameAs(Server other) {
    return startedAt != null
        && startedAt.equals(other.startedAt)
        && !Line.differ(systemIdentifier, other.systemIdentifier);
  }

  /**
   * Whether its history must still be read: the server reports its timeline, which has a history,
   * and lets our role read it.
   */
  public boolean hasUnreadHistory() {
    return timeline != null && timeline > 1 && history == null && rights.contains(Right.HISTORY);
  }

  /** What is known about the history of its timeline. Timeline 1 needs no right and no query. */
  HistoryAnswer lineage() {
    if (timeline != null && timeline == 1) {
      return HistoryAnswer.read(History.ofFirstTimeline());
    }
    if (history != null) {
      return history;
    }
    return rights.contains(Right.HISTORY)
        ? HistoryAnswer.failed("it was not requested")
        : HistoryAnswer.notGranted();
  }

  /** Whether a missing system identifier leaves open whether the server is of this cluster. */
  boolean withholdsCluster(Line line) {
    return line.systemIdentifier() != null
        && systemIdentifier == null
        && counts(Protection.FOREIGN_NODES, line);
  }

  /** Whether a missing timeline leaves open how the server relates to this line. */
  boolean withholdsTimeline(Line line) {
    return timeline == null && counts(Protection.STALE_PRIMARY, line);
  }

  /**
   * Whether a missing value leaves open how the server relates to a line. If histories were never
   * granted, a missing right only turns a protection off; a failed answer leaves the relation open.
   */
  private boolean counts(Protection protection, Line line) {
    UnreadValue reason = unread.get(protection);
    boolean isGranted = reason != null && !UnreadValue.NOT_GRANTED.equals(reason.reason());
    return line.begin() != null || isGranted;
  }

  /** Whether the server is on this line, as far as is known. */
  boolean isOn(Line line) {
    return timeline != null && timeline == line.timeline() && !line.beginsElsewhereThan(begin());
  }

  /** Where its timeline begins; null when that is not known. */
  Lsn begin() {
    History known = lineage().history();
    return known == null ? null : known.begin();
  }
}
