package io.github.pgendpoints.support.postgres;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * One real PostgreSQL server, which a test can stop, kill, freeze and promote.
 *
 * <p>The postmaster is a child process of the tests. Servers come from a {@link PostgresCluster},
 * which also closes them.
 */
public final class PostgresServer implements AutoCloseable {
  /** The time limit of an operation; one that takes longer has failed. */
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private final String name;
  private final String host;
  private volatile int port;
  private final Path folder;
  private final List<String> launcher;

  private volatile Process postmaster;
  private String listensToo = "";
  private long logStart;
  private boolean closed;
  private volatile long primarySince;

  /**
   * @param name of the folder, and the server's name in {@code pg_stat_replication}
   * @param folder for the data directory and the log
   * @param launcher a prefix of the command, such as {@code ip netns exec}; may be empty
   */
  PostgresServer(String name, String host, int port, Path folder, List<String> launcher) {
    this.name = name;
    this.host = host;
    this.port = port;
    this.folder = folder;
    this.launcher = List.copyOf(launcher);
  }

  /** The name of this server in {@code pg_stat_replication} and in errors. */
  public String name() {
    return name;
  }

  /** The address that the server listens on. */
  public String host() {
    return host;
  }

  /** The port that the server listens on. */
  public int port() {
    return port;
  }

  /** The directory that holds the server's data. */
  public Path dataDirectory() {
    return folder.resolve("data");
  }

  private Path logFile() {
    return folder.resolve("server.log");
  }

  /** Returns all that this server has logged, over all its starts. */
  public String log() {
    return logFrom(0);
  }

  private String logFrom(long offset) {
    try (RandomAccessFile file = new RandomAccessFile(logFile().toFile(), "r")) {
      byte[] bytes = new byte[(int) (file.length() - offset)];
      file.seek(offset);
      file.readFully(bytes);
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "no log: " + e;
    }
  }

  // ---- its process

  /** Creates the data directory of a new cluster, with a new system identifier. */
  void initdb() {
    try {
      Path password = folder.resolve("password");
      Files.writeString(password, PostgresCluster.SUPERUSER_PASSWORD);
      OperatingSystem.giveToUnprivileged(folder);
      OperatingSystem.run(
          OperatingSystem.unprivileged(
              List.of(
                  PostgresBinaries.unpacked().initdb().toString(),
                  "--pgdata=" + dataDirectory(),
                  "--username=" + PostgresCluster.SUPERUSER,
                  "--pwfile=" + password,
                  "--auth=scram-sha-256",
                  "--encoding=UTF8",
                  "--locale=C",
                  "--no-sync")));
      primarySince = System.nanoTime();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Starts the server on its existing data and waits until it accepts connections.
   *
   * @throws IllegalStateException with the server's log if it does not start
   */
  public void start() {
    launch();
    waitUntilReady();
  }

  /** Adds an address to listen on from the next start on; a client may list the server twice. */
  public void listenOnToo(String address) {
    listensToo = "," + address;
  }

  /**
   * Creates the process without waiting, so that several servers can start at the same time, and a
   * server that accepts no connections can start at all.
   */
  public synchronized void launch() {
    if (closed || isRunning()) {
      throw new IllegalStateException(name + " is " + (closed ? "closed" : "running"));
    }
    try {
      logStart = Files.exists(logFile()) ? Files.size(logFile()) : 0;
      // On the command line, because the files in the data directory are copied to standbys.
      List<String> command =
          List.of(
              PostgresBinaries.unpacked().postgres().toString(),
              "-D",
              dataDirectory().toString(),
              "-h",
              host + listensToo,
              "-p",
              Integer.toString(port));
      postmaster =
          OperatingSystem.builder(
                  OperatingSystem.concat(launcher, OperatingSystem.unprivileged(command)))
              .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()))
              .start();
      postmaster.getOutputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void waitUntilReady() {
    try {
      until(name + " takes connections", this::isReady);
    } catch (RuntimeException e) {
      if (isRunning()) {
        kill();
      }
      throw e;
    }
  }

  /** Reads the status that the postmaster keeps in its lock file, as pg_ctl does. */
  private boolean isReady() throws IOException {
    if (!postmaster.isAlive()) {
      throw new IllegalStateException(
          name + " has ended with exit code " + postmaster.exitValue() + "\n" + logFrom(logStart));
    }
    List<String> lines = lockFile();
    return lines.size() > 7
        && lines.get(0).equals(Long.toString(postmaster.pid()))
        && lines.get(7).strip().equals("ready");
  }

  private List<String> lockFile() throws IOException {
    Path file = dataDirectory().resolve("postmaster.pid");
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  /** Whether the process exists, even if it is frozen or not ready. */
  public boolean isRunning() {
    Process process = postmaster;
    return process != null && process.isAlive();
  }

  /** Shuts down in fast mode: ends the sessions, then sends all WAL to the standbys and exits. */
  public void stop() {
    shutDown("INT");
  }

  /** Shuts down in immediate mode: the next start must recover, as after a crash. */
  public void stopImmediately() {
    shutDown("QUIT");
  }

  private void shutDown(String signal) {
    Process stopping = running();
    OperatingSystem.signal(signal, List.of(stopping.toHandle()));
    until(name + " has shut down", () -> !stopping.isAlive());
  }

  /** Stops in fast mode and starts again. */
  public void restart() {
    stop();
    start();
  }

  /** Stops in fast mode and starts again on another port. */
  public void restartOn(int otherPort) {
    stop();
    port = otherPort;
    start();
  }

  /** Ends all processes at once, like the loss of the host. Works on a frozen server, too. */
  public void kill() {
    kill(running());
  }

  private void kill(Process killed) {
    List<ProcessHandle> processes = freezeAll(killed);
    processes.forEach(ProcessHandle::destroyForcibly);
    until(
        name + " has been killed",
        () -> !killed.isAlive() && processes.stream().allMatch(OperatingSystem::isGone));
  }

  /** Freezes all processes: the kernel still accepts connections, but they get no response. */
  public void freeze() {
    freezeAll(running());
  }

  private static List<ProcessHandle> freezeAll(Process postmaster) {
    // The parent first: from then on there are no new children.
    List<ProcessHandle> all = new ArrayList<>(List.of(postmaster.toHandle()));
    OperatingSystem.signal("STOP", all);
    List<ProcessHandle> children = postmaster.descendants().toList();
    OperatingSystem.signal("STOP", children);
    all.addAll(children);
    return all;
  }

  /** Freezes only the postmaster: its sessions continue, but no new session can start. */
  public void freezePostmaster() {
    OperatingSystem.signal("STOP", List.of(running().toHandle()));
  }

  /** Resumes a frozen server. */
  public void thaw() {
    Process frozen = running();
    OperatingSystem.signal(
        "CONT", Stream.concat(Stream.of(frozen.toHandle()), frozen.descendants()).toList());
  }

  private Process running() {
    if (!isRunning()) {
      throw new IllegalStateException(name + " is not running");
    }
    return postmaster;
  }

  /** Kills the server, if it runs, and removes its data. The log stays. */
  void wipe() {
    Process running = postmaster;
    if (running != null && running.isAlive()) {
      kill(running);
    }
    try {
      List<String> lines = lockFile();
      if (lines.size() > 6 && !lines.get(6).isBlank()) {
        String[] keyAndId = lines.get(6).strip().split("\\s+");
        OperatingSystem.removeSharedMemory(keyAndId[1]);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    OperatingSystem.delete(dataDirectory());
  }

  /** Ends the server permanently, in any state, and removes its data. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    wipe();
  }

  // ---- its role

  /** The time it became a primary, as {@link System#nanoTime}; null for a standby. */
  Long primarySince() {
    return primarySince == 0 ? null : primarySince;
  }

  /** Promotes this standby and waits until it accepts writes. */
  public void promote() throws SQLException {
    requestPromotion();
    until(name + " is promoted", () -> !isInRecovery());
  }

  /** Promotes this standby and returns while the promotion is still in progress. */
  public void requestPromotion() throws SQLException {
    if (!"t".equals(sql("SELECT pg_promote(false)"))) {
      throw new IllegalStateException(name + " does not take the request to promote");
    }
    primarySince = System.nanoTime();
  }

  /** Returns {@code pg_is_in_recovery()}: false on a primary, true on a standby. */
  public boolean isInRecovery() throws SQLException {
    return "t".equals(sql("SELECT pg_is_in_recovery()"));
  }

  /** Returns the timeline of the WAL that this primary writes. */
  public int timeline() throws SQLException {
    return Integer.parseInt(
        sql("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"), /* radix= */ 16);
  }

  /** Makes this running standby stream from {@code primary}, and waits until it does. */
  public void follow(PostgresServer primary) throws SQLException {
    if (!isInRecovery()) {
      throw new IllegalStateException(name + " is no standby; it can only rejoin the cluster");
    }
    sql("ALTER SYSTEM SET primary_conninfo = '" + conninfo(primary) + "'");
    sql("SELECT pg_reload_conf()");
    waitUntilStreamingFrom(primary);
  }

  /**
   * Starts this former primary as a standby of {@code primary} on its existing data, without
   * pg_rewind. WAL that only this server has written stays; with too much of it, it cannot stream.
   */
  public void rejoinWithoutRewind(PostgresServer primary) {
    becomeStandbyOf(primary);
    start();
  }

  /** Copies the data of this server, which must be stopped, and returns the copy's folder. */
  public Path snapshot() {
    Path copy = folder.resolve("snapshot");
    OperatingSystem.delete(copy);
    OperatingSystem.run(List.of("cp", "-a", dataDirectory().toString(), copy.toString()));
    return copy;
  }

  /** Restores the data of an earlier {@link #snapshot}; the server must be stopped. */
  public void restore(Path snapshot) {
    OperatingSystem.delete(dataDirectory());
    OperatingSystem.run(List.of("cp", "-a", snapshot.toString(), dataDirectory().toString()));
  }

  /** Turns the data, a copy of {@code primary}'s data, into that of a standby. */
  void becomeStandbyOf(PostgresServer primary) {
    try {
      Files.createFile(dataDirectory().resolve("standby.signal"));
      Files.writeString(
          dataDirectory().resolve("postgresql.auto.conf"),
          "primary_conninfo = '" + conninfo(primary) + "'\n",
          StandardOpenOption.APPEND);
      OperatingSystem.giveToUnprivileged(dataDirectory());
      primarySince = 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String conninfo(PostgresServer primary) {
    return "host=%s port=%d user=%s password=%s application_name=%s"
        .formatted(
            primary.host,
            primary.port,
            PostgresCluster.REPLICATION_USER,
            PostgresCluster.REPLICATION_PASSWORD,
            name);
  }

  void waitUntilStreamingFrom(PostgresServer primary) {
    until(
        name + " streams from " + primary.name,
        () ->
            "streaming"
                .equals(
                    primary.sql(
                        "SELECT state FROM pg_stat_replication WHERE application_name = '"
                            + name
                            + "' ORDER BY backend_start DESC")));
  }

  void waitUntilReplayed(String lsn) {
    until(
        name + " has replayed up to " + lsn,
        () -> "t".equals(sql("SELECT pg_last_wal_replay_lsn() >= '" + lsn + "'")));
  }

  // ---- its SQL

  /** Returns a URL without user and password. */
  public String jdbcUrl(String database) {
    String bracketed = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
    return "jdbc:postgresql://" + bracketed + ":" + port + "/" + database;
  }

  /** Connects as superuser. */
  public Connection connect() throws SQLException {
    return connect(
        PostgresCluster.SUPERUSER, PostgresCluster.SUPERUSER_PASSWORD, PostgresCluster.DATABASE);
  }

  /** Connects over TCP with a password. */
  public Connection connect(String user, String password, String database) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", user);
    properties.setProperty("password", password);
    properties.setProperty("connectTimeout", Long.toString(PATIENCE.toSeconds()));
    properties.setProperty("socketTimeout", Long.toString(PATIENCE.toSeconds()));
    return DriverManager.getConnection(jdbcUrl(database), properties);
  }

  /** Executes a statement as superuser; returns the first column of the first row, or null. */
  public String sql(String statement) throws SQLException {
    try (Connection connection = connect();
        Statement executed = connection.createStatement()) {
      if (executed.execute(statement)) {
        try (ResultSet rows = executed.getResultSet()) {
          return rows.next() ? rows.getString(1) : null;
        }
      }
      return null;
    }
  }

  // ---- its configuration

  /** Adds lines to postgresql.conf, where the last one wins; {@link #reload} applies them. */
  public void appendToPostgresqlConf(String... lines) {
    try {
      Files.write(
          dataDirectory().resolve("postgresql.conf"), List.of(lines), StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts lines on top of pg_hba.conf, where the first one wins; {@link #reload} applies them. */
  public void prependToPgHba(String... lines) {
    Path file = dataDirectory().resolve("pg_hba.conf");
    try {
      Files.write(file, OperatingSystem.concat(List.of(lines), Files.readAllLines(file)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Enables TLS with a certificate and a key in PEM, and waits until it is active. */
  public void enableTls(Path certificate, Path key) throws SQLException {
    try {
      install(certificate, "server.crt");
      install(key, "server.key");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    appendToPostgresqlConf("ssl = on");
    reload();
  }

  /** Trusts the client certificates that an authority has signed. */
  public void trustClientsOf(Certificates authority) throws SQLException {
    try {
      install(authority.certificate(), "root.crt");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    appendToPostgresqlConf("ssl_ca_file = 'root.crt'");
    reload();
  }

  private void install(Path source, String file) throws IOException {
    Path target = dataDirectory().resolve(file);
    Files.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
    Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-------"));
    OperatingSystem.giveToUnprivileged(target);
  }

  /** Reloads the configuration and waits until it applies to new sessions. */
  public void reload() throws SQLException {
    String before = sql("SELECT pg_conf_load_time()");
    sql("SELECT pg_reload_conf()");
    until(
        name + " has reloaded its configuration",
        () -> !before.equals(sql("SELECT pg_conf_load_time()")));
  }

  private void until(String goal, Callable<Boolean> condition) {
    try {
      await(goal)
          .atMost(PATIENCE)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(20))
          .pollInSameThread()
          .until(condition);
    } catch (ConditionTimeoutException e) {
      throw new IllegalStateException(
          "not within " + PATIENCE.toSeconds() + " s: " + goal + "\n" + logFrom(logStart), e);
    }
  }

  @Override
  public String toString() {
    return name + " (" + host + " port " + port + ")";
  }
}
