package io.github.pgendpoints.postgres;

import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.UnreadValue;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * The query that a probe sends to one node. It contains the columns of sql/probe.sql that our role
 * may read there and that did not fail, so that a probe is one round trip. If the query fails, each
 * column is queried alone: the role of a node depends only on {@code in_recovery}.
 *
 * <p>Used by one probe at a time.
 */
final class ProbeQuery {
  /** The time after which a column that failed is queried again. */
  static final Duration RETRY = Duration.ofMinutes(1);

  private static final int MAX_REASON = 200;

  /** Sends a query and returns its only row, by column name; empty if there is no row. */
  @FunctionalInterface
  interface Sender {
    Map<String, Object> row(String sql) throws SQLException;
  }

  /**
   * The means to query a server.
   *
   * @param longest the time after which the server cancels a query
   */
  record FollowUps(Sender sender, Deadline deadline, Duration longest) {
    private Map<String, Object> row(String sql) throws SQLException {
      return sender.row(sql);
    }

    /** Whether there is time for one more query, even if the server has to cancel it. */
    private boolean hasTime() {
      return deadline.remainingMillis() > longest.toMillis();
    }
  }

  /**
   * The answer of a node.
   *
   * @param row the columns that the node returned
   * @param unread the columns that it did not return, each with the reason
   * @param late the names of the unread columns for which only the time was too short
   */
  record Answer(Map<String, Object> row, Map<ProbeColumn, String> unread, Set<String> late) {}

  /** A column that failed, or took too long. */
  private record Failed(String reason, boolean isLate, long at) {}

  /** A query that the server canceled, as by statement_timeout, or whose wait for a lock ended. */
  private static final Set<String> LATE = Set.of("57014", "55P03");

  private final LongSupplier nanoTime;
  private final Map<ProbeColumn, Failed> failed = new HashMap<>();

  /** The columns that our role had the rights for at the last answer; null before the first. */
  private Set<ProbeColumn> granted;

  private boolean tellsRights = true;

  /** The last query text, which rarely changes from one cycle to the next. */
  private Text last = new Text(List.of(), false, null);

  private record Text(List<ProbeColumn> columns, boolean withRights, String sql) {}

  ProbeQuery(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Returns the query with the columns that can be read now. */
  String sql() {
    List<ProbeColumn> columns = wanted();
    if (!columns.equals(last.columns()) || tellsRights != last.withRights()) {
      last = new Text(columns, tellsRights, ProbeColumn.select(columns, tellsRights));
    }
    return last.sql();
  }

  private List<ProbeColumn> wanted() {
    return ProbeColumn.ALL.stream().filter(this::isAsked).toList();
  }

  private boolean isAsked(ProbeColumn column) {
    boolean mayBeRead = granted == null ? column.needs().isEmpty() : granted.contains(column);
    return mayBeRead && !failed.containsKey(column);
  }

  /**
   * Completes the answer to {@link #sql} with the columns that the query left out and that can be
   * read now.
   *
   * @param row the answer
   * @param followUps queries the same server
   */
  Answer completed(Map<String, Object> row, FollowUps followUps) {
    Map<String, Object> all = new HashMap<>(row);
    List<ProbeColumn> more = learnMore(row);
    if (!more.isEmpty()) {
      try {
        all.putAll(followUps.row(ProbeColumn.select(more, /* withRights= */ false)));
      } catch (SQLException e) {
        queryAlone(more, all, followUps);
      }
    }
    long now = nanoTime.getAsLong();
    queryAlone(
        ProbeColumn.ALL.stream()
            .filter(failed::containsKey)
            .filter(column -> now - failed.get(column).at() >= RETRY.toNanos())
            .toList(),
        all,
        followUps);
    return answer(all);
  }

  /**
   * Queries each column alone, after the server answered {@link #sql} with an error.
   *
   * @param followUps queries the same server
   * @throws SQLException if the server does not return its role
   */
  Answer oneByOne(FollowUps followUps) throws SQLException {
    ProbeColumn role = ProbeColumn.ALL.get(0);
    Map<String, Object> row =
        new HashMap<>(followUps.row(ProbeColumn.select(List.of(role), false)));
    if (tellsRights) {
      try {
        learnRights(followUps.row(ProbeColumn.select(List.of(), /* withRights= */ true)));
      } catch (SQLException e) {
        tellsRights = false;
        learnRights(Map.of());
      }
    }
    List<ProbeColumn> others = new ArrayList<>(wanted());
    others.remove(role);
    queryAlone(others, row, followUps);
    return answer(row);
  }

  /** Returns the columns that the rights in the answer allow and that the query left out. */
  private List<ProbeColumn> learnMore(Map<String, Object> row) {
    List<ProbeColumn> before = last.columns();
    Set<ProbeColumn> known = granted;
    learnRights(row);
    return granted.equals(known)
        ? List.of()
        : wanted().stream().filter(column -> !before.contains(column)).toList();
  }

  private void learnRights(Map<String, Object> row) {
    granted =
        ProbeColumn.ALL.stream()
            .filter(column -> !Boolean.FALSE.equals(row.get(column.grantedName())))
            .collect(Collectors.toSet());
    failed.keySet().retainAll(granted);
  }

  private void queryAlone(List<ProbeColumn> columns, Map<String, Object> row, FollowUps followUps) {
    for (ProbeColumn column : columns) {
      if (!followUps.hasTime()) {
        return;
      }
      try {
        row.putAll(followUps.row(ProbeColumn.select(List.of(column), /* withRights= */ false)));
        failed.remove(column);
      } catch (SQLException e) {
        String reason = ForeignText.clean(String.valueOf(e.getMessage()), MAX_REASON);
        boolean isLate = LATE.contains(String.valueOf(e.getSQLState()));
        failed.put(column, new Failed(reason, isLate, nanoTime.getAsLong()));
      }
    }
  }

  private Answer answer(Map<String, Object> row) {
    Map<ProbeColumn, String> unread = new LinkedHashMap<>();
    Set<String> late = new HashSet<>();
    for (ProbeColumn column : ProbeColumn.ALL) {
      if (!row.containsKey(column.name())) {
        Failed failure = failed.get(column);
        if (failure == null ? granted.contains(column) : failure.isLate()) {
          late.add(column.name());
        }
        unread.put(
            column,
            failure != null
                ? failure.reason()
                : granted.contains(column) ? "there was no time left" : UnreadValue.NOT_GRANTED);
      }
    }
    return new Answer(row, unread, late);
  }
}
