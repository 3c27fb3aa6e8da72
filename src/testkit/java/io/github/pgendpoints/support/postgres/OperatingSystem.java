package io.github.pgendpoints.support.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Processes, signals and owners of files.
 *
 * <p>PostgreSQL refuses to run as root, but tests in a container often run as root. PostgreSQL's
 * programs then run as another user, who must own the data directory.
 */
final class OperatingSystem {
  /** Long enough for initdb, the slowest command, on a machine that is busy with other tests. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** The user nobody on every common distribution; initdb requires that its user has a name. */
  private static final String NOBODY = "65534";

  private static final List<String> SETPRIV =
      List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups");

  /** Needs no other user: in a new user namespace, root and the owner of its files are nobody. */
  private static final List<String> UNSHARE = List.of("unshare", "--user");

  private static final class Unprivileged {
    static final List<String> COMMAND = find();

    private static List<String> find() {
      if (!isRoot()) {
        return List.of();
      }
      for (List<String> command : List.of(SETPRIV, UNSHARE)) {
        if (succeeds(concat(command, List.of("true")))) {
          return command;
        }
      }
      throw new IllegalStateException(
          "PostgreSQL refuses to run as root, and neither setpriv nor unshare --user works here");
    }

    private static boolean isRoot() {
      try {
        return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private OperatingSystem() {}

  /** Returns the command that runs {@code command} as a user that PostgreSQL accepts. */
  static List<String> unprivileged(List<String> command) {
    return concat(Unprivileged.COMMAND, command);
  }

  /** Gives {@code path} and all below it to the user of {@link #unprivileged}. */
  static void giveToUnprivileged(Path path) {
    if (Unprivileged.COMMAND.equals(SETPRIV)) {
      run(List.of("chown", "-R", NOBODY + ":" + NOBODY, path.toString()));
    }
  }

  /** Returns a builder for PostgreSQL's programs, without the tests' PG variables and locale. */
  static ProcessBuilder builder(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.startsWith("PG") || name.equals("LANG"));
    builder.environment().put("LC_ALL", "C");
    return builder;
  }

  /**
   * Runs a command that prints little.
   *
   * @throws IllegalStateException with the output when it fails or does not end in time
   */
  static void run(List<String> command) {
    try {
      Process process = builder(command).start();
      if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("still running after " + LIMIT + ": " + command);
      }
      if (process.exitValue() != 0) {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        throw new IllegalStateException(
            "exit code " + process.exitValue() + " of " + command + "\n" + output);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + command, e);
    }
  }

  private static boolean succeeds(List<String> command) {
    try {
      run(command);
      return true;
    } catch (IllegalStateException | UncheckedIOException e) {
      return false;
    }
  }

  /** Sends a signal, such as {@code STOP}. Ignores a failure if a process has just ended. */
  static void signal(String signal, Collection<ProcessHandle> processes) {
    String ids =
        processes.stream()
            .map(process -> Long.toString(process.pid()))
            .collect(Collectors.joining(" "));
    // The shell has the command built in; small images have no kill program.
    if (!ids.isEmpty()
        && !succeeds(List.of("sh", "-c", "kill -" + signal + " " + ids))
        && !processes.stream().anyMatch(OperatingSystem::isGone)) {
      throw new IllegalStateException("cannot send " + signal + " to " + ids);
    }
  }

  /** Kills the child processes with {@code path} on their command line, such as initdb. */
  static void killAllThatName(Path path) {
    ProcessHandle.current()
        .children()
        .filter(child -> child.info().commandLine().orElse("").contains(path.toString()))
        .flatMap(child -> Stream.concat(child.descendants(), Stream.of(child)))
        .forEach(ProcessHandle::destroyForcibly);
  }

  /** Whether a process has ended, even if its parent has not read its exit code yet. */
  static boolean isGone(ProcessHandle process) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
      return !process.isAlive() || stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
    } catch (IOException e) {
      return true;
    }
  }

  /** Removes the interlock segment that a killed server leaves to the kernel until a reboot. */
  static void removeSharedMemory(String id) {
    succeeds(List.of("ipcrm", "-m", id));
  }

  /** Deletes {@code path} and all below it, if it exists. */
  static void delete(Path path) {
    if (Files.exists(path)) {
      try (Stream<Path> paths = Files.walk(path)) {
        for (Path each : paths.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(each);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  static List<String> concat(List<String> first, List<String> second) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }
}
