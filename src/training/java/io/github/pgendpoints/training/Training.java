package io.github.pgendpoints.training;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Runs the program twice, as a pod does. The first cycle publishes. In the second one, Java records
 * the classes; it finds one Service up to date and publishes the other.
 */
public final class Training {
  private static final int TIMEOUT_SECONDS = 300;
  private static final String NAMESPACE = "training";
  private static final String RW_SERVICE = "training-rw";
  private static final String RO_SERVICE = "training-ro";
  private static final String STATE = "training-state";

  private final String launcher;
  private final StandInApi api;
  private final StandInNode primary;
  private final StandInNode standby;
  private final Path folder;

  private Training(
      String launcher, StandInApi api, StandInNode primary, StandInNode standby, Path folder) {
    this.launcher = launcher;
    this.api = api;
    this.primary = primary;
    this.standby = standby;
    this.folder = folder;
  }

  /**
   * Runs the training.
   *
   * @param args the program to run, the option that makes Java record the classes, and an empty
   *     folder for the files of the stand-ins
   */
  public static void main(String[] args)
      throws IOException, GeneralSecurityException, InterruptedException {
    Path folder = Path.of(args[2]);
    try (StandInNode primary = new StandInNode(false);
        StandInNode standby = new StandInNode(true);
        StandInApi api = new StandInApi(folder)) {
      Training training = new Training(args[0], api, primary, standby, folder);
      api.addService(NAMESPACE, RW_SERVICE);
      api.addService(NAMESPACE, RO_SERVICE);
      training.cycle("");
      api.forgetPublished(RO_SERVICE);
      training.cycle(args[1]);
    }
    System.exit(0);
  }

  /** Runs a cycle with this environment only, so that it cannot reach the user's cluster. */
  private void cycle(String option) throws IOException, InterruptedException {
    ProcessBuilder program = new ProcessBuilder(launcher, "--once");
    Map<String, String> environment = program.environment();
    environment.keySet().retainAll(Set.of("PATH"));
    environment.putAll(api.environment());
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    environment.put("HOME", folder.toString());
    environment.put("NAMESPACE", NAMESPACE);
    environment.put("PG_NODES", primary.node() + "," + standby.node());
    environment.put("PGPASSWORD", StandInNode.PASSWORD);
    // A busy build machine may take longer than the default.
    environment.put("PGCONNECT_TIMEOUT", "60");
    environment.put("TCP_CONNECT_TIMEOUT", "60");
    environment.put("RW_SERVICE", RW_SERVICE);
    environment.put("RO_SERVICE", RO_SERVICE);
    environment.put("STATE", STATE);
    environment.put(
        "JDK_JAVA_OPTIONS",
        "-Dpostgres-endpoint-manager.allow-loopback=true "
            // In quotes, because the path of a folder may contain blanks.
            + (option.isEmpty() ? "" : "\"" + option + "\""));
    run(program);
  }

  /** Runs a command until it ends successfully. */
  static void run(ProcessBuilder command) throws IOException, InterruptedException {
    Process process = command.inheritIO().start();
    try {
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException(command.command() + " still runs after " + TIMEOUT_SECONDS + " s");
      }
    } finally {
      process.destroyForcibly();
    }
    if (process.exitValue() != 0) {
      throw new IOException(command.command() + " ended with exit code " + process.exitValue());
    }
  }

  /** A task that runs until its peer closes the connection. */
  interface Task {
    void run() throws Exception;
  }

  static void inBackground(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (Exception e) {
                // The peer may close the connection. The exit code of the program decides.
              }
            });
    thread.setDaemon(true);
    thread.start();
  }
}
