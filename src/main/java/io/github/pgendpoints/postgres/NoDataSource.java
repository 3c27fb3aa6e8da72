package io.github.pgendpoints.postgres;

import java.sql.Connection;
import org.springframework.jdbc.datasource.AbstractDataSource;

/**
 * A placeholder for the data source that the SQL endpoint of the routes requires. Camel creates the
 * endpoint once. The header {@code CamelSqlDataSource} holds the data source for each message.
 */
public final class NoDataSource extends AbstractDataSource {
  @Override
  public Connection getConnection() {
    throw new IllegalStateException(
        "the header CamelSqlDataSource, which selects the node to query, is missing");
  }

  @Override
  public Connection getConnection(String user, String password) {
    return getConnection();
  }
}
