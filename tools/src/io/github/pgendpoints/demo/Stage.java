package io.github.pgendpoints.demo;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.CycleCount;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The stage of the demo: a PostgreSQL cluster, a Kubernetes API, and the manager between them.
 *
 * <p>The facts that the demo shows come from the servers and the API, not from the manager.
 * Otherwise the demo could not detect that the manager is wrong.
 */
final class Stage implements AutoCloseable {
  static final String RW = "pg-rw";
  static final String RO = "pg-ro";

  private static final String NAMESPACE = "demo";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final PostgresCluster cluster;
  private final FakeApiServer api = new FakeApiServer(NAMESPACE, true);
  private final CycleCount cycles = new CycleCount();
  private final Run manager;
  private int written;

  /** Starts the servers and the API. {@link #startManager} starts the manager. */
  Stage() throws SQLException {
    cluster = PostgresCluster.start();
    cluster.primary().sql("CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY)");
    // The rights that the program recommends: with them it reads timelines and their histories.
    cluster.primary().sql("GRANT pg_monitor TO " + PostgresCluster.USER);
    cluster.primary().sql("ALTER ROLE " + PostgresCluster.USER + " REPLICATION");
    api.start();
    api.createService(RW, "postgresql", cluster.port());
    api.createService(RO, "postgresql", cluster.port());
    manager =
        new Run(cluster, api).bind("cycles", cycles).with("RW_SERVICE", RW).with("RO_SERVICE", RO);
  }

  void startManager() {
    manager.start(Mode.CONTINUOUS);
  }

  PostgresCluster cluster() {
    return cluster;
  }

  /** Returns the lines the manager has logged that contain {@code text}. */
  List<String> logged(String text) {
    return manager.logged(text);
  }

  /** Discards the lines that the manager has logged so far. */
  void forgetLog() {
    manager.forgetLog();
  }

  int linesLogged() {
    return manager.log().size();
  }

  // ---- facts

  /** Returns the addresses behind a Service, separated by commas; {@code -} if there is none. */
  String addresses(String service) {
    Endpoints endpoints = api.endpoints(service);
    String addresses =
        endpoints == null
            ? ""
            : endpoints.getSubsets().stream()
                .flatMap(subset -> subset.getAddresses().stream())
                .map(EndpointAddress::getIp)
                .collect(Collectors.joining(","));
    return addresses.isEmpty() ? "-" : addresses;
  }

  /** Returns the resource versions of both Endpoints. The API raises one with each write. */
  String versions() {
    return Stream.of(RW, RO)
        .map(service -> service + " " + api.endpoints(service).getMetadata().getResourceVersion())
        .collect(Collectors.joining(", "));
  }

  /** Two tables: the nodes as the servers report them, and the Services as the API has them. */
  List<List<List<String>>> tables() {
    List<List<String>> nodes = new ArrayList<>();
    nodes.add(List.of("NODE", "ADDRESS", "STATE", "TIMELINE", "SERVED BY"));
    for (PostgresServer server : cluster.servers()) {
      State state = State.of(server);
      nodes.add(
          List.of(server.name(), server.host(), state.name, state.timeline, servedBy(server)));
    }
    List<List<String>> services = new ArrayList<>();
    services.add(List.of("SERVICE", "ENDPOINTS", "last-topology"));
    for (String service : List.of(RW, RO)) {
      services.add(List.of(service, addresses(service), lastTopology(service)));
    }
    return List.of(nodes, services);
  }

  private record State(String name, String timeline) {
    static State of(PostgresServer server) {
      if (!server.isRunning()) {
        return new State("down", "");
      }
      try {
        return server.isInRecovery()
            ? new State("standby", "")
            : new State("PRIMARY", String.valueOf(server.timeline()));
      } catch (SQLException e) {
        return new State("no answer", "");
      }
    }
  }

  private String servedBy(PostgresServer server) {
    return Stream.of(RW, RO)
        .filter(service -> List.of(addresses(service).split(",")).contains(server.host()))
        .collect(Collectors.joining(" "));
  }

  private String lastTopology(String service) {
    Endpoints endpoints = api.endpoints(service);
    return endpoints == null
        ? "-"
        : endpoints.getMetadata().getAnnotations().getOrDefault(Annotations.LAST_TOPOLOGY, "-");
  }

  /** The URL under which the API serves the Endpoints of a Service. */
  String url(String service) {
    return "%s/api/v1/namespaces/%s/endpoints/%s".formatted(api.url(), NAMESPACE, service);
  }

  /** Returns the ID of the process to kill in order to lose the server. */
  String pid(PostgresServer server) throws SQLException {
    return server.sql("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");
  }

  // ---- actions

  /**
   * Writes as an application does: to the address that the Endpoints of {@link #RW} hold.
   *
   * @return the server that stored the row
   */
  PostgresServer write() throws SQLException {
    String address = addresses(RW);
    PostgresServer server =
        cluster.servers().stream()
            .filter(candidate -> candidate.host().equals(address))
            .findFirst()
            .orElseThrow(
                () -> new UnexpectedOutcomeException(RW + " has no one address but " + address));
    writeTo(server);
    written++;
    return server;
  }

  /** Writes to a server directly, independent of the Services. */
  void writeTo(PostgresServer server) throws SQLException {
    server.sql("INSERT INTO orders DEFAULT VALUES");
  }

  /** The number of rows written through {@link #RW}. */
  int written() {
    return written;
  }

  /**
   * How long a promotion took to become effective.
   *
   * @param promotion from the request to the first {@code pg_is_in_recovery()} that is false
   * @param publication from that result until the API holds the new address
   */
  record Timing(Duration promotion, Duration publication) {}

  /** Promotes a standby and polls the server and the API, each in a separate thread. */
  Timing promote(PostgresServer standby) throws SQLException {
    CompletableFuture<Long> published =
        CompletableFuture.supplyAsync(
            () -> momentOf(RW + " to hold " + standby, () -> isPublished(standby)),
            command -> new Thread(command, "watch " + RW).start());
    try (Connection connection = standby.connect();
        Statement statement = connection.createStatement()) {
      standby.requestPromotion();
      long requested = System.nanoTime();
      long writable = momentOf(standby + " to accept writes", () -> acceptsWrites(statement));
      return new Timing(
          Duration.ofNanos(writable - requested), Duration.ofNanos(published.join() - writable));
    }
  }

  private boolean isPublished(PostgresServer server) {
    return addresses(RW).equals(server.host());
  }

  private static boolean acceptsWrites(Statement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery("SELECT NOT pg_is_in_recovery()")) {
      return row.next() && row.getBoolean(1);
    }
  }

  // ---- waiting

  /** Waits for a condition. */
  void await(String goal, Callable<Boolean> condition) {
    momentOf(goal, condition);
  }

  /** Waits until the cycle in flight and {@code more} after it have ended and been logged. */
  void awaitCycles(int more) {
    int ended = cycles.ended();
    momentOf(more + " more cycles", () -> cycles.ended() > ended + more);
  }

  /** Discards the recorded requests, which would otherwise fill the memory over time. */
  void forgetRequests() {
    api.clearRequests();
  }

  /** Waits for a condition and returns the time it became true, accurate to a millisecond. */
  private long momentOf(String goal, Callable<Boolean> condition) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (!condition.call()) {
        if (System.nanoTime() > deadline) {
          throw new UnexpectedOutcomeException(
              "waited %d s for %s; the Endpoints hold %s and %s"
                  .formatted(PATIENCE.toSeconds(), goal, addresses(RW), addresses(RO)));
        }
        Thread.sleep(1);
      }
      return System.nanoTime();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("while waiting for " + goal, e);
    }
  }

  @Override
  public void close() {
    try (cluster;
        api) {
      manager.close();
    }
  }
}
