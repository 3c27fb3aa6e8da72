package io.github.pgendpoints.demo;

import static io.github.pgendpoints.demo.Stage.RO;
import static io.github.pgendpoints.demo.Stage.RW;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.Console;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The program at work on one machine: a fail-over and a split brain, with real PostgreSQL servers.
 * Goes on until Ctrl-C, or ends by itself with {@code -Ddemo.once}.
 *
 * <p>Each sentence it prints as {@code ok} has been checked. When one does not hold, it says so and
 * ends with exit code 1; that makes it a test of the whole, too.
 */
public final class Demo {
  private final Screen screen;
  private final Stage stage;

  private Demo(Screen screen, Stage stage) {
    this.screen = screen;
    this.stage = stage;
  }

  /** Runs the demo and ends the process. */
  public static void main(String[] args) {
    String obstacle = obstacle();
    if (obstacle != null) {
      System.err.println("The demo " + obstacle);
      System.exit(1);
    }
    Screen screen = new Screen(System.out, hasColours());
    boolean asTold = run(screen);
    // Not interrupted.
    screen.silence();
    System.exit(asTold ? 0 : 1);
  }

  private static String obstacle() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return "needs Linux, be it in a container: only there each of its servers finds an"
          + " address of its own (127.0.0.2, 127.0.0.3) without any set-up.";
    }
    if (!Files.isDirectory(Path.of("routes"))) {
      return "runs the routes in the folder routes/, so run it from the project's own folder.";
    }
    return null;
  }

  private static boolean hasColours() {
    Console console = System.console();
    if (console == null
        || System.getenv("NO_COLOR") != null
        || "dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try {
      // From Java 22 on there is a console where there is no terminal, too.
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }

  private static boolean run(Screen screen) {
    Logging.configure(Level.INFO, Logging.Format.TEXT);
    screen.attachLog();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupted(screen), "demo farewell"));
    screen.title("PostgreSQL endpoint manager: the demo");
    screen.say(
        "Three real PostgreSQL servers and the real routes of routes/, all on this machine. Only"
            + " the Kubernetes API is a stand-in, which answers as kube-apiserver does. The servers"
            + " are being started.");
    try (Stage stage = new Stage()) {
      new Demo(screen, stage).play();
    } catch (Exception e) {
      screen.fail(e);
      return false;
    }
    screen.say("The servers are stopped, and their files are gone.");
    return true;
  }

  /** The cluster and the manager have shutdown hooks of their own, which run beside this one. */
  private static void interrupted(Screen screen) {
    screen.gap();
    screen.say("Stopping the servers and removing their files.");
    screen.silence();
  }

  private void play() throws SQLException, InterruptedException {
    start();
    PostgresServer old = stage.cluster().primary();
    losePrimary(old);
    PostgresServer heir = stage.cluster().furthestStandby();
    PostgresServer other =
        stage.cluster().standbys().stream().filter(s -> s != heir).findFirst().orElseThrow();
    Duration publication = failOver(heir, other);
    splitBrain(old, heir);
    resolve(old, heir, other);
    screen.gap();
    screen.say(
        "All came out as told: %s followed the promotion within %d ms, and two primaries changed"
                .formatted(RW, publication.toMillis())
            + " nothing.");
    if (System.getProperty("demo.once") == null) {
      goOn();
    }
  }

  private void start() throws SQLException {
    List<PostgresServer> servers = stage.cluster().servers();
    screen.heading("1. Start");
    screen.say(
        "%s is a primary of PostgreSQL %s, %s and %s are its standbys. The Services %s (read-write)"
                .formatted(
                    servers.get(0).name(),
                    servers.get(0).sql("SHOW server_version").split(" ")[0],
                    servers.get(1).name(),
                    servers.get(2).name(),
                    RW)
            + " and "
            + RO
            + " (read-only) have no Endpoints yet. Now the manager starts, and asks each node"
            + " once a second what it is.");
    stage.startManager();
    awaitEndpoints("127.0.0.1", "127.0.0.2,127.0.0.3");
    show();
    screen.confirm("%s leads to the primary, %s to the standbys".formatted(RW, RO));
    confirmWrite(servers.get(0));
  }

  private void losePrimary(PostgresServer old) {
    String versions = stage.versions();
    screen.heading("2. The primary is lost");
    screen.say(
        "%s is killed (kill -9). Until somebody promotes a standby there is no primary."
            .formatted(old.name()));
    old.kill();
    awaitError("no primary", old.host());
    show();
    confirmUntouched(versions);
    try {
      stage.write();
      throw new NotAsToldException("an application could write without a primary");
    } catch (SQLException e) {
      screen.confirm("an application's INSERT through %s fails: there is nobody".formatted(RW));
    }
  }

  private Duration failOver(PostgresServer heir, PostgresServer other)
      throws SQLException, InterruptedException {
    screen.heading("3. Fail-over");
    screen.say(
        ("%1$s has received all that %2$s has, so it is promoted, as a fail-over tool does it, and"
                + " %2$s is told to follow it.")
            .formatted(heir.name(), other.name()));
    // Promotions do not keep step with the probes.
    Thread.sleep(ThreadLocalRandom.current().nextInt(1000));
    Stage.Timing timing = stage.promote(heir);
    other.follow(heir);
    awaitEndpoints(heir.host(), other.host());
    show();
    screen.confirm(
        "%s held the new primary %d ms after %s accepted writes"
            .formatted(RW, timing.publication().toMillis(), heir.name()));
    screen.explain(
        "From pg_is_in_recovery() = false, %d ms after the request to promote, to the API having"
                .formatted(timing.promotion().toMillis())
            + " stored the Endpoints; both are watched every millisecond. Since the primary was lost"
            + " the manager looks ten times a second: PROBE_INTERVAL_UNSTABLE sets it.");
    confirmWrite(heir);
    return timing.publication();
  }

  private void splitBrain(PostgresServer old, PostgresServer heir) throws SQLException {
    String versions = stage.versions();
    screen.heading("4. Split brain");
    screen.say(
        "%s comes back and knows nothing of the fail-over: a second primary, on the old timeline."
                .formatted(old.name())
            + " Whatever is written there will be lost.");
    old.start();
    awaitError("multiple primaries", old.host(), heir.host());
    show();
    confirmUntouched(versions);
    confirmWrite(heir);
  }

  private void resolve(PostgresServer old, PostgresServer heir, PostgresServer other)
      throws SQLException {
    screen.heading("5. Resolved");
    screen.say(
        "%s is made a standby of %s by a fresh copy, as with pg_basebackup."
            .formatted(old.name(), heir.name()));
    stage.cluster().rejoin(old);
    awaitEndpoints(heir.host(), old.host() + "," + other.host());
    show();
    screen.confirm("%s is back, behind %s".formatted(old.name(), RO));
    confirmWrite(heir);
  }

  private void goOn() throws SQLException, InterruptedException {
    screen.heading("6. Your turn");
    screen.say("The manager goes on until Ctrl-C. From another terminal you can look at it:");
    screen.command("curl " + stage.url(RW));
    screen.say("or stop a server, and see here what becomes of it:");
    for (PostgresServer server : stage.cluster().servers()) {
      screen.command(
          "kill -INT %s   # %s, the %s"
              .formatted(
                  stage.pid(server),
                  server.name(),
                  server == stage.cluster().primary() ? "primary" : "standby"));
    }
    int shown = stage.linesLogged();
    while (true) {
      Thread.sleep(200);
      if (stage.linesLogged() > shown) {
        stage.awaitCycles(0);
        shown = stage.linesLogged();
        show();
      }
      stage.forgetRequests();
    }
  }

  private void awaitEndpoints(String readWrite, String readOnly) {
    stage.await(
        "%s to hold %s, and %s %s".formatted(RW, readWrite, RO, readOnly),
        () -> stage.addresses(RW).equals(readWrite) && stage.addresses(RO).equals(readOnly));
    stage.awaitCycles(0);
  }

  /** Waits for the program's own ERROR line, and gives it another cycle to do something wrong. */
  private void awaitError(String words, String... addresses) {
    stage.await(
        "an ERROR '%s' that names %s".formatted(words, String.join(" and ", addresses)),
        () ->
            stage.logged("ERROR " + words).stream()
                .anyMatch(line -> List.of(addresses).stream().allMatch(line::contains)));
    stage.awaitCycles(1);
  }

  private void show() {
    stage.tables().forEach(screen::table);
    screen.gap();
  }

  private void confirmUntouched(String versions) {
    if (!stage.versions().equals(versions)) {
      throw new NotAsToldException(
          "something was written: resourceVersions were %s, are %s"
              .formatted(versions, stage.versions()));
    }
    screen.confirm("nothing was written; resourceVersions are as before (%s)".formatted(versions));
  }

  private void confirmWrite(PostgresServer expected) throws SQLException {
    PostgresServer actual = stage.write();
    if (actual != expected) {
      throw new NotAsToldException(
          "an INSERT through %s arrived on %s instead of %s".formatted(RW, actual, expected));
    }
    screen.confirm("an application's INSERT through %s arrives on %s".formatted(RW, actual.name()));
  }
}
