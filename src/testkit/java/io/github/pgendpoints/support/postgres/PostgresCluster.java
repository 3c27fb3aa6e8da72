package io.github.pgendpoints.support.postgres;

import io.github.pgendpoints.topology.Lsn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A real primary and its streaming standbys.
 *
 * <p>The program publishes many addresses and one port. So each server has an address of its own,
 * 127.0.0.1, 127.0.0.2 and so on, and all have the same port. Linux answers on all of 127.0.0.0/8
 * without being told; other systems do not.
 *
 * <p>The users over TCP, all by SCRAM: {@link #USER} as the program has it, and a superuser and a
 * replication user for the cluster itself.
 */
public final class PostgresCluster implements AutoCloseable {
  /** A role which may log in and nothing else. */
  public static final String USER = "repmgr";

  public static final String PASSWORD = "repmgr-password";

  /** The only database besides the templates. */
  public static final String DATABASE = "repmgr";

  static final String SUPERUSER = "postgres";
  static final String SUPERUSER_PASSWORD = "postgres-password";
  static final String REPLICATION_USER = "replicator";
  static final String REPLICATION_PASSWORD = "replicator-password";

  /** Below the ports the kernel gives to outgoing connections, so that a restart finds its own. */
  private static final int LOWEST_PORT = 20_000;

  private static final int HIGHEST_PORT = 32_000;

  private final Options options;
  private final List<String> addresses;
  private final int port;
  private final Path folder;
  private final List<PostgresServer> servers = new CopyOnWriteArrayList<>();
  private final Thread closeOnExit = new Thread(this::closeServers, "close PostgreSQL");

  private PostgresCluster(Options options) throws IOException {
    this.options = options;
    this.addresses =
        options.addresses.isEmpty()
            // More than are used at first, so that standbys which are added find their port free.
            ? IntStream.rangeClosed(1, options.standbys + 8).mapToObj(i -> "127.0.0." + i).toList()
            : options.addresses;
    this.port = options.port == 0 ? freePort(addresses) : options.port;
    this.folder = Files.createTempDirectory("postgres-cluster-");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** A primary and two standbys on loopback addresses. */
  public static PostgresCluster start() throws SQLException {
    return start(new Options());
  }

  /** Starts a primary and its standbys and waits until they stream. */
  public static PostgresCluster start(Options options) throws SQLException {
    PostgresCluster cluster;
    try {
      cluster = new PostgresCluster(options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Runtime.getRuntime().addShutdownHook(cluster.closeOnExit);
    try {
      cluster.startPrimary();
      cluster.startStandbys(options.standbys);
      return cluster;
    } catch (SQLException | RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  private void startPrimary() throws SQLException {
    PostgresServer primary = newServer();
    primary.initdb();
    configure(primary);
    primary.start();
    try (Connection connection = primary.connect(SUPERUSER, SUPERUSER_PASSWORD, "template1");
        Statement statement = connection.createStatement()) {
      // Not one more database: each has 300 files, which make the best part of a standby's copy.
      statement.execute("ALTER DATABASE postgres RENAME TO " + DATABASE);
      statement.execute("CREATE ROLE " + USER + " LOGIN PASSWORD '" + PASSWORD + "'");
      statement.execute(
          "CREATE ROLE %s LOGIN REPLICATION PASSWORD '%s'"
              .formatted(REPLICATION_USER, REPLICATION_PASSWORD));
    }
  }

  private void configure(PostgresServer primary) {
    primary.appendToPostgresqlConf(
        "max_connections = " + options.maxConnections,
        "shared_buffers = 16MB",
        "fsync = off",
        "log_timezone = 'UTC'",
        "wal_init_zero = off",
        "wal_level = replica",
        "hot_standby = on",
        "max_wal_senders = 10",
        // There are no replication slots; without this a slow standby would lose its place.
        "wal_keep_size = 256MB",
        "wal_retrieve_retry_interval = 100ms",
        "password_encryption = 'scram-sha-256'",
        "unix_socket_directories = ''",
        // In the data directory, so that nothing outside it is left of a killed server.
        "dynamic_shared_memory_type = mmap");
    primary.appendToPostgresqlConf(options.settings.toArray(String[]::new));
    List<String> networks =
        OperatingSystem.concat(List.of("127.0.0.0/8", "::1/128"), options.subnets);
    try {
      Files.write(
          primary.dataDirectory().resolve("pg_hba.conf"),
          networks.stream()
              .map(network -> "host all,replication all " + network + " scram-sha-256")
              .toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<PostgresServer> startStandbys(int count) throws SQLException {
    PostgresServer primary = primary();
    List<PostgresServer> standbys = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      standbys.add(newServer());
    }
    startAsStandbys(standbys, primary);
    return standbys;
  }

  private static void startAsStandbys(List<PostgresServer> standbys, PostgresServer primary)
      throws SQLException {
    BaseBackup.copy(primary, standbys.stream().map(PostgresServer::dataDirectory).toList());
    for (PostgresServer standby : standbys) {
      standby.becomeStandbyOf(primary);
      standby.launch();
    }
    for (PostgresServer standby : standbys) {
      standby.waitUntilReady();
      standby.waitUntilStreamingFrom(primary);
    }
  }

  private PostgresServer newServer() {
    int index = servers.size();
    if (index == addresses.size()) {
      throw new IllegalStateException("no address is left of " + addresses);
    }
    String name = "node" + (index + 1);
    String address = addresses.get(index);
    PostgresServer server =
        new PostgresServer(
            name, address, port, folder.resolve(name), options.launcher.apply(address));
    try {
      Files.createDirectory(folder.resolve(name));
      OperatingSystem.giveToUnprivileged(folder.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    servers.add(server);
    return server;
  }

  /** The server promoted last, or the first one; it need not be running. */
  public PostgresServer primary() {
    return servers.stream()
        .filter(server -> server.primarySince() != null)
        .max(Comparator.comparing(PostgresServer::primarySince))
        .orElseThrow();
  }

  /** The servers which have not been promoted since they joined; they need not be running. */
  public List<PostgresServer> standbys() {
    return servers.stream().filter(server -> server.primarySince() == null).toList();
  }

  /**
   * The standby which has received most; after the loss of the primary the others can follow this
   * one only, since they may have what another lacks. What the primary sent last may still be on
   * its way for a moment.
   */
  public PostgresServer furthestStandby() throws SQLException {
    PostgresServer furthest = null;
    Lsn received = null;
    for (PostgresServer standby : standbys()) {
      for (int look = 0; look < 20 && isReceiving(standby); look++) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      }
    }
    for (PostgresServer standby : standbys()) {
      Lsn lsn = Lsn.of(standby.sql("SELECT pg_last_wal_receive_lsn()"));
      if (furthest == null || lsn.compareTo(received) > 0) {
        furthest = standby;
        received = lsn;
      }
    }
    return furthest;
  }

  private static boolean isReceiving(PostgresServer standby) throws SQLException {
    return "t"
        .equals(
            standby.sql(
                "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')"));
  }

  /** All servers in the order of their addresses, former primaries among them. */
  public List<PostgresServer> servers() {
    return List.copyOf(servers);
  }

  /** The one port of all servers. */
  public int port() {
    return port;
  }

  /** Adds a standby of the current primary on the next address, and waits until it streams. */
  public PostgresServer addStandby() throws SQLException {
    return startStandbys(1).get(0);
  }

  /**
   * Makes {@code server}, running or not, a standby of the current primary, by a fresh copy, and
   * waits until it streams.
   */
  public void rejoin(PostgresServer server) throws SQLException {
    rejoin(server, primary());
  }

  /**
   * As {@link #rejoin(PostgresServer)}, where another than the server promoted last is followed.
   */
  public void rejoin(PostgresServer server, PostgresServer primary) throws SQLException {
    if (server == primary) {
      throw new IllegalArgumentException(server + " is the current primary");
    }
    server.wipe();
    startAsStandbys(List.of(server), primary);
  }

  /** Waits until all standbys which are running stream from the current primary. */
  public void waitUntilStreaming() {
    PostgresServer primary = primary();
    standbys().stream()
        .filter(PostgresServer::isRunning)
        .forEach(standby -> standby.waitUntilStreamingFrom(primary));
  }

  /** Waits until these standbys, or all that run, have replayed what the primary has written. */
  public void waitUntilReplayed(PostgresServer... standbys) throws SQLException {
    String written = primary().sql("SELECT pg_current_wal_flush_lsn()");
    List<PostgresServer> waitedFor =
        standbys.length > 0
            ? List.of(standbys)
            : standbys().stream().filter(PostgresServer::isRunning).toList();
    waitedFor.forEach(standby -> standby.waitUntilReplayed(written));
  }

  /** Ends all servers, whatever their state, and removes their files. */
  @Override
  public void close() {
    closeServers();
    Runtime.getRuntime().removeShutdownHook(closeOnExit);
  }

  private void closeServers() {
    RuntimeException failure = null;
    for (PostgresServer server : servers) {
      try {
        server.close();
      } catch (RuntimeException e) {
        // The others must end all the same.
        failure = e;
      }
    }
    deleteFolder();
    if (failure != null) {
      throw failure;
    }
  }

  /** Where the process is ended while a server is being made, files may still come into being. */
  private void deleteFolder() {
    for (int attempt = 1; ; attempt++) {
      OperatingSystem.killAllThatName(folder);
      try {
        OperatingSystem.delete(folder);
        return;
      } catch (UncheckedIOException e) {
        if (attempt == 50) {
          throw e;
        }
      }
      LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
    }
  }

  private static int freePort(List<String> addresses) throws IOException {
    IOException taken = null;
    for (int attempt = 0; attempt < 100; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT);
      try {
        for (String address : addresses) {
          new ServerSocket(port, 1, InetAddress.getByName(address)).close();
        }
        return port;
      } catch (IOException e) {
        taken = e;
      }
    }
    throw new IOException("found no port that is free on all of " + addresses, taken);
  }

  /** How a cluster differs from a primary and two standbys on loopback addresses. */
  public static final class Options {
    private int standbys = 2;
    private List<String> addresses = List.of();
    private int port;
    private int maxConnections = 20;
    private List<String> subnets = List.of();
    private List<String> settings = List.of();
    private Function<String, List<String>> launcher = address -> List.of();

    /** How many standbys there are from the start. */
    public Options standbys(int count) {
      this.standbys = count;
      return this;
    }

    /** The addresses to listen on: the primary's, then those of standbys present and to come. */
    public Options addresses(String... addresses) {
      this.addresses = List.of(addresses);
      return this;
    }

    /** The port; needed when the addresses are not those of this network namespace. */
    public Options port(int port) {
      this.port = port;
      return this;
    }

    /** {@code max_connections}; three of them are the superuser's. */
    public Options maxConnections(int maxConnections) {
      this.maxConnections = maxConnections;
      return this;
    }

    /** Networks, such as 10.0.0.0/24, which may connect besides the loopback ones. */
    public Options subnets(String... subnets) {
      this.subnets = List.of(subnets);
      return this;
    }

    /** Lines for postgresql.conf. */
    public Options settings(String... lines) {
      this.settings = List.of(lines);
      return this;
    }

    /** What to put before the command of the server on an address, such as ip netns exec. */
    public Options launcher(Function<String, List<String>> launcher) {
      this.launcher = launcher;
      return this;
    }
  }
}
