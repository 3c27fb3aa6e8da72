package io.github.pgendpoints.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.postgresql.util.PSQLException;

/**
 * A connection that speaks the replication protocol. It tells what SQL does not tell everybody, and
 * needs no ordinary connection slot. While it is open it stands in {@code pg_stat_replication} as
 * {@code startup}, so it is closed at once.
 */
final class Walsender implements AutoCloseable {
  private final Login.Session session;
  private final Connection connection;

  /**
   * @param deadline by which all answers have to be there
   */
  Walsender(Login.Session session, Deadline deadline) {
    this.session = session;
    this.connection = GuardedConnection.connection(session.connection());
    session.socket().limit(deadline);
  }

  /**
   * Who a server is.
   *
   * @param systemIdentifier as {@code pg_control_system()} has it
   * @param timeline that a primary writes or a standby replays; as untrusted as all it says
   */
  record Identity(String systemIdentifier, long timeline) {}

  /** Asks {@code IDENTIFY_SYSTEM}. */
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
   * Asks {@code TIMELINE_HISTORY}.
   *
   * @throws SQLException with SQLState 58P01 when there is no such file
   */
  String history(long timeline) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("TIMELINE_HISTORY " + timeline)) {
      // A column of bytes by type in old versions, but always sent as text.
      return row.next() ? row.getString("content") : null;
    }
  }

  /** The row of a query, by the names of its columns; empty if there is none. */
  Map<String, Object> row(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return Sql.lastRow(statement, SessionSettings.ISOLATION + sql);
    }
  }

  /** Whether a server, and not the driver or the network, said no to a login. */
  static boolean isRefused(SQLException failure) {
    return failure instanceof PSQLException error && error.getServerErrorMessage() != null;
  }

  @Override
  public void close() {
    session.close();
  }
}
