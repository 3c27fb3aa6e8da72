package io.github.pgendpoints.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A program in a separate process, with only the environment that it is given. Keeps what the
 * program prints.
 */
public final class Program implements AutoCloseable {
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final List<String> command = new ArrayList<>();
  private final Path out = temporaryFile();
  private final Path err = temporaryFile();
  private Path folder = Path.of("").toAbsolutePath();
  private Process process;

  /** Creates a program that this command starts, on the Java that runs the tests. */
  public Program(String... command) {
    this.command.addAll(List.of(command));
    with("PATH", System.getenv("PATH"));
    with("JAVA_HOME", System.getProperty("java.home"));
  }

  /** Sets an environment variable; null removes it. */
  public Program with(String name, String value) {
    environment.put(name, value);
    environment.values().removeIf(set -> set == null);
    return this;
  }

  /** Sets the working directory; the default is that of the tests. */
  public Program in(Path workingDirectory) {
    folder = workingDirectory;
    return this;
  }

  public Program start(String... arguments) {
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** Starts the program, waits for its end, and returns the exit code. */
  public int run(String... arguments) {
    return start(arguments).exitCode(60);
  }

  /** Waits for the end, at most so many seconds, and returns the exit code. */
  public int exitCode(int seconds) {
    try {
      if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
        throw new AssertionError("runs after " + seconds + " s; it said " + out() + err());
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  /** Sends SIGTERM. */
  public Program terminate() {
    process.destroy();
    return this;
  }

  public Process process() {
    return process;
  }

  /** Returns what the program has printed to standard output so far. */
  public String out() {
    return read(out);
  }

  /** Returns what the program has printed to standard error so far. */
  public String err() {
    return read(err);
  }

  @Override
  public void close() {
    try {
      if (process != null) {
        process.destroyForcibly().waitFor();
      }
      Files.delete(out);
      Files.delete(err);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Path temporaryFile() {
    try {
      return Files.createTempFile("program-", ".txt");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
