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
 * Runs the program on one machine with real PostgreSQL servers: failovers, an old primary that
 * returns, and a split brain. Goes on until Ctrl-C, or ends by itself with {@code -Ddemo.once}.
 *
 * <p>The demo checks each sentence that it prints as {@code ok}. If a check fails, it reports the
 * failure and ends with exit code 1, so it is also an end-to-end test.
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
    // The demo has ended by itself, so the shutdown hook for Ctrl-C prints nothing.
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
      // From Java 22 on, a console exists without a terminal, too.
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

  /** Runs in a shutdown hook, in parallel with the hooks of the cluster and the manager. */
  private static void interrupted(Screen screen) {
    screen.gap();
    screen.say("Stopping the servers and removing their files.");
    screen.silence();
  }

  private void play() throws SQLException, InterruptedException {
    start();
    PostgresServer first = stage.cluster().primary();
    losePrimary(first);
    PostgresServer second = stage.cluster().furthestStandby();
    PostgresServer third = otherThan(first, second);
    Duration publication = failOver(second, third);
    returnOf(first, second);
    publication = max(publication, failOverBeside(first, second, third));
    rejoin(first, second, third);
    splitBrain(first, third);
    endSplitBrain(first, second, third);
    screen.gap();
    screen.say(
        "Every step had the expected outcome: %s followed each promotion within %d ms, an old primary that ran"
                .formatted(RW, publication.toMillis())
            + " again stopped nothing, and a split brain changed nothing.");
    if (System.getProperty("demo.once") == null) {
      goOn();
    }
  }

  private PostgresServer otherThan(PostgresServer one, PostgresServer two) {
    return stage.cluster().servers().stream()
        .filter(server -> server != one && server != two)
        .findFirst()
        .orElseThrow();
  }

  private static Duration max(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  private void start() throws SQLException {
    List<PostgresServer> servers = stage.cluster().servers();
    heading("1. Start");
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
    screen.confirm("%s routes to the primary, %s to the standbys".formatted(RW, RO));
    confirmWrite(servers.get(0));
  }

  private void losePrimary(PostgresServer old) throws SQLException {
    String versions = stage.versions();
    heading("2. The primary is lost");
    screen.say(
        "%s is killed (kill -9). There is no primary until a standby is promoted."
            .formatted(old.name()));
    stage.cluster().waitUntilReplayed();
    old.kill();
    awaitError("no primary", old.host() + " is DOWN");
    show();
    confirmUntouched(versions);
    try {
      stage.write();
      throw new UnexpectedOutcomeException("an application could write without a primary");
    } catch (SQLException e) {
      screen.confirm("an application's INSERT through %s fails: it has no server".formatted(RW));
    }
  }

  private Duration failOver(PostgresServer heir, PostgresServer other)
      throws SQLException, InterruptedException {
    heading("3. Failover");
    screen.say(
        ("%1$s has received all that %2$s has, so it is promoted, as a failover tool does it, and"
                + " %2$s is reconfigured to follow it.")
            .formatted(heir.name(), other.name()));
    Stage.Timing timing = promote(heir);
    other.follow(heir);
    awaitEndpoints(heir.host(), other.host());
    show();
    confirmPublication(heir, timing);
    screen.explain(
        "From pg_is_in_recovery() = false, %d ms after the request to promote, to the API having"
                .formatted(timing.promotion().toMillis())
            + " stored the Endpoints; both are watched every millisecond. Since the primary was lost"
            + " the manager looks ten times a second: PROBE_INTERVAL_UNSTABLE sets it.");
    confirmWrite(heir);
    return timing.publication();
  }

  private void returnOf(PostgresServer old, PostgresServer primary) throws SQLException {
    String versions = stage.versions();
    heading("4. The old primary returns");
    screen.say(
        ("%1$s is started again, and knows nothing of the failover: it takes writes. The history"
                + " of %2$s's timeline shows where it left %1$s behind, so %1$s is a dead branch."
                + " That is an error for as long as it runs, but it stops nothing.")
            .formatted(old.name(), primary.name()));
    old.start();
    awaitError("multiple primaries", old.host() + " accepts writes on timeline 1", "fence it");
    show();
    stage.writeTo(old);
    screen.confirm(
        "an INSERT sent to %s itself succeeds: whatever it takes is lost".formatted(old.name()));
    if (!stage.logged("nothing is written").isEmpty()) {
      throw new UnexpectedOutcomeException(
          "a cycle was refused: " + stage.logged("nothing is written"));
    }
    screen.confirm("no cycle was refused: %s is still verified".formatted(primary.name()));
    confirmUntouched(versions);
    confirmWrite(primary);
  }

  private Duration failOverBeside(PostgresServer old, PostgresServer lost, PostgresServer heir)
      throws SQLException, InterruptedException {
    heading("5. Failover beside the old primary");
    screen.say(
        ("%s still runs. Now %s is killed, too, and %s is promoted, the last one that has all"
                + " orders.")
            .formatted(old.name(), lost.name(), heir.name()));
    stage.cluster().waitUntilReplayed(heir);
    lost.kill();
    awaitError("no primary", lost.host() + " is DOWN");
    Stage.Timing timing = promote(heir);
    awaitEndpoints(heir.host(), "-");
    show();
    confirmPublication(heir, timing);
    if (old.isInRecovery()) {
      throw new UnexpectedOutcomeException(old.name() + " is no primary any more");
    }
    screen.confirm(
        "%s is a primary all the while, on timeline %d; neither Service routes to it"
            .formatted(old.name(), old.timeline()));
    confirmWrite(heir);
    return timing.publication();
  }

  private void rejoin(PostgresServer first, PostgresServer second, PostgresServer primary)
      throws SQLException {
    heading("6. Three again");
    screen.say(
        ("%s and %s are made standbys of %s by a fresh copy each, as with pg_basebackup. What only"
                + " %s had taken goes with its old data.")
            .formatted(first.name(), second.name(), primary.name(), first.name()));
    stage.cluster().rejoin(first);
    stage.cluster().rejoin(second);
    awaitEndpoints(primary.host(), first.host() + "," + second.host());
    show();
    screen.confirm("%s and %s are behind %s".formatted(first.name(), second.name(), RO));
    confirmWrite(primary);
  }

  private void splitBrain(PostgresServer rival, PostgresServer primary) throws SQLException {
    heading("7. Split brain");
    screen.say(
        ("Somebody promotes %1$s while %2$s is alive: by mistake, or a failover tool could not"
                + " reach %2$s. The history of %1$s continues the line of %2$s, so it may be the new"
                + " primary; but %2$s still takes writes. Two candidates, and nothing moves.")
            .formatted(rival.name(), primary.name()));
    rival.promote();
    awaitError("multiple primaries, nothing is written", rival.host(), primary.host());
    // The rival may have left the read-only Service at the moment of its promotion.
    String versions = stage.versions();
    stage.awaitCycles(3);
    show();
    confirmUntouched(versions);
    confirmWrite(primary);
  }

  private void endSplitBrain(PostgresServer rival, PostgresServer other, PostgresServer primary)
      throws SQLException {
    String versions = stage.versions();
    heading("8. The split brain ends");
    screen.say(
        "%s is stopped. That alone does not end it at once: a server that restarts is away for a"
                .formatted(rival.name())
            + " moment, too.");
    rival.stop();
    awaitError("rival primary unaccounted for", rival.host() + " was a primary beside");
    confirmUntouched(versions);
    screen.gap();
    screen.say("Now it is made a standby of %s again, by a fresh copy.".formatted(primary.name()));
    stage.cluster().rejoin(rival, primary);
    stage.await(
        "the log to tell that the split brain is over",
        () -> !stage.logged("over: rival primary unaccounted for").isEmpty());
    awaitEndpoints(primary.host(), rival.host() + "," + other.host());
    show();
    screen.confirm(
        "it is over: %s is a standby, %s never left %s"
            .formatted(rival.name(), RW, primary.name()));
    confirmWrite(primary);
    confirmOrders(primary);
  }

  private void goOn() throws SQLException, InterruptedException {
    heading("9. Your turn");
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

  /** Begins an act and discards the log: lines of the previous act prove nothing about this one. */
  private void heading(String text) {
    stage.forgetLog();
    screen.heading(text);
  }

  /** Promotes after a random delay, so that promotions do not coincide with the probes. */
  private Stage.Timing promote(PostgresServer heir) throws SQLException, InterruptedException {
    Thread.sleep(ThreadLocalRandom.current().nextInt(1000));
    return stage.promote(heir);
  }

  private void confirmPublication(PostgresServer heir, Stage.Timing timing) {
    screen.confirm(
        "%s held the new primary %d ms after %s accepted writes"
            .formatted(RW, timing.publication().toMillis(), heir.name()));
  }

  private void awaitEndpoints(String readWrite, String readOnly) {
    stage.await(
        "%s to hold %s, and %s %s".formatted(RW, readWrite, RO, readOnly),
        () -> stage.addresses(RW).equals(readWrite) && stage.addresses(RO).equals(readOnly));
    stage.awaitCycles(0);
  }

  /** Waits for an ERROR line of the program, then for one more cycle that could act wrongly. */
  private void awaitError(String words, String... parts) {
    stage.await(
        "an ERROR '%s' with '%s'".formatted(words, String.join("' and '", parts)),
        () ->
            stage.logged("ERROR " + words).stream()
                .anyMatch(line -> List.of(parts).stream().allMatch(line::contains)));
    stage.awaitCycles(1);
  }

  private void show() {
    stage.tables().forEach(screen::table);
    screen.gap();
  }

  private void confirmUntouched(String versions) {
    if (!stage.versions().equals(versions)) {
      throw new UnexpectedOutcomeException(
          "something was written: resourceVersions were %s, are %s"
              .formatted(versions, stage.versions()));
    }
    screen.confirm("nothing was written; resourceVersions are as before (%s)".formatted(versions));
  }

  private void confirmWrite(PostgresServer expected) throws SQLException {
    PostgresServer actual = stage.write();
    if (actual != expected) {
      throw new UnexpectedOutcomeException(
          "an INSERT through %s arrived on %s instead of %s".formatted(RW, actual, expected));
    }
    screen.confirm("an application's INSERT through %s arrives on %s".formatted(RW, actual.name()));
  }

  private void confirmOrders(PostgresServer primary) throws SQLException {
    int held = Integer.parseInt(primary.sql("SELECT count(*) FROM orders"));
    if (held != stage.written()) {
      throw new UnexpectedOutcomeException(
          "%s holds %d orders; %d were written through %s"
              .formatted(primary.name(), held, stage.written(), RW));
    }
    screen.confirm(
        "%s holds the %d orders that were written through %s, and no other"
            .formatted(primary.name(), held, RW));
  }
}
