package io.github.pgendpoints.bench;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Three servers and an API in this process's care, and the program as a pod has it beside them:
 * with TLS to the API, and a token of its own.
 */
final class Scene implements AutoCloseable {
  static final String NAMESPACE = "db";
  static final String RW = "pg-rw";
  static final String RO = "pg-ro";

  private static final long PATIENCE_NANOS = 120_000_000_000L;

  private final PostgresCluster cluster;
  private final FakeApiServer api = new FakeApiServer(NAMESPACE, true).withTls();
  private final Installation installation;
  private final Path token;
  private final Path certificate;

  Scene(Installation installation) throws SQLException, IOException {
    this.installation = installation;
    cluster = PostgresCluster.start(new PostgresCluster.Options().maxConnections(250));
    cluster.waitUntilStreaming();
    api.start();
    api.createService(RW, "postgresql", cluster.port());
    api.createService(RO, "postgresql", cluster.port());
    token = Files.writeString(installation.folder().resolve("token"), "fake-token");
    certificate = api.caCertificate(installation.folder().resolve("ca.crt"));
  }

  PostgresCluster cluster() {
    return cluster;
  }

  FakeApiServer api() {
    return api;
  }

  /** The program with the settings of this scene; {@code before} stands before its command. */
  Program program(Installation.Java java, String... before) {
    return place(installation.program(java, before));
  }

  /** A program with the settings of this scene. */
  Program place(Program program) {
    return program
        .with("HOME", installation.folder().toString())
        .with("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .with("KUBERNETES_SERVICE_PORT", String.valueOf(api.port()))
        .with("KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN", token.toString())
        .with("KUBERNETES_CERTS_CA_FILE", certificate.toString())
        .with("NAMESPACE", NAMESPACE)
        .with("PG_NODES", nodes())
        .with("PGPORT", String.valueOf(cluster.port()))
        .with("PGPASSWORD", PostgresCluster.PASSWORD)
        .with("RW_SERVICE", RW)
        .with("RO_SERVICE", RO)
        .with("MANAGEMENT_PORT", "off");
  }

  String nodes() {
    return cluster.servers().stream().map(PostgresServer::host).collect(Collectors.joining(","));
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Waits until the Services lead to the primary and to all standbys. */
  void awaitServed(Program program) {
    Set<String> standbys =
        cluster.standbys().stream().map(PostgresServer::host).collect(Collectors.toSet());
    await(
        "the Services to be true",
        program,
        () ->
            addresses(RW).equals(Set.of(cluster.primary().host()))
                && addresses(RO).equals(standbys));
  }

  Set<String> addresses(String service) {
    Endpoints endpoints = api.endpoints(service);
    return endpoints == null
        ? Set.of()
        : endpoints.getSubsets().stream()
            .flatMap(subset -> subset.getAddresses().stream())
            .map(EndpointAddress::getIp)
            .collect(Collectors.toSet());
  }

  /**
   * Waits, looking each millisecond.
   *
   * @return the moment, of {@link System#nanoTime}
   */
  static long await(String what, Program program, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > PATIENCE_NANOS || !program.process().isAlive()) {
        throw new IllegalStateException("waited for " + what + "; it said " + program.err());
      }
      sleep(1);
    }
    return System.nanoTime();
  }

  static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    api.close();
    cluster.close();
  }
}
