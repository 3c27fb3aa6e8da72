package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Node;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.jdbc.PreferQueryMode;
import org.postgresql.jdbc.SslMode;

/** Logs in to nodes, to so many at a time as MAX_WORKERS allows. */
final class Login {
  /** The driver's own words; it has no SQLState of its own for this. */
  private static final String NOT_ALLOWED = "Authentication method is not allowed by requireAuth";

  private final PostgresSettings settings;
  private final Semaphore places;
  private final Driver driver = new Driver();

  Login(PostgresSettings settings) {
    this.settings = settings;
    this.places = new Semaphore(settings.maxWorkers(), /* fair= */ true);
  }

  /**
   * A connection and the socket below it, which bounds it.
   *
   * @param connection logged in
   * @param socket below TLS
   */
  record Session(Connection connection, DeadlineSocket socket) {}

  /**
   * Logs in with the password as it is now.
   *
   * @throws SQLException with the server's own SQLState
   */
  Session to(Node node, InetAddress address, Deadline deadline) throws SQLException {
    return to(node, address, deadline, /* asWalsender= */ false);
  }

  /**
   * Logs in to a walsender, which takes SQL as well as replication commands, and needs none of the
   * places that other connections share. The ordinary line of pg_hba.conf for the database counts.
   *
   * @throws SQLException with the server's own SQLState: 42501 without the attribute REPLICATION,
   *     53300 when max_wal_senders are at work
   */
  Session toWalsender(Node node, InetAddress address, Deadline deadline) throws SQLException {
    return to(node, address, deadline, /* asWalsender= */ true);
  }

  private Session to(Node node, InetAddress address, Deadline deadline, boolean asWalsender)
      throws SQLException {
    SslMode mode = settings.effectiveSslMode();
    try {
      return to(node, address, deadline, mode, asWalsender);
    } catch (SQLException e) {
      if (mode != SslMode.PREFER || !Probe.isTls(e)) {
        throw e;
      }
      // libpq tries without TLS when TLS fails, whatever the reason; pgjdbc does only when the
      // server says that it wants none.
      try {
        return to(node, address, deadline, SslMode.DISABLE, asWalsender);
      } catch (SQLException withoutTls) {
        e.addSuppressed(withoutTls);
        throw e;
      }
    }
  }

  private Session to(
      Node node, InetAddress address, Deadline deadline, SslMode mode, boolean asWalsender)
      throws SQLException {
    Properties properties = properties(node, mode);
    if (asWalsender) {
      set(properties, PGProperty.REPLICATION, "database");
      // A walsender knows no other protocol.
      set(properties, PGProperty.PREFER_QUERY_MODE, PreferQueryMode.SIMPLE.value());
    }
    String url =
        "jdbc:postgresql://%s:%d/"
            .formatted(Addresses.withPort(Addresses.text(address), 0, 0), node.port());
    try (Turn turn =
            Turn.take(places, deadline, settings.tcpConnectTimeout(), settings.maxWorkers());
        LoginAttempt attempt = new LoginAttempt(node.host(), deadline, turn)) {
      try {
        return new Session(driver.connect(url, properties), attempt.socket());
      } catch (SQLException e) {
        if (NOT_ALLOWED.equals(e.getMessage())) {
          throw new SQLException(
              "the server asks for a way to log in that PGREQUIREAUTH does not allow",
              e.getSQLState());
        }
        if (attempt.isNameRefused()) {
          throw new SQLException(
              "the server's certificate is not for the name " + node.host(), e.getSQLState());
        }
        throw e;
      } catch (OutOfMemoryError | AssertionError e) {
        // A length that no PostgreSQL sends. The driver itself catches exceptions only.
        throw Distrusted.misunderstood(e);
      }
    }
  }

  private Properties properties(Node node, SslMode mode) throws SQLException {
    String password = settings.password().of(node, settings);
    String seconds = String.valueOf(settings.connectTimeout().toSeconds());
    Properties properties = new Properties();
    set(properties, PGProperty.PG_DBNAME, settings.database());
    set(properties, PGProperty.USER, settings.user());
    // Never null: pgjdbc would look for a password file of its own then.
    set(properties, PGProperty.PASSWORD, password == null ? "" : password);
    set(properties, PGProperty.APPLICATION_NAME, "postgres-endpoint-manager");
    // Said in the startup packet, which saves a round trip.
    set(properties, PGProperty.ASSUME_MIN_SERVER_VERSION, "13");
    // Not bounded by the login timeout, which would need a thread of its own for each login.
    set(properties, PGProperty.LOGIN_TIMEOUT, "0");
    set(properties, PGProperty.SOCKET_FACTORY, LoginAttempt.Sockets.class.getName());
    // The socket's own deadline is never later. But without a timeout pgjdbc goes on reading when
    // the socket says that time is over.
    set(properties, PGProperty.CONNECT_TIMEOUT, seconds);
    set(properties, PGProperty.SOCKET_TIMEOUT, seconds);
    // Else the driver allocates what a row promises before any of it comes.
    set(properties, PGProperty.MAX_RESULT_BUFFER, String.valueOf(DeadlineSocket.MAX_ANSWER));
    set(properties, PGProperty.GSS_ENC_MODE, "disable");
    set(properties, PGProperty.SSL_MODE, mode.value);
    set(properties, PGProperty.REQUIRE_AUTH, settings.authMethodsIn(mode).asProperty());
    set(properties, PGProperty.SSL_ROOT_CERT, settings.sslRootCert());
    set(properties, PGProperty.SSL_CERT, settings.sslCert());
    set(properties, PGProperty.SSL_KEY, settings.sslKey());
    set(properties, PGProperty.SSL_HOSTNAME_VERIFIER, LoginAttempt.NodeName.class.getName());
    if (settings.sslCert() != null && mode != SslMode.DISABLE) {
      // pgjdbc takes a key in PEM for an RSA key unless it is told.
      set(properties, PGProperty.PEM_KEY_ALGORITHM, keyAlgorithm(settings.sslCert()));
    }
    return properties;
  }

  private static String keyAlgorithm(String certificate) throws SQLException {
    try (InputStream file = Files.newInputStream(Path.of(certificate))) {
      return CertificateFactory.getInstance("X.509")
          .generateCertificate(file)
          .getPublicKey()
          .getAlgorithm();
    } catch (IOException | CertificateException e) {
      // 28000, invalid authorization: the server may be there, but we cannot log in.
      throw new SQLException(
          "PGSSLCERT %s cannot be read: %s".formatted(certificate, e.getMessage()), "28000", e);
    }
  }

  private static void set(Properties properties, PGProperty property, String value) {
    if (value != null) {
      property.set(properties, value);
    }
  }
}
