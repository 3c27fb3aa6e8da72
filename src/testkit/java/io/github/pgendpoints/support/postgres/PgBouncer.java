package io.github.pgendpoints.support.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** PgBouncer from the package of the distribution, in front of one server. */
public final class PgBouncer implements AutoCloseable {
  private static final Path PROGRAM = Path.of("/usr/sbin/pgbouncer");

  private final Process process;
  private final int port;
  private final Path log;

  private PgBouncer(Process process, int port, Path log) {
    this.process = process;
    this.port = port;
    this.log = log;
  }

  /** Whether the package is installed. */
  public static boolean isInstalled() {
    return Files.isExecutable(PROGRAM);
  }

  /**
   * Starts PgBouncer on the server's address.
   *
   * @param mode the mode of the pool: session, transaction, or statement
   */
  public static PgBouncer start(PostgresServer server, String mode) {
    try {
      int port = freePort(server.host());
      Path folder = Files.createTempDirectory("pgbouncer");
      Path users = folder.resolve("users.txt");
      Path log = folder.resolve("pgbouncer.log");
      Files.writeString(
          users, "\"%s\" \"%s\"\n".formatted(PostgresCluster.USER, PostgresCluster.PASSWORD));
      Path ini =
          Files.writeString(
              folder.resolve("pgbouncer.ini"),
              """
              [databases]
              * = host=%1$s port=%2$d
              [pgbouncer]
              listen_addr = %1$s
              listen_port = %3$d
              unix_socket_dir =
              auth_type = scram-sha-256
              auth_file = %4$s
              logfile = %5$s
              pool_mode = %6$s
              """
                  .formatted(server.host(), server.port(), port, users, log, mode));
      OperatingSystem.giveToUnprivileged(folder);
      Process process =
          OperatingSystem.builder(
                  OperatingSystem.unprivileged(List.of(PROGRAM.toString(), ini.toString())))
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("output.txt").toFile())
              .start();
      PgBouncer started = new PgBouncer(process, port, log);
      started.awaitReady(server.host());
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int freePort(String host) throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName(host))) {
      return free.getLocalPort();
    }
  }

  private void awaitReady(String host) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (true) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(host, port), 1000);
        return;
      } catch (IOException e) {
        if (!process.isAlive() || System.nanoTime() > end) {
          close();
          throw new IOException("PgBouncer does not start: " + log(), e);
        }
      }
      pause();
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The port on which PgBouncer listens, on the address of the server. */
  public int port() {
    return port;
  }

  /** Returns what PgBouncer has logged. */
  public String log() {
    try {
      return Files.exists(log) ? Files.readString(log) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    OperatingSystem.delete(log.getParent());
  }
}
