package io.github.pgendpoints.postgres;

import java.sql.Connection;
import org.springframework.jdbc.datasource.AbstractDataSource;

/**
 * Stands where the SQL endpoint of the routes has to name a data source. The endpoint is made once,
 * and the header {@code CamelSqlDataSource} says for each message which node's data source it asks.
 */
public final class NoDataSource extends AbstractDataSource {
  @Override
  public Connection getConnection() {
    throw new IllegalStateException("no header CamelSqlDataSource says which node to ask");
  }

  @Override
  public Connection getConnection(String user, String password) {
    return getConnection();
  }
}
