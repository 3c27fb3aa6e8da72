package io.github.pgendpoints.support;

import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/** The folder that {@code mvn package} leaves, or a copy of it, and the program in it. */
public final class PackagedProgram {
  /** All servers of a test have loopback addresses, which Kubernetes would refuse. */
  public static final String ALLOW_LOOPBACK = "-Dpostgres-endpoint-manager.allow-loopback=true";

  private final Path home;

  public PackagedProgram(Path home) {
    this.home = home;
  }

  /** Returns the folder that {@code mvn package} left. */
  public static PackagedProgram original() {
    String folder = System.getProperty("distribution", "target/postgres-endpoint-manager");
    return new PackagedProgram(Path.of(folder).toAbsolutePath());
  }

  /** Copies the folder, but not the archive, which is valid only in the original folder. */
  public PackagedProgram copiedTo(Path copy) throws IOException {
    try (Stream<Path> files = Files.walk(home)) {
      for (Path file : files.filter(file -> !file.startsWith(home.resolve("archive"))).toList()) {
        Files.copy(file, copy.resolve(home.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    return new PackagedProgram(copy);
  }

  /** Adds {@link #ALLOW_LOOPBACK} to the options of the program. */
  public PackagedProgram allowLoopback() throws IOException {
    Files.writeString(
        home.resolve("config/jvm.options"), ALLOW_LOOPBACK + "\n", StandardOpenOption.APPEND);
    return this;
  }

  public Path home() {
    return home;
  }

  public Path launcher() {
    return home.resolve("bin/postgres-endpoint-manager");
  }

  /** Returns the program without settings. */
  public Program program() {
    return new Program(launcher().toString());
  }

  /** Returns the program with the settings that it needs to manage the cluster. */
  public Program program(PostgresCluster cluster, Path kubeconfig) {
    return configured(program(), cluster, kubeconfig);
  }

  /** Gives a program the settings that it needs to manage the cluster. */
  public static Program configured(Program program, PostgresCluster cluster, Path kubeconfig) {
    return program
        .with("HOME", kubeconfig.getParent().toString())
        .with("KUBECONFIG", kubeconfig.toString())
        .with("PG_NODES", cluster.nodes())
        .with("PGPORT", String.valueOf(cluster.port()))
        .with("PGUSER", PostgresCluster.USER)
        .with("PGDATABASE", PostgresCluster.DATABASE)
        .with("PGPASSWORD", PostgresCluster.PASSWORD)
        .with("RW_SERVICE", "pg-rw")
        .with("RO_SERVICE", "pg-ro");
  }
}
