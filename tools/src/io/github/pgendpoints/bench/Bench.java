package io.github.pgendpoints.bench;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.postgres.Probe;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.Relay;
import io.github.pgendpoints.support.Use;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * Measures the packaged program and prints the results beside the targets. It is not a test.
 *
 * <ul>
 *   <li>{@code -Dbench.rows=once,idle}: measures these rows only; the default is all rows
 *   <li>{@code -Dbench.quick}: measures few rounds, to check that the benchmark runs
 *   <li>{@code -Dbench.minutes=10}: sets how long the row {@code resident} runs
 * </ul>
 */
public final class Bench {
  private interface Measurement {
    void run() throws Exception;
  }

  private static final String AT_ONCE = "20 ms / 60 ms";
  private static final String SPLIT_BRAIN = "multiple primaries";
  private static final String ACCEPTS = "ready to accept read-only connections";
  private static final Pattern TIME_OF_DAY = Pattern.compile("\\d\\d:\\d\\d:\\d\\d\\.\\d\\d\\d");

  private final Map<String, Measurement> measurements = new LinkedHashMap<>();
  private final List<Row> rows = new ArrayList<>();
  private final boolean quick = System.getProperty("bench.quick") != null;
  private final Random random = new Random();
  private final Scene scene;
  private final List<Installation.Java> javas;
  private final Installation.Java newest;

  private Bench(Scene scene, List<Installation.Java> javas) {
    this.scene = scene;
    this.javas = javas;
    this.newest = javas.get(javas.size() - 1);
    measurements.put("failover", () -> promotions("old primary killed", 500, PostgresServer::kill));
    measurements.put(
        "switchover",
        () -> promotions("planned: old primary shut down", 500, PostgresServer::stop));
    measurements.put(
        "cutoff", () -> promotions("old primary cut off", 12000, PostgresServer::freeze));
    measurements.put("splitbrain", this::splitBrains);
    measurements.put("takeover", this::takeOvers);
    measurements.put("idle", this::idle);
    measurements.put("role", this::role);
    measurements.put("cycle", () -> cycle(0, 1000, "3 ms median"));
    measurements.put("cycle100", () -> cycle(97, 300, "50 ms median"));
    measurements.put(
        "dead",
        () -> {
          dead(DeadNodes.Kind.BLACK_HOLES);
          dead(DeadNodes.Kind.SILENT);
        });
    measurements.put("once", this::once);
    measurements.put("limited", this::limited);
    measurements.put("resident", this::resident);
  }

  /** Measures, prints the table, and ends the process. */
  public static void main(String[] args) throws Exception {
    ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.OFF);
    try (Installation installation = new Installation()) {
      List<Installation.Java> javas = Installation.Java.all();
      for (Installation.Java java : javas) {
        say("training on Java " + java.version());
        installation.train(java);
      }
      try (Scene scene = new Scene(installation)) {
        new Bench(scene, javas).run(System.getProperty("bench.rows", ""));
      }
    }
    System.exit(0);
  }

  private void run(String wanted) throws Exception {
    List<String> names =
        wanted.isEmpty() ? List.copyOf(measurements.keySet()) : List.of(wanted.split(","));
    if (!measurements.keySet().containsAll(names)) {
      throw new IllegalArgumentException("bench.rows are of " + measurements.keySet());
    }
    String before = load();
    for (String name : names) {
      say(name);
      int measured = rows.size();
      measurements.get(name).run();
      // Printed at once, so that a run that is interrupted still shows its results.
      rows.subList(measured, rows.size())
          .forEach(row -> System.err.println(row.what() + ": " + row.measured()));
    }
    System.out.printf("%n%s%n%n%s", machine(before), Row.table(rows));
  }

  /** Prints progress to standard error; only the table goes to standard output. */
  private static void say(String what) {
    System.err.println(what + " ...");
  }

  private String machine(String loadBefore) throws IOException, SQLException {
    return ("%s, %d processors, %s; Java %s; PostgreSQL %s; load average before %s, after %s."
            + " Continuous mode on Java %d.")
        .formatted(
            field("/proc/cpuinfo", "model name"),
            Runtime.getRuntime().availableProcessors(),
            field("/proc/meminfo", "MemTotal"),
            javas.stream().map(this::release).collect(Collectors.joining(" and ")),
            scene.cluster().primary().sql("SHOW server_version").split(" ")[0],
            loadBefore,
            load(),
            newest.version());
  }

  private String release(Installation.Java java) {
    try (Stream<String> lines = Files.lines(java.home().resolve("release"))) {
      return lines
          .filter(line -> line.startsWith("JAVA_VERSION="))
          .map(line -> line.replaceAll("[^0-9._]|^JAVA_VERSION", ""))
          .findFirst()
          .orElse("?")
          .replaceFirst("^_", "");
    } catch (IOException e) {
      return String.valueOf(java.version());
    }
  }

  private static String load() throws IOException {
    return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
  }

  private static String field(String file, String key) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of(file))) {
      return lines
          .filter(line -> line.startsWith(key))
          .map(line -> line.replaceFirst(".*?:\\s*", ""))
          .findFirst()
          .orElse("unknown " + key);
    }
  }

  // ---- from promotion to Endpoints

  private interface End {
    void of(PostgresServer primary);
  }

  private void promotions(String how, int noticed, End end) throws SQLException {
    int rounds = quick ? 2 : 20;
    List<Double> published = new ArrayList<>();
    List<Double> promoted = new ArrayList<>();
    try (Program program = scene.program(newest).start()) {
      scene.awaitServed(program);
      for (int round = 0; round < rounds; round++) {
        // A random delay, so that the failure does not coincide with a probe.
        Scene.sleep(2000 + random.nextInt(1000));
        PostgresServer old = scene.cluster().primary();
        end.of(old);
        // Long enough for the node to become DOWN. The log may suppress that line as flapping.
        Scene.sleep(noticed + random.nextInt(1000));
        PostgresServer heir = scene.cluster().furthestStandby();
        CompletableFuture<Long> written = scene.written(Scene.RW, Set.of(heir.host()));
        measurePromotion(heir, written, program, promoted, published);
        if (old.isRunning()) {
          old.kill();
        }
        scene.cluster().rejoin(old);
        settle(old, heir, program);
      }
    }
    Values millis = new Values(published);
    rows.add(
        new Row(
            "promotion accepted -> RW Endpoints written, %s; median / worst of %d"
                .formatted(how, rounds),
            AT_ONCE,
            millis.medianAndWorst(),
            "the promotion itself: %.0f ms".formatted(new Values(promoted).median())));
  }

  /** Makes the other servers follow the new primary, and waits until the Services are correct. */
  private void settle(PostgresServer old, PostgresServer heir, Program program)
      throws SQLException {
    for (PostgresServer other : scene.cluster().servers()) {
      if (other != old && other != heir) {
        other.follow(heir);
      }
    }
    scene.awaitServed(program);
    scene.api().clearRequests();
  }

  private static long said(Program program, String words) {
    return said(program.err(), words);
  }

  private static long said(String log, String words) {
    return log.lines().filter(line -> line.contains(words)).count();
  }

  /**
   * When a log got its nth line with these words, as {@link System#nanoTime}. Uses the time of day
   * in the line, because frequent reads of the log would take CPU time from the program being
   * measured.
   */
  private static long logged(Supplier<String> log, String words, long nth) {
    for (int looks = 0; said(log.get(), words) < nth; looks++) {
      if (looks > 1200) {
        throw new IllegalStateException("waited for " + words + "; the log is " + log.get());
      }
      Scene.sleep(100);
    }
    String line = log.get().lines().filter(l -> l.contains(words)).skip(nth - 1).findFirst().get();
    Matcher time = TIME_OF_DAY.matcher(line);
    if (!time.find()) {
      throw new IllegalStateException("no time in " + line);
    }
    Duration ago = Duration.between(LocalTime.parse(time.group()), LocalTime.now(ZoneOffset.UTC));
    return System.nanoTime() - ago.toNanos();
  }

  private void splitBrains() throws SQLException {
    // The log treats more rounds in a row as flapping and suppresses them.
    int rounds = quick ? 2 : 3;
    List<Double> promoted = new ArrayList<>();
    List<Double> reported = new ArrayList<>();
    List<Double> ended = new ArrayList<>();
    try (Program program = scene.program(newest).start()) {
      scene.awaitServed(program);
      for (int round = 0; round < rounds; round++) {
        long before = said(program.err(), SPLIT_BRAIN);
        Scene.sleep(6000 + random.nextInt(1000));
        PostgresServer old = scene.cluster().primary();
        PostgresServer heir = scene.cluster().furthestStandby();
        CompletableFuture<Long> report =
            CompletableFuture.supplyAsync(() -> logged(program::err, SPLIT_BRAIN, before + 1));
        measurePromotion(heir, report, program, promoted, reported);
        Scene.sleep(1000 + random.nextInt(1000));
        CompletableFuture<Long> moved = scene.written(Scene.RW, Set.of(heir.host()));
        long starts = said(old.log(), ACCEPTS);
        scene.cluster().rejoin(old, heir);
        ended.add((moved.join() - logged(old::log, ACCEPTS, starts + 1)) / 1e6);
        for (PostgresServer other : scene.cluster().servers()) {
          if (other != old && other != heir) {
            // It has WAL of the old primary from after the fork of the new timeline.
            scene.cluster().rejoin(other, heir);
          }
        }
        scene.awaitServed(program);
        scene.api().clearRequests();
      }
    }
    rows.add(
        new Row(
            "promotion accepted beside the old primary -> split brain logged; median / worst of %d"
                .formatted(rounds),
            AT_ONCE,
            new Values(reported).medianAndWorst(),
            "the promotion itself: %.0f ms".formatted(new Values(promoted).median())));
    rows.add(
        new Row(
            "old primary of a split brain answers as a standby -> RW Endpoints written; median / worst of %d"
                .formatted(rounds),
            AT_ONCE,
            new Values(ended).medianAndWorst(),
            ""));
  }

  private void measurePromotion(
      PostgresServer heir,
      CompletableFuture<Long> effect,
      Program program,
      List<Double> promoted,
      List<Double> effects)
      throws SQLException {
    try (Connection connection = heir.connect();
        Statement statement = connection.createStatement()) {
      heir.requestPromotion();
      long requested = System.nanoTime();
      long accepted = Scene.await("the promotion", program, () -> acceptsWrites(statement));
      promoted.add((accepted - requested) / 1e6);
      effects.add((effect.join() - accepted) / 1e6);
    }
  }

  private static boolean acceptsWrites(Statement statement) {
    try (ResultSet row = statement.executeQuery("SELECT NOT pg_is_in_recovery()")) {
      return row.next() && row.getBoolean(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  // ---- from the end of a leader to the first write of the other replica

  private void takeOvers() throws Exception {
    takeOver("killed", "4 s", Process::destroyForcibly);
    takeOver("ended by SIGTERM", "1 s", Process::destroy);
  }

  private void takeOver(String how, String target, Consumer<Process> end) throws Exception {
    int rounds = quick ? 2 : 10;
    List<Double> millis = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      try (Program leader = replica().start();
          Program other = replica()) {
        Scene.await("a leader", leader, () -> said(leader, "leads") > 0);
        other.start();
        Scene.await("a follower", other, () -> said(other, "stands by") > 0);
        scene.awaitServed(leader);
        Scene.sleep(2000 + random.nextInt(1000));
        end.accept(leader.process());
        long ended = System.nanoTime();
        scene.api().editEndpoints(Scene.RW, EndpointsBuilder::withSubsets);
        long written =
            Scene.await(
                "the first write",
                other,
                () -> said(other, "leads") > 0 && !scene.addresses(Scene.RW).isEmpty());
        millis.add((written - ended) / 1e6);
      }
    }
    rows.add(
        new Row(
            "leader %s -> first write of the other replica; median / worst of %d"
                .formatted(how, rounds),
            target,
            new Values(millis).medianAndWorst(),
            ""));
  }

  private Program replica() throws IOException {
    return scene.program(newest).with("LEASE_NAME", "bench");
  }

  // ---- nothing happens

  private void idle() throws Exception {
    int warmUp = quick ? 10 : 300;
    int seconds = quick ? 10 : 60;
    try (Program program =
        scene
            .program(newest)
            .with("PROBE_INTERVAL", "1s")
            .with("LEASE_NAME", "bench")
            .with("MANAGEMENT_PORT", String.valueOf(Scene.freePort()))
            .start()) {
      scene.awaitServed(program);
      Scene.sleep(warmUp * 1000L);
      scene.api().clearRequests();
      Use before = Use.of(program.process().pid(), Use.none());
      Scene.sleep(seconds * 1000L);
      Use after = Use.of(program.process().pid(), Use.none());
      double minutes = seconds / 60.0;
      rows.add(
          new Row(
              "idle at PROBE_INTERVAL=1s, with a Lease, a minute",
              "0.6 CPU s, no write but the Lease",
              "%.2f CPU s; %s"
                  .formatted(
                      (after.cpuSeconds() - before.cpuSeconds()) / minutes, requests(minutes)),
              psql()));
    }
  }

  /** Measures what the pending role query costs an undisturbed standby. */
  private void role() throws Exception {
    int seconds = quick ? 10 : 60;
    PostgresServer standby = scene.cluster().standbys().get(0);
    try (Program program = scene.program(newest).start()) {
      scene.awaitServed(program);
      Scene.sleep(5000);
      String found =
          standby.sql(
              "SELECT pid FROM pg_stat_activity"
                  + " WHERE query LIKE '%DO $role$%' AND pid <> pg_backend_pid()");
      long pid = Long.parseLong(found);
      double before = Use.of(pid, Use.none()).cpuSeconds();
      Scene.sleep(seconds * 1000L);
      double after = Use.of(pid, Use.none()).cpuSeconds();
      rows.add(
          new Row(
              "the query that a standby holds",
              "0.5 % of a core",
              "%.2f %% of a core".formatted(100 * (after - before) / seconds),
              ""));
    }
  }

  /** Summarizes the requests to the API, per minute. */
  private String requests(double minutes) {
    Map<String, Long> counts =
        scene.api().requests().stream()
            .collect(Collectors.groupingBy(Bench::kind, TreeMap::new, Collectors.counting()));
    return counts.isEmpty()
        ? "no request"
        : counts.entrySet().stream()
            .map(count -> "%.0f %s".formatted(count.getValue() / minutes, count.getKey()))
            .collect(Collectors.joining(", "));
  }

  private static String kind(ApiRequest request) {
    return request.method() + " " + request.target().resource();
  }

  /** Measures only one psql per node and second, which is what the original program runs. */
  private String psql() throws Exception {
    int rounds = 10;
    String ask =
        scene.cluster().servers().stream()
            .map(
                server ->
                    "psql -h %s -p %d -U %s -d %s -Atc 'SELECT pg_is_in_recovery()'"
                        .formatted(
                            server.host(),
                            server.port(),
                            PostgresCluster.USER,
                            PostgresCluster.DATABASE))
            .collect(Collectors.joining(" && "));
    Program loop =
        new Program(
                "sh",
                "-c",
                "for i in $(seq %d); do %s; done >/dev/null && times".formatted(rounds, ask))
            .with("PGPASSWORD", PostgresCluster.PASSWORD);
    try (loop) {
      if (loop.run() != 0) {
        return "no psql here";
      }
      // The second line holds the times of the child processes: 0m0.12s 0m0.34s
      String[] times = loop.out().lines().toList().get(1).split("\\s+");
      return "60 psql a node: %.1f CPU s"
          .formatted((seconds(times[0]) + seconds(times[1])) * 60 / rounds);
    }
  }

  private static double seconds(String minutesAndSeconds) {
    String[] parts = minutesAndSeconds.replace("s", "").split("m");
    return 60 * Double.parseDouble(parts[0]) + Double.parseDouble(parts[1]);
  }

  private void cycle(int more, int warmUp, String target) throws Exception {
    int before = quick ? 5 : warmUp;
    List<String> addresses = IntStream.rangeClosed(1, more).mapToObj(i -> "127.0.1." + i).toList();
    PostgresServer primary = scene.cluster().primary();
    List<Relay> relays = new ArrayList<>();
    int port = Scene.freePort();
    try {
      for (String address : addresses) {
        relays.add(new Relay(address, new InetSocketAddress(primary.host(), primary.port())));
      }
      List<String> nodes = Stream.concat(Stream.of(scene.nodes()), addresses.stream()).toList();
      try (Program program =
          scene
              .program(newest)
              .with("PG_NODES", String.join(",", nodes))
              .with("PROBE_INTERVAL", "100ms")
              .with("MANAGEMENT_PORT", String.valueOf(port))
              .start()) {
        scene.awaitServed(program);
        Cycles cycles = new Cycles(port);
        cycles.next(before, 50, program);
        Values millis = cycles.next(quick ? 5 : 100, 50, program);
        rows.add(
            new Row(
                "a cycle after %d others, unchanged, %d nodes alive; median / worst of %d"
                    .formatted(before, 3 + more, millis.sorted().size()),
                target,
                "%.1f ms / %.1f ms".formatted(millis.median(), millis.worst()),
                "the queries alone, one after another: %.1f ms"
                    .formatted(queriesAlone(addresses).median())));
      }
    } finally {
      for (Relay relay : relays) {
        relay.close();
      }
    }
  }

  /** Measures the probe's query on open connections to the same nodes, with the driver alone. */
  private Values queriesAlone(List<String> addresses) throws SQLException {
    String query = Probe.query();
    List<Connection> connections = new ArrayList<>();
    List<Double> millis = new ArrayList<>();
    try {
      for (String host :
          Stream.concat(Stream.of(scene.nodes().split(",")), addresses.stream()).toList()) {
        connections.add(
            DriverManager.getConnection(
                "jdbc:postgresql://%s:%d/%s"
                    .formatted(host, scene.cluster().port(), PostgresCluster.DATABASE),
                PostgresCluster.USER,
                PostgresCluster.PASSWORD));
      }
      for (int round = 0; round < (quick ? 10 : 100); round++) {
        long start = System.nanoTime();
        for (Connection connection : connections) {
          try (PreparedStatement statement = connection.prepareStatement(query);
              ResultSet row = statement.executeQuery()) {
            row.next();
          }
        }
        millis.add((System.nanoTime() - start) / 1e6);
      }
    } finally {
      for (Connection connection : connections) {
        connection.close();
      }
    }
    return new Values(millis.subList(millis.size() / 2, millis.size()));
  }

  /** Measures a cycle in which 900 of 1,000 nodes do not respond. */
  private void dead(DeadNodes.Kind kind) throws Exception {
    // Publish first: a first run requires responses from more than a tenth of the nodes.
    run(() -> scene.program(newest).start("--once"));
    int port = Scene.freePort();
    PostgresServer primary = scene.cluster().primary();
    List<Relay> relays = new ArrayList<>();
    try (DeadNodes dead = kind.open()) {
      List<String> nodes = new ArrayList<>(List.of(scene.nodes().split(",")));
      for (int i = 1; i <= 97; i++) {
        String address = "127.0.1." + i;
        relays.add(new Relay(address, new InetSocketAddress(primary.host(), primary.port())));
        nodes.add(address);
      }
      for (int i = 0; i < 900; i++) {
        nodes.add("127.0.%d.%d:%d".formatted(2 + i / 200, 1 + i % 200, dead.port()));
      }
      try (Program program =
          scene
              .program(newest)
              .with("PG_NODES", String.join(",", nodes))
              .with("PGCONNECT_TIMEOUT", "2")
              .with("PGSSLMODE", "disable")
              .with("MANAGEMENT_PORT", String.valueOf(port))
              .start()) {
        scene.awaitServed(program);
        Values millis = new Cycles(port).next(quick ? 3 : 20, 50, program);
        Use use = Use.of(program.process().pid(), Use.none());
        rows.add(
            new Row(
                "a cycle with 900 of 1,000 nodes %s, PGCONNECT_TIMEOUT=2; median / worst of %d"
                    .formatted(kind.words(), millis.sorted().size()),
                "3 s; 256 MiB",
                "%.2f s / %.2f s; %.0f MiB (at most %.0f)"
                    .formatted(
                        millis.median() / 1000, millis.worst() / 1000, use.rssMiB(), use.peakMiB()),
                ""));
      }
    } finally {
      for (Relay relay : relays) {
        relay.close();
      }
    }
  }

  // ---- one cycle

  private record Cost(double wall, double cpu, double peak) {}

  private void once() throws Exception {
    try (Installation plain = Installation.ofPlain()) {
      for (Installation.Java java : javas) {
        plain.train(java);
        run(() -> scene.program(java).start("--once"));
        List<Cost> costs = new ArrayList<>();
        List<Cost> plainly = new ArrayList<>();
        for (int i = 0; i < (quick ? 3 : 10); i++) {
          costs.add(run(() -> scene.program(java).start("--once")));
          plainly.add(run(() -> scene.place(plain.program(java)).start()));
        }
        rows.add(
            new Row(
                "`--once`, unchanged, Java %d; median of %d, memory at most"
                    .formatted(java.version(), costs.size()),
                "1.15 times the plain program",
                "%s; %.2f times in wall time, %.2f in CPU time"
                    .formatted(
                        cost(costs),
                        ratio(costs, plainly, Cost::wall),
                        ratio(costs, plainly, Cost::cpu)),
                "a plain Camel program that asks less: " + cost(plainly)));
      }
    }
  }

  private void limited() throws Exception {
    try (Limits limits = Limits.ofTheCronJob();
        Installation plain = Installation.ofPlain()) {
      String[] join = limits == null ? new String[0] : limits.command();
      for (Installation.Java java : javas) {
        plain.train(java);
        List<Cost> costs = new ArrayList<>();
        List<Cost> plainly = new ArrayList<>();
        for (int i = 0; i < (quick ? 1 : 5); i++) {
          costs.add(run(() -> scene.program(java, join).start("--once")));
          plainly.add(run(() -> scene.place(plain.program(java, join)).start()));
        }
        rows.add(
            new Row(
                "`--once` at 200m CPU and 128Mi, Java %d; median / worst of %d"
                    .formatted(java.version(), costs.size()),
                "6 s",
                limits == null
                    ? "no control group can be made here; CPU seconds / 0.2: "
                        + fifths(values(costs, Cost::cpu))
                    : inSeconds(values(costs, Cost::wall)),
                "a plain Camel program that asks less: "
                    + (limits == null
                        ? fifths(values(plainly, Cost::cpu))
                        : inSeconds(values(plainly, Cost::wall)))));
      }
    }
  }

  private static String fifths(Values cpu) {
    return "%.1f s / %.1f s".formatted(cpu.median() / 0.2, cpu.worst() / 0.2);
  }

  private static String inSeconds(Values wall) {
    return "%.1f s / %.1f s".formatted(wall.median(), wall.worst());
  }

  private interface Start {
    Program start();
  }

  /** Runs a program until it ends with exit code 0, and measures its cost. */
  private static Cost run(Start start) throws InterruptedException {
    double cpuBefore = childrensCpuSeconds();
    long began = System.nanoTime();
    try (Program program = start.start()) {
      Use use = Use.none();
      // At long intervals, so that sampling costs the program little; the peak only grows.
      while (!program.process().waitFor(20, TimeUnit.MILLISECONDS)) {
        use = Use.of(program.process().pid(), use);
      }
      double wall = (System.nanoTime() - began) / 1e9;
      if (program.exitCode(1) != 0) {
        throw new IllegalStateException(program.exitCode(1) + ": " + program.err());
      }
      return new Cost(wall, childrensCpuSeconds() - cpuBefore, use.peakMiB());
    }
  }

  /** The CPU time of the child processes that have ended. */
  private static double childrensCpuSeconds() {
    try {
      String stat = Files.readString(Path.of("/proc/self/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return (Double.parseDouble(fields[13]) + Double.parseDouble(fields[14])) / 100;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Figure {
    double of(Cost cost);
  }

  private static Values values(List<Cost> costs, Figure figure) {
    return new Values(costs.stream().map(figure::of).toList());
  }

  private static double ratio(List<Cost> costs, List<Cost> others, Figure figure) {
    return values(costs, figure).median() / values(others, figure).median();
  }

  private static String cost(List<Cost> costs) {
    return "%.2f s wall, %.2f CPU s, %.0f MiB"
        .formatted(
            values(costs, Cost::wall).median(),
            values(costs, Cost::cpu).median(),
            values(costs, Cost::peak).worst());
  }

  // ---- long runs

  /** Runs several processes per kind, as single ones differ by 20 MiB; none writes anything. */
  private void resident() throws Exception {
    int minutes = quick ? 1 : Integer.getInteger("bench.minutes", 10);
    try (Program once = scene.program(newest).start("--once")) {
      once.exitCode(60);
    }
    Map<String, List<Program>> programs = new LinkedHashMap<>();
    try {
      for (Installation.Java java : javas) {
        for (boolean jmx : new boolean[] {false, true}) {
          String how = "JMX %s, Java %d".formatted(jmx ? "on" : "off", java.version());
          List<Program> several = programs.computeIfAbsent(how, name -> new ArrayList<>());
          for (int i = 0; i < (quick ? 1 : 5); i++) {
            several.add(resident(java, jmx).start());
          }
        }
      }
      for (int minute = 0; minute < minutes; minute++) {
        Scene.sleep(60_000);
        scene.api().clearRequests();
      }
      programs.forEach(
          (how, several) -> {
            Values rss = new Values(several.stream().map(Bench::rssMiB).toList());
            rows.add(
                new Row(
                    "continuous, health and metrics on, %s, %d processes, resident after %d min"
                        .formatted(how, several.size(), minutes),
                    how.startsWith("JMX off") ? "120 MiB" : "140 MiB",
                    "%.0f MiB (%.0f to %.0f)"
                        .formatted(rss.median(), rss.sorted().get(0), rss.worst()),
                    ""));
          });
    } finally {
      programs.values().forEach(several -> several.forEach(Program::close));
    }
  }

  private static double rssMiB(Program program) {
    return Use.of(program.process().pid(), Use.none()).rssMiB();
  }

  private Program resident(Installation.Java java, boolean jmx) throws IOException {
    return scene
        .program(java)
        .with("MANAGEMENT_PORT", String.valueOf(Scene.freePort()))
        .with("JOLOKIA_PORT", jmx ? String.valueOf(Scene.freePort()) : "off");
  }
}
