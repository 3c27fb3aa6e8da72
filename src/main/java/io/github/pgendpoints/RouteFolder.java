package io.github.pgendpoints;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The folder of the routes, read as text before Camel reads it. */
record RouteFolder(Path path) {
  private static final String EXTENSION = ".camel.yaml";

  /** The folder of an installation, which may be a link. */
  static RouteFolder of(Path home) {
    Path path = home.resolve("routes");
    try {
      // Camel finds no file through a link to a folder.
      return new RouteFolder(path.toRealPath());
    } catch (IOException e) {
      return new RouteFolder(path);
    }
  }

  /**
   * The files for Camel, one by one: for a pattern, Camel also reads each folder beside them, and
   * doesn't start if it may not.
   */
  String pattern() {
    try {
      return routes().stream().map(file -> "file:" + file).collect(Collectors.joining(","));
    } catch (IOException e) {
      // Camel reports the cause.
      return "file:" + path + "/*" + EXTENSION;
    }
  }

  private List<Path> routes() throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files
          .filter(file -> file.toString().endsWith(EXTENSION) && !Files.isDirectory(file))
          .sorted()
          .toList();
    }
  }

  /** Files that look like a user's routes, but are not read; each with the reason. */
  Map<Path, String> ignored() {
    Map<Path, String> ignored = new TreeMap<>();
    Stream.of(path, path.resolve("alerts"))
        .flatMap(folder -> files(folder).stream())
        .filter(file -> file.toString().matches("(?i).*\\.ya?ml"))
        .filter(file -> !file.endsWith("kustomization.yaml"))
        .forEach(
            file -> {
              if (!file.toString().endsWith(EXTENSION)) {
                ignored.put(file, "route files end with .camel.yaml");
              } else if (!Files.isRegularFile(file)) {
                ignored.put(file, "it is a folder, or a link to no file");
              }
            });
    return ignored;
  }

  /** Returns none if the folder cannot be read. */
  private static List<Path> files(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Whether a file has this text; true as well if a file can't be read, which Camel reports. */
  boolean contains(String text) {
    try {
      for (Path file : routes()) {
        if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /**
   * Checks that a route runs the cycles: without one, the program would wait forever.
   *
   * @throws IllegalStateException if none does
   */
  void requireCycles() {
    if (!Files.isDirectory(path)) {
      throw new IllegalStateException("there is no folder " + path);
    }
    if (!contains("#ticks")) {
      throw new IllegalStateException("no route in " + path + " has the timer #ticks");
    }
  }
}
