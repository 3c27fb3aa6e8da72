package io.github.pgendpoints.bench;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Three servers and an API managed by this process, and the program beside them with the
 * environment of a pod: TLS to the API, and its own token.
 */
final class Scene implements AutoCloseable {
  static final String NAMESPACE = "db";
  static final String RW = "pg-rw";
  static final String RO = "pg-ro";

  private static final long PATIENCE_NANOS = 120_000_000_000L;

  /** The delay of the mirroring after a change, similar to that of kube-controller-manager. */
  private static final Duration MIRRORING = Duration.ofMillis(5);

  /** Requests until HotSpot has compiled the request path. A real API server needs no warm-up. */
  private static final int WARM_UP = 1000;

  private final PostgresCluster cluster;
  private final FakeApiServer api =
      new FakeApiServer(NAMESPACE, true).withMirroring(MIRRORING).withTls();
  private final Queue<Expected> expected = new ConcurrentLinkedQueue<>();
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
    warmUp();
    api.onChange(this::look);
    token = Files.writeString(installation.folder().resolve("token"), "fake-token");
    certificate = api.caCertificate(installation.folder().resolve("ca.crt"));
  }

  private void warmUp() {
    Endpoints endpoints =
        new EndpointsBuilder()
            .withNewMetadata()
            .withName("warm-up")
            .endMetadata()
            .addNewSubset()
            .addNewAddress()
            .withIp("10.0.0.1")
            .endAddress()
            .endSubset()
            .build();
    try (KubernetesClient client = api.client()) {
      client.resource(endpoints).create();
      for (int i = 0; i < WARM_UP; i++) {
        String now = String.valueOf(i);
        client
            .endpoints()
            .withName("warm-up")
            .edit(
                e ->
                    new EndpointsBuilder(e)
                        .editMetadata()
                        .addToLabels("n", now)
                        .endMetadata()
                        .build());
      }
      client.resource(endpoints).delete();
    }
    api.clearRequests();
  }

  /** The addresses expected for a Service, and the time at which it has them. */
  private record Expected(String service, Set<String> addresses, CompletableFuture<Long> at) {}

  /**
   * When the Service has these addresses, as {@link System#nanoTime}. Checked after each change
   * instead of by polling, because polling would take CPU time from the program being measured.
   */
  CompletableFuture<Long> written(String service, Set<String> addresses) {
    CompletableFuture<Long> at =
        new CompletableFuture<Long>().orTimeout(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    expected.add(new Expected(service, addresses, at));
    return at;
  }

  private void look() {
    long now = System.nanoTime();
    expected.removeIf(
        one -> addresses(one.service()).equals(one.addresses()) && one.at().complete(now));
  }

  PostgresCluster cluster() {
    return cluster;
  }

  FakeApiServer api() {
    return api;
  }

  /** The program with the settings of this scene; {@code before} precedes its command. */
  Program program(Installation.Java java, String... before) {
    return place(installation.program(java, before));
  }

  /** Adds the settings of this scene to a program. */
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

  /** Waits until the Services route to the primary and to all standbys. */
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
   * Waits for a condition, which is checked every millisecond.
   *
   * @return the time at which it holds, as {@link System#nanoTime}
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
