package io.github.pgendpoints.bench;

import io.github.pgendpoints.Application;
import io.github.pgendpoints.support.Program;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** A copy of the folder that {@code mvn package} creates, to be trained on each Java version. */
final class Installation implements AutoCloseable {
  private final Path parent;
  private final Path home;

  /** A Java installation: its feature version and its home folder. */
  record Java(int version, Path home) {
    /** The running Java and those in the folder beside it, from 17 on, one per feature version. */
    static List<Java> all() throws IOException {
      TreeMap<Integer, Java> found = new TreeMap<>();
      Path mine = Path.of(System.getProperty("java.home")).toRealPath();
      found.put(Runtime.version().feature(), new Java(Runtime.version().feature(), mine));
      try (Stream<Path> siblings = Files.list(mine.getParent())) {
        for (Path home : siblings.filter(path -> Files.exists(path.resolve("release"))).toList()) {
          Files.readAllLines(home.resolve("release")).stream()
              .filter(line -> line.matches("JAVA_VERSION=\"\\d\\d.*"))
              .map(line -> Integer.valueOf(line.replaceAll("^\\D*(\\d+).*", "$1")))
              .filter(version -> version >= 17)
              .forEach(version -> found.putIfAbsent(version, new Java(version, home)));
        }
      }
      return List.copyOf(found.values());
    }
  }

  Installation() throws IOException {
    Path packaged = Path.of(System.getProperty("distribution", "target/postgres-endpoint-manager"));
    if (!Files.isDirectory(packaged)) {
      throw new IllegalStateException(packaged + " is not there: run 'mvn package' first");
    }
    parent = Files.createTempDirectory("bench-");
    home = parent.resolve("postgres-endpoint-manager");
    try (Stream<Path> files = Files.walk(packaged)) {
      for (Path file :
          files.filter(file -> !file.startsWith(packaged.resolve("archive"))).toList()) {
        Files.copy(
            file, home.resolve(packaged.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    // All servers have loopback addresses, which Kubernetes would reject.
    Files.writeString(
        home.resolve("config/jvm.options"),
        "-Dpostgres-endpoint-manager.allow-loopback=true\n",
        StandardOpenOption.APPEND);
  }

  /** An installation that runs {@link Plain} with the same jars, options and training. */
  static Installation ofPlain() throws IOException {
    Installation installation = new Installation();
    String name = Plain.class.getName().replace('.', '/') + ".class";
    Path jar = Files.createDirectories(installation.home.resolve("ext")).resolve("plain.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (String entry : List.of(name, Plain.ROUTE)) {
        out.putNextEntry(new JarEntry(entry));
        Installation.class.getResourceAsStream("/" + entry).transferTo(out);
      }
    }
    Path launcher = Path.of(installation.launcher());
    String original = Files.readString(launcher);
    String changed =
        original.replace(Application.class.getName() + " ", Plain.class.getName() + " ");
    if (changed.equals(original)) {
      throw new IllegalStateException(launcher + " does not start " + Application.class);
    }
    Files.writeString(launcher, changed);
    return installation;
  }

  void train(Java java) {
    try (Program training = program(java)) {
      if (training.start("--train").exitCode(600) != 0) {
        throw new IllegalStateException(training.err());
      }
    }
  }

  /** The program, without settings. */
  Program program(Java java, String... before) {
    String[] command =
        Stream.concat(Stream.of(before), Stream.of(launcher())).toArray(String[]::new);
    return new Program(command).with("JAVA_HOME", java.home().toString());
  }

  private String launcher() {
    return home.resolve("bin/postgres-endpoint-manager").toString();
  }

  /** The folder for the files of a run. */
  Path folder() {
    return parent;
  }

  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(parent)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
