package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/** Logs in to nodes, to so many at a time as MAX_WORKERS allows. */
final class Login {
  private final PostgresSettings settings;
  private final Semaphore workers;
  private final Driver driver = new Driver();

  Login(PostgresSettings settings) {
    this.settings = settings;
    this.workers = new Semaphore(settings.maxWorkers());
  }

  /**
   * A new connection, with the password as it is now.
   *
   * @throws SQLException with the server's own SQLState
   */
  Connection to(Node node, InetAddress address) throws SQLException {
    Properties properties = properties(node);
    workers.acquireUninterruptibly();
    try {
      return driver.connect(
          "jdbc:postgresql://%s:%d/"
              .formatted(Addresses.withPort(Addresses.text(address), 0, 0), node.port()),
          properties);
    } finally {
      workers.release();
    }
  }

  private Properties properties(Node node) throws SQLException {
    String seconds = String.valueOf(settings.connectTimeout().toSeconds());
    Properties properties = new Properties();
    set(properties, PGProperty.PG_DBNAME, settings.database());
    set(properties, PGProperty.USER, settings.user());
    set(properties, PGProperty.PASSWORD, settings.password().of(node, settings));
    set(properties, PGProperty.APPLICATION_NAME, "postgres-endpoint-manager");
    set(properties, PGProperty.CONNECT_TIMEOUT, seconds);
    set(properties, PGProperty.LOGIN_TIMEOUT, seconds);
    set(properties, PGProperty.SOCKET_TIMEOUT, seconds);
    set(properties, PGProperty.GSS_ENC_MODE, "disable");
    set(properties, PGProperty.SSL_MODE, settings.sslMode().value);
    set(properties, PGProperty.SSL_ROOT_CERT, settings.sslRootCert());
    set(properties, PGProperty.SSL_CERT, settings.sslCert());
    set(properties, PGProperty.SSL_KEY, settings.sslKey());
    set(properties, PGProperty.SSL_HOSTNAME_VERIFIER, NodeNameVerifier.class.getName());
    properties.setProperty(NodeNameVerifier.NODE, node.host());
    return properties;
  }

  private static void set(Properties properties, PGProperty property, String value) {
    if (value != null) {
      property.set(properties, value);
    }
  }
}
