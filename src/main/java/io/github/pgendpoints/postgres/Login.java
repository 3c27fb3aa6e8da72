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
import java.time.Duration;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import org.postgresql.Driver;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.jdbc.PreferQueryMode;
import org.postgresql.jdbc.SslMode;

/** Logs in to nodes, to at most MAX_WORKERS at a time. */
final class Login {
  /** The message of the driver, which has no separate SQLState for this error. */
  private static final String NOT_ALLOWED = "Authentication method is not allowed by requireAuth";

  private static final String LONGEST = String.valueOf(Logins.LONGEST.toSeconds());

  private final PostgresSettings settings;
  private final Semaphore places;
  private final Driver driver = new Driver();

  Login(PostgresSettings settings) {
    ScramKeys.remember();
    this.settings = settings;
    this.places = new Semaphore(settings.maxWorkers(), /* fair= */ true);
  }

  /** A connection and its socket, which bounds the connection. */
  record Session(Connection connection, DeadlineSocket socket) {
    /**
     * Whether the server process that accepted the login is the one that answers now. Behind a
     * pooler, it is not.
     *
     * @param answering the process ID that the server returned; null if it returned none
     */
    boolean isDirect(Object answering) {
      return Objects.equals(answering, postgres().getBackendPID());
    }

    /** Sets whether the server keeps statements prepared from now on. */
    void keepStatements(boolean keep) {
      postgres().setPrepareThreshold(keep ? 1 : 0);
    }

    /** The connection, with what pgjdbc adds to JDBC. */
    PGConnection postgres() {
      return (PGConnection) connection;
    }

    /** Ends the connection at once, even while it waits for the server. */
    void abort() {
      try {
        socket.close();
      } catch (IOException e) {
        // The connection is not needed any more.
      }
    }

    /** Logs out. If that fails, the server detects the end of the session itself. */
    void close() {
      try {
        connection.close();
      } catch (SQLException e) {
        // The connection is not needed any more.
      }
    }
  }

  /**
   * Logs in with the current password.
   *
   * @param deadline of the TCP connection, and of the wait for a permit of MAX_WORKERS
   * @param longest how long the server may take for the login
   * @throws SQLException with the SQLState of the server
   */
  Session to(Node node, InetAddress address, Deadline deadline, Duration longest)
      throws SQLException {
    return to(new Attempt(node, address, deadline, Deadline.in(longest), false));
  }

  /**
   * Logs in to a walsender, which accepts SQL as well as replication commands, and needs no
   * ordinary connection slot. The ordinary line of pg_hba.conf for the database applies.
   *
   * @throws SQLException with the SQLState of the server: 42501 without the attribute REPLICATION,
   *     53300 if all walsenders (max_wal_senders) are in use
   */
  Session toWalsender(Node node, InetAddress address, Deadline deadline) throws SQLException {
    return to(new Attempt(node, address, deadline, deadline, true));
  }

  private record Attempt(
      Node node, InetAddress address, Deadline deadline, Deadline answer, boolean asWalsender) {}

  private Session to(Attempt attempt) throws SQLException {
    SslMode mode = settings.effectiveSslMode();
    try {
      return to(attempt, mode);
    } catch (SQLException e) {
      if (mode != SslMode.PREFER || !Probe.isTls(e)) {
        throw e;
      }
      // After any TLS failure, libpq tries again without TLS. pgjdbc does so only if the server
      // rejects TLS.
      try {
        return to(attempt, SslMode.DISABLE);
      } catch (SQLException withoutTls) {
        e.addSuppressed(withoutTls);
        throw e;
      }
    }
  }

  private Session to(Attempt to, SslMode mode) throws SQLException {
    Properties properties = properties(to.node(), mode);
    if (to.asWalsender()) {
      set(properties, PGProperty.REPLICATION, "database");
      // A walsender supports only the simple query protocol.
      set(properties, PGProperty.PREFER_QUERY_MODE, PreferQueryMode.SIMPLE.value());
    }
    String url =
        "jdbc:postgresql://%s/"
            .formatted(Addresses.withPort(Addresses.text(to.address()), to.node().port()));
    try (LoginAttempt attempt =
        new LoginAttempt(to.node().host(), to.answer(), () -> permit(to.deadline()))) {
      try {
        return new Session(connected(url, properties, attempt, to.deadline()), attempt.socket());
      } catch (SQLException e) {
        if (attempt.gotNoPermit() != null) {
          throw attempt.gotNoPermit();
        }
        if (NOT_ALLOWED.equals(e.getMessage())) {
          throw new SQLException(
              "the server requests an authentication method that PGREQUIREAUTH does not allow",
              e.getSQLState());
        }
        if (attempt.isNameRefused()) {
          throw new SQLException(
              "the server's certificate is not for the name " + to.node().host(), e.getSQLState());
        }
        throw e;
      } catch (OutOfMemoryError | AssertionError e) {
        // A length that no PostgreSQL server sends. The driver itself catches only exceptions.
        throw GuardedConnection.misunderstood(e);
      }
    }
  }

  private LoginPermit permit(Deadline deadline) throws SQLException {
    return LoginPermit.take(places, deadline, settings.tcpConnectTimeout(), settings.maxWorkers());
  }

  /** Connects, with a second attempt: TCP sends a lost packet again only after a second. */
  private Connection connected(
      String url, Properties properties, LoginAttempt attempt, Deadline deadline)
      throws SQLException {
    attempt.connectBy(deadline.within(settings.tcpConnectTimeout()));
    try {
      return driver.connect(url, properties);
    } catch (SQLException e) {
      if (!attempt.isUnanswered() || deadline.isOver()) {
        throw e;
      }
      attempt.connectBy(deadline.within(settings.tcpConnectTimeout()));
      return driver.connect(url, properties);
    }
  }

  private Properties properties(Node node, SslMode mode) throws SQLException {
    String password = settings.password().of(node, settings);
    Properties properties = new Properties();
    set(properties, PGProperty.PG_DBNAME, settings.database());
    set(properties, PGProperty.USER, settings.user());
    // Never null: pgjdbc would then search for a password file itself.
    set(properties, PGProperty.PASSWORD, password == null ? "" : password);
    set(properties, PGProperty.APPLICATION_NAME, "postgres-endpoint-manager");
    // Sends the application name in the startup packet, which saves a round trip.
    set(properties, PGProperty.ASSUME_MIN_SERVER_VERSION, "13");
    // A statement that is prepared on the server does not exist in the next session of a pooler.
    // See NodePool.recordBackend.
    set(properties, PGProperty.PREPARE_THRESHOLD, "0");
    // No login timeout, which would need a separate thread for each login.
    set(properties, PGProperty.LOGIN_TIMEOUT, "0");
    set(properties, PGProperty.SOCKET_FACTORY, LoginAttempt.Sockets.class.getName());
    // The deadlines of the socket are never later. But without a timeout, pgjdbc continues to read
    // after a SocketTimeoutException of the socket.
    set(properties, PGProperty.CONNECT_TIMEOUT, LONGEST);
    set(properties, PGProperty.SOCKET_TIMEOUT, LONGEST);
    // A login may wait long for a server. Keepalive detects that the server's machine is gone.
    set(properties, PGProperty.TCP_KEEP_ALIVE, "true");
    // Otherwise, the driver allocates the announced size of a row before any of it arrives.
    set(properties, PGProperty.MAX_RESULT_BUFFER, String.valueOf(DeadlineSocket.MAX_ANSWER));
    set(properties, PGProperty.GSS_ENC_MODE, "disable");
    set(properties, PGProperty.SSL_MODE, mode.value);
    set(properties, PGProperty.REQUIRE_AUTH, settings.authMethodsIn(mode).asProperty());
    set(properties, PGProperty.SSL_ROOT_CERT, settings.sslRootCert());
    set(properties, PGProperty.SSL_CERT, settings.sslCert());
    set(properties, PGProperty.SSL_KEY, settings.sslKey());
    set(properties, PGProperty.SSL_HOSTNAME_VERIFIER, LoginAttempt.NodeName.class.getName());
    if (settings.sslCert() != null && mode != SslMode.DISABLE) {
      // Without this property, pgjdbc takes a PEM key for an RSA key.
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
      // 28000, invalid authorization: the server may be there, but no login is possible.
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
