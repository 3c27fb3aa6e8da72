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

/** Reads the files in the folder sql of the class path, and the rows of queries outside routes. */
final class Sql {
  private Sql() {}

  /**
   * Returns the content of a file.
   *
   * @param name the name of the file without {@code .sql}
   */
  static String named(String name) {
    try (InputStream file = Sql.class.getResourceAsStream("/sql/" + name + ".sql")) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Runs statements and returns the row of the last result set, by column name.
   *
   * @return an empty map if there is no row
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
   * Runs a query and returns its row, by column name.
   *
   * @return an empty map if there is no row
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
