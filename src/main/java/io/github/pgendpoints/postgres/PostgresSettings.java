package io.github.pgendpoints.postgres;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.postgresql.jdbc.SslMode;

/**
 * The settings for the logins to nodes and the queries.
 *
 * @param password the source of the password
 * @param port the port of nodes that are listed without one
 * @param sslRootCert the path of a PEM file; null for libpq's default
 * @param sslCert the path of a PEM file; null if there is no client certificate
 * @param sslKey the path of a key file; null if there is no client certificate
 * @param authMethods the methods that PGREQUIREAUTH allows; null if it is not set
 * @param nodesListed whether PG_NODES names the nodes; otherwise an annotation does
 * @param connectTimeout the bound of connect, login, and query together, in whole seconds
 * @param tcpConnectTimeout the bound of the first response of a server
 * @param maxWorkers the most logins at the same time
 */
public record PostgresSettings(
    String user,
    String database,
    Password password,
    int port,
    SslMode sslMode,
    String sslRootCert,
    String sslCert,
    String sslKey,
    AuthMethods authMethods,
    boolean nodesListed,
    Duration connectTimeout,
    Duration tcpConnectTimeout,
    int maxWorkers) {
  /** The mode that applies: as in libpq, require becomes verify-ca if root certificates exist. */
  SslMode effectiveSslMode() {
    return sslMode == SslMode.REQUIRE
            && (sslRootCert != null || Files.exists(defaultRootCertificates()))
        ? SslMode.VERIFY_CA
        : sslMode;
  }

  /** The longest time that one statement of a probe may take. */
  Duration statementTimeout() {
    return connectTimeout.dividedBy(4);
  }

  /** The authentication methods that a server may request in a login of this mode. */
  AuthMethods authMethodsIn(SslMode mode) {
    if (!mode.verifyCertificate()) {
      return AuthMethods.ofUnverified(authMethods, nodesListed);
    }
    return authMethods == null ? AuthMethods.ANY : authMethods;
  }

  /** Whether any authentication method is allowed. */
  public boolean allowsLogin() {
    return !authMethodsIn(effectiveSslMode()).isEmpty();
  }

  /** The file from which libpq reads root certificates by default. */
  public static Path defaultRootCertificates() {
    return Path.of(System.getProperty("user.home"), ".postgresql", "root.crt");
  }
}
