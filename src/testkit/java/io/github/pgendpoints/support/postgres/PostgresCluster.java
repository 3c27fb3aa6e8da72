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
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A real primary and its streaming standbys.
 *
 * <p>The program publishes many addresses with one port. Therefore each server has a separate
 * address (127.0.0.1, 127.0.0.2 and so on), and all servers have the same port. Linux accepts
 * connections on all of 127.0.0.0/8 without configuration; other systems do not.
 *
 * <p>The users over TCP all authenticate by SCRAM: {@link #USER}, which the program uses, and a
 * superuser and a replication user for the cluster itself.
 */
public final class PostgresCluster implements AutoCloseable {
  /** A role that may log in and has no other rights. */
  public static final String USER = "repmgr";

  public static final String PASSWORD = "repmgr-password";

  /** The only database besides the templates. */
  public static final String DATABASE = "repmgr";

  static final String SUPERUSER = "postgres";
  static final String SUPERUSER_PASSWORD = "postgres-password";
  static final String REPLICATION_USER = "replicator";
  static final String REPLICATION_PASSWORD = "replicator-password";

  /** Below the kernel's ports for outgoing connections, so that a restart finds its port free. */
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
            // More than are used at first, so that standbys added later find their port free.
            ? IntStream.rangeClosed(1, options.standbys + 8).mapToObj(i -> "127.0.0." + i).toList()
            : options.addresses;
    this.port = options.port == 0 ? freePort(addresses) : options.port;
    this.folder = Files.createTempDirectory("postgres-cluster-");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Starts a primary and two standbys on loopback addresses. */
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
      // Renamed, not added: each database has 300 files, which are most of a standby's copy.
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
        // There are no replication slots. Without this, a slow standby could lose WAL it needs.
        "wal_keep_size = 256MB",
        "wal_retrieve_retry_interval = 100ms",
        "password_encryption = 'scram-sha-256'",
        "unix_socket_directories = ''",
        // In the data directory, so that a killed server leaves no files outside it.
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

  /** Returns the server promoted last, or the first one. It need not be running. */
  public PostgresServer primary() {
    return servers.stream()
        .filter(server -> server.primarySince() != null)
        .max(Comparator.comparing(PostgresServer::primarySince))
        .orElseThrow();
  }

  /** Returns the servers not promoted since they joined. They need not be running. */
  public List<PostgresServer> standbys() {
    return servers.stream().filter(server -> server.primarySince() == null).toList();
  }

  /**
   * Returns the standby that has received the most WAL. After the loss of the primary, the others
   * can follow only this standby, since it has WAL that another may lack. Waits up to a second per
   * standby, because the last WAL that the primary sent may still be in transit.
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

  /** Returns all servers in the order of their addresses, including former primaries. */
  public List<PostgresServer> servers() {
    return List.copyOf(servers);
  }

  /** Returns the addresses of all servers as a value of PG_NODES. */
  public String nodes() {
    return servers.stream().map(PostgresServer::host).collect(Collectors.joining(","));
  }

  /** The port that all servers share. */
  public int port() {
    return port;
  }

  /** Adds a standby of the current primary on the next address, and waits until it streams. */
  public PostgresServer addStandby() throws SQLException {
    return startStandbys(1).get(0);
  }

  /**
   * Makes {@code server}, running or not, a standby of the current primary from a fresh copy, and
   * waits until it streams.
   */
  public void rejoin(PostgresServer server) throws SQLException {
    rejoin(server, primary());
  }

  /** Like {@link #rejoin(PostgresServer)}, but follows {@code primary}. */
  public void rejoin(PostgresServer server, PostgresServer primary) throws SQLException {
    if (server == primary) {
      throw new IllegalArgumentException(server + " is the current primary");
    }
    server.wipe();
    startAsStandbys(List.of(server), primary);
  }

  /** Waits until all running standbys stream from the current primary. */
  public void waitUntilStreaming() {
    PostgresServer primary = primary();
    standbys().stream()
        .filter(PostgresServer::isRunning)
        .forEach(standby -> standby.waitUntilStreamingFrom(primary));
  }

  /** Waits until these standbys, or all running ones, have replayed all WAL of the primary. */
  public void waitUntilReplayed(PostgresServer... standbys) throws SQLException {
    String written = primary().sql("SELECT pg_current_wal_flush_lsn()");
    List<PostgresServer> waitedFor =
        standbys.length > 0
            ? List.of(standbys)
            : standbys().stream().filter(PostgresServer::isRunning).toList();
    waitedFor.forEach(standby -> standby.waitUntilReplayed(written));
  }

  /** Ends all servers, in any state, and removes their files. */
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
        // The other servers must end all the same.
        failure = e;
      }
    }
    deleteFolder();
    if (failure != null) {
      throw failure;
    }
  }

  /** Retries: if the process ends while a server is being created, new files may still appear. */
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

    /** Sets the number of standbys at the start; the default is 2. */
    public Options standbys(int count) {
      this.standbys = count;
      return this;
    }

    /** Sets the addresses to listen on: the primary's, then those of present and later standbys. */
    public Options addresses(String... addresses) {
      this.addresses = List.of(addresses);
      return this;
    }

    /** Sets the port; required when the addresses are not in this network namespace. */
    public Options port(int port) {
      this.port = port;
      return this;
    }

    /** Sets {@code max_connections}; three of them are reserved for the superuser. */
    public Options maxConnections(int maxConnections) {
      this.maxConnections = maxConnections;
      return this;
    }

    /** Sets networks, such as 10.0.0.0/24, that may connect besides the loopback ones. */
    public Options subnets(String... subnets) {
      this.subnets = List.of(subnets);
      return this;
    }

    /** Sets additional lines for postgresql.conf. */
    public Options settings(String... lines) {
      this.settings = List.of(lines);
      return this;
    }

    /** Sets the prefix of the command for the server on an address, such as ip netns exec. */
    public Options launcher(Function<String, List<String>> launcher) {
      this.launcher = launcher;
      return this;
    }
  }
}
