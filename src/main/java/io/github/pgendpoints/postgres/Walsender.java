package io.github.pgendpoints.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.postgresql.util.PSQLException;

/**
 * A connection that uses the replication protocol. It returns values that SQL does not return to
 * every role, and needs no ordinary connection slot. While it is open, {@code pg_stat_replication}
 * lists it as {@code startup}, so it is closed at once.
 */
final class Walsender implements AutoCloseable {
  private final Login.Session session;
  private final Connection connection;

  /**
   * @param deadline by when all answers must arrive
   */
  Walsender(Login.Session session, Deadline deadline) {
    this.session = session;
    this.connection = GuardedConnection.connection(session.connection());
    session.socket().limit(deadline);
  }

  /**
   * The identity of a server, which is as untrusted as all its answers.
   *
   * @param systemIdentifier as {@code pg_control_system()} returns it
   * @param timeline the timeline that a primary writes or a standby replays
   */
  record Identity(String systemIdentifier, long timeline) {}

  /** Sends {@code IDENTIFY_SYSTEM}. */
  Identity identify() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("IDENTIFY_SYSTEM")) {
      if (!row.next()) {
        throw new SQLException("IDENTIFY_SYSTEM returned no row");
      }
      return new Identity(row.getString("systemid"), row.getLong("timeline"));
    }
  }

  /**
   * Sends {@code TIMELINE_HISTORY}.
   *
   * @throws SQLException with SQLState 58P01 if there is no such file
   */
  String history(long timeline) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("TIMELINE_HISTORY " + timeline)) {
      // Old versions declare this column as bytea, but all versions send it as text.
      return row.next() ? row.getString("content") : null;
    }
  }

  /** Runs a query and returns its row, by column name; empty if there is no row. */
  Map<String, Object> row(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return Sql.lastRow(statement, SessionSettings.ISOLATION + sql);
    }
  }

  /** Whether the server refused a login, and not the driver or the network. */
  static boolean isRefused(SQLException failure) {
    return failure instanceof PSQLException error && error.getServerErrorMessage() != null;
  }

  @Override
  public void close() {
    session.close();
  }
}
