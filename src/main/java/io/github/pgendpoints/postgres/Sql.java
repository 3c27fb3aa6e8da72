package io.github.pgendpoints.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;

/** The files in the folder sql of the class path, and rows without the help of the routes. */
final class Sql {
  private Sql() {}

  /**
   * The content of a file.
   *
   * @param name without {@code .sql}
   */
  static String named(String name) {
    try (InputStream file = Sql.class.getResourceAsStream("/sql/" + name + ".sql")) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The row of the last of several statements, by the names of its columns.
   *
   * @return empty if there is no row
   */
  static Map<String, Object> lastRow(Statement statement, String sql) throws SQLException {
    Map<String, Object> row = new HashMap<>();
    boolean isResult = statement.execute(sql);
    while (isResult || statement.getUpdateCount() != -1) {
      if (isResult) {
        row = row(statement.getResultSet());
      }
      isResult = statement.getMoreResults();
    }
    return row;
  }

  /**
   * The row of a query, by the names of its columns.
   *
   * @return empty if there is no row
   */
  static Map<String, Object> onlyRow(PreparedStatement statement) throws SQLException {
    try (ResultSet result = statement.executeQuery()) {
      return row(result);
    }
  }

  private static Map<String, Object> row(ResultSet result) throws SQLException {
    Map<String, Object> row = new HashMap<>();
    if (result.next()) {
      ResultSetMetaData columns = result.getMetaData();
      for (int i = 1; i <= columns.getColumnCount(); i++) {
        row.put(columns.getColumnLabel(i), result.getObject(i));
      }
    }
    return row;
  }
}
