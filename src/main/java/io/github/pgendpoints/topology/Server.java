package io.github.pgendpoints.topology;

import java.util.Map;
import java.util.Set;

/**
 * What a server that was asked says of itself. What it may not say to our role is null, and the
 * protection that needs it is off.
 *
 * @param systemIdentifier {@code pg_control_system().system_identifier}: the same on a primary and
 *     its standbys, different after any other initdb; null without the right to ask
 * @param startedAt {@code pg_postmaster_start_time()} in microseconds since 1970, whatever the time
 *     zone; with the system identifier it tells whether two addresses are one server; null without
 *     the right to ask
 * @param timeline on a primary that of the WAL being written, on a standby that of the WAL it
 *     replays or streams; null when it does not tell
 * @param lsn the end of WAL on a primary, the position replayed on a standby; null when the standby
 *     has replayed nothing yet, or without the right to ask
 * @param streaming whether a standby has a WAL receiver, or does not tell; false on a primary
 * @param source {@code host:port} that a standby streams from, as its primary_conninfo has it; null
 *     when it streams from nobody or does not tell
 * @param replicas the IP addresses that stream from this server; empty when it does not tell
 * @param rights what our role may do there
 * @param history of its timeline; null while it has not been asked
 * @param unread the protections that are off, since it does not tell what they need
 * @param readOnlyByDefault {@code default_transaction_read_only} of new sessions; null when it does
 *     not tell
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
    Map<Protection, Unread> unread,
    Boolean readOnlyByDefault) {
  public Server {
    unread = Map.copyOf(unread);
    replicas = Set.copyOf(replicas);
    rights = Set.copyOf(rights);
  }

  /** A server that tells nothing of its neighbours and grants no right beyond LOGIN. */
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

  /** The same server with the answer to the question for its history. */
  public Server with(HistoryAnswer answer) {
    return with(timeline, answer);
  }

  /** The same server with a timeline that was learned in another way. */
  public Server onTimeline(Long told) {
    return with(told, history);
  }

  /** Whether {@code other} is this very server, seen under another name or address. */
  boolean isSameAs(Server other) {
    return startedAt != null
        && startedAt.equals(other.startedAt)
        && !Line.differ(systemIdentifier, other.systemIdentifier);
  }

  /**
   * Whether its history is still to be asked for: it tells its timeline, which has one, and lets us
   * read it.
   */
  public boolean hasUnreadHistory() {
    return timeline != null && timeline > 1 && history == null && rights.contains(Right.HISTORY);
  }

  /** What is known of the history of its timeline. Timeline 1 needs no right and no question. */
  HistoryAnswer lineage() {
    if (timeline != null && timeline == 1) {
      return HistoryAnswer.read(History.ofFirstTimeline());
    }
    if (history != null) {
      return history;
    }
    return rights.contains(Right.HISTORY)
        ? HistoryAnswer.failed("it was not asked for")
        : HistoryAnswer.notGranted();
  }

  /** Whether it keeps its cluster to itself, where that of this line is known and counts. */
  boolean withholdsCluster(Line line) {
    return line.systemIdentifier() != null
        && systemIdentifier == null
        && counts(Protection.FOREIGN_NODES, line);
  }

  /** Whether it keeps its timeline to itself where that counts. */
  boolean withholdsTimeline(Line line) {
    return timeline == null && counts(Protection.STALE_PRIMARY, line);
  }

  /**
   * Whether a value that it does not tell leaves open what it is to a line. Where histories were
   * never granted, a right that is missing turns a protection off; an answer that failed does not.
   */
  private boolean counts(Protection protection, Line line) {
    Unread reason = unread.get(protection);
    boolean isGranted = reason != null && !Unread.NOT_GRANTED.equals(reason.reason());
    return line.begin() != null || isGranted;
  }

  /** Whether it is on this line, as far as can be told. */
  boolean isOn(Line line) {
    return timeline != null && timeline == line.timeline() && !line.beginsElsewhereThan(begin());
  }

  /** Where its timeline begins; null when that is not known. */
  Lsn begin() {
    History known = lineage().history();
    return known == null ? null : known.begin();
  }
}
