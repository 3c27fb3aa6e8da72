package io.github.pgendpoints.postgres;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.postgresql.jdbc.SslMode;

/**
 * How nodes are asked.
 *
 * @param password where the password comes from
 * @param port of nodes listed without one
 * @param sslRootCert path of a PEM file; null for libpq's default
 * @param sslCert path of a PEM file; null when there is no client certificate
 * @param sslKey path of a key file; null when there is no client certificate
 * @param authMethods what PGREQUIREAUTH allows; null when it is not set
 * @param nodesListed whether PG_NODES names the nodes; else an annotation does
 * @param connectTimeout bound of connect, login and query; whole seconds
 * @param tcpConnectTimeout bound of the first sign of life
 * @param maxWorkers logins at the same time
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
  /** The mode that counts: with root certificates at hand, require verifies them, as libpq's. */
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

  /** What a server may ask for in a login of this mode. */
  AuthMethods authMethodsIn(SslMode mode) {
    if (!mode.verifyCertificate()) {
      return AuthMethods.ofUnverified(authMethods, nodesListed);
    }
    return authMethods == null ? AuthMethods.ANY : authMethods;
  }

  /** Whether there is a way to log in at all. */
  public boolean allowsLogin() {
    return !authMethodsIn(effectiveSslMode()).isEmpty();
  }

  /** Where libpq looks for root certificates. */
  public static Path defaultRootCertificates() {
    return Path.of(System.getProperty("user.home"), ".postgresql", "root.crt");
  }
}
