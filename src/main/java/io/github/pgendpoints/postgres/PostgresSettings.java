package io.github.pgendpoints.postgres;

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
    Duration connectTimeout,
    Duration tcpConnectTimeout,
    int maxWorkers) {}
