package io.github.pgendpoints.soak;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.kubernetes.election.Leadership;
import io.github.pgendpoints.support.Run;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.slf4j.LoggerFactory;

/**
 * Runs thousands of cycles of the real routes against real servers and a stand-in for the API,
 * under random faults. A {@link Watch} checks each cycle. Ends with exit code 0 and statistics, or
 * with 1 at the first violation, with the events that led to it.
 *
 * <ul>
 *   <li>{@code -Dsoak.cycles=10000}: the minimum number of cycles after the warm-up
 *   <li>{@code -Dsoak.minutes=15}: the most minutes that it runs; 24 hours by default
 *   <li>{@code -Dsoak.seed=1}: repeats the same faults in the same order, as far as the timing of
 *       the servers allows
 *   <li>{@code -Dsoak.publish=endpoints}: or {@code endpointslices}
 *   <li>{@code -Dsoak.rights=all}: or {@code login}, the rights of the manager's role
 *   <li>{@code -Dsoak.state=true}: whether STATE is set
 *   <li>{@code -Dsoak.faults=failover,return}: only these faults, as {@link Fault} names them
 *   <li>{@code -Dsoak.slack=1}: seconds that the machine may take beyond the allowed times
 *   <li>{@code -Dsoak.settle=70}: seconds for idle threads to end before they are counted
 * </ul>
 */
public final class Soak {
  /** PGCONNECT_TIMEOUT takes only whole seconds. */
  private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(1);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** How long idle threads and pooled connections may live. */
  private static final Duration IDLE = Duration.ofSeconds(70);

  private static final int REMEMBERED = 60;

  private final World world;
  private final Figures figures = new Figures();
  private final Watch watch;
  private final long seed;
  private final Random random;
  private final Deque<String> history = new ArrayDeque<>();
  private final boolean keepsState;
  private final Set<Fault> faults;
  private Run run;
  private int told;

  private Soak(World world, long seed) {
    this.world = world;
    this.seed = seed;
    this.random = new Random(seed);
    this.keepsState = Boolean.parseBoolean(System.getProperty("soak.state", "true"));
    this.faults = faults(System.getProperty("soak.faults", ""));
    this.watch = new Watch(world, PROBE_TIMEOUT, keepsState, figures::add);
  }

  private static Set<Fault> faults(String names) {
    return names.isEmpty()
        ? EnumSet.allOf(Fault.class)
        : Arrays.stream(names.toUpperCase(Locale.ROOT).split(","))
            .map(Fault::valueOf)
            .collect(Collectors.toCollection(() -> EnumSet.noneOf(Fault.class)));
  }

  private void startManager() {
    run =
        new Run(world.cluster(), world.api())
            .with("PUBLISH", world.form().name().toLowerCase(Locale.ROOT))
            .with("RW_SERVICE", World.RW)
            .with("RO_SERVICE", World.RO)
            .with("LEASE_NAME", World.LEASE)
            .with("PROBE_INTERVAL", "50ms")
            .with("PGCONNECT_TIMEOUT", String.valueOf(PROBE_TIMEOUT.toSeconds()))
            .with("TCP_CONNECT_TIMEOUT", "0.2")
            .with("KUBERNETES_TIMEOUT", "300ms")
            .bind("watch", watch);
    if (keepsState) {
      run.with("STATE", "pg-state");
    }
    run.start(Mode.CONTINUOUS);
  }

  /** Runs the soak and ends the process. */
  public static void main(String[] args) {
    long seed = Long.getLong("soak.seed", System.currentTimeMillis());
    System.out.println("Seed " + seed);
    quieten();
    System.exit(soak(seed) ? 0 : 1);
  }

  private static void quieten() {
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    root.setLevel(Level.INFO);
    for (String name : List.of("io.zonky", "com.zaxxer.hikari", "org.postgresql")) {
      ((Logger) LoggerFactory.getLogger(name)).setLevel(Level.OFF);
    }
  }

  private static boolean soak(long seed) {
    Form form =
        Form.valueOf(System.getProperty("soak.publish", "endpoints").toUpperCase(Locale.ROOT));
    Rights rights =
        Rights.valueOf(System.getProperty("soak.rights", "all").toUpperCase(Locale.ROOT));
    try (World world = new World(form, rights)) {
      return new Soak(world, seed).play();
    } catch (SQLException e) {
      e.printStackTrace();
      return false;
    }
  }

  private boolean play() {
    watch.during("none");
    startManager();
    try {
      soak(Integer.getInteger("soak.cycles", 10_000), Integer.getInteger("soak.settle", 70));
      return true;
    } catch (Violation e) {
      tell("VIOLATION: " + e.getMessage());
    } catch (Exception e) {
      tell("The harness could not go on: " + e);
      e.printStackTrace(System.out);
    } finally {
      run.close();
    }
    return false;
  }

  private void tell(String what) {
    System.out.printf("%n%s%nSeed %d, after %d cycles. ", what, seed, watch.ended());
    System.out.printf("Now: %s%n%nWhat was done:%n", world.describe());
    history.forEach(System.out::println);
    System.out.printf("%nLog of the manager:%n");
    List<String> log = run.log();
    log.subList(Math.max(0, log.size() - REMEMBERED), log.size()).forEach(System.out::println);
    System.out.printf("%n%s%n", figures.cycles());
  }

  private void soak(int cycles, int settle) throws Exception {
    Duration limit = Duration.ofMinutes(Integer.getInteger("soak.minutes", 24 * 60));
    long began = System.nanoTime();
    awaitServed();
    // Warms up: loads the classes and lets one-time growth finish.
    while (watch.ended() < Math.min(cycles / 10, 200)) {
      episode();
    }
    calm(settle);
    Usage start = Usage.now(world);
    int counted = watch.ended();
    while (watch.ended() < counted + cycles && System.nanoTime() - began < limit.toNanos()) {
      episode();
    }
    calm(settle);
    int allowance = settle == 0 ? 12 : 0;
    Usage end = usageOnceIdle(start, allowance);
    report(start, counted, end, Duration.ofNanos(System.nanoTime() - began));
    if (!end.isWithin(start, allowance)) {
      throw new Violation(
          "resource leak: more is in use at the end than at the start; threads: "
              + end.threadsUnlike(start));
    }
  }

  /** Returns the usage once idle threads of the last faults have ended. What leaks stays. */
  private Usage usageOnceIdle(Usage start, int allowance) throws SQLException {
    long until = System.nanoTime() + IDLE.toNanos();
    Usage usage = Usage.now(world);
    while (!usage.isWithin(start, allowance) && System.nanoTime() < until) {
      calm(1);
      usage = Usage.now(world);
    }
    return usage;
  }

  private void report(Usage start, int counted, Usage end, Duration took) throws SQLException {
    System.out.printf(
        "%n%d cycles in %d s, seed %d, rights %s, STATE %s, 0 violations; primaries that must have"
            + " answered and did not in time: %d; descendants of twins that were published: %d%n%n",
        watch.ended(),
        took.toSeconds(),
        seed,
        world.rights(),
        keepsState ? "set" : "not set",
        watch.unanswered(),
        watch.limits());
    System.out.println(
        Figures.machine(world.cluster().primary().sql("SHOW server_version").split(" ")[0]));
    System.out.printf("%n%s%n", figures.cycles());
    System.out.printf(
        "%nThe start was counted after %d cycles:%n%n%s%n", counted, Figures.usage(start, end));
  }

  /** Causes some faults in a row, then repairs everything. */
  private void episode() throws Exception {
    int faults = 1 + random.nextInt(5);
    Fault fault = null;
    // A fault that makes each cycle wait comes last: else the later cycles would be slow and few.
    for (int i = 0; i < faults && (fault == null || !fault.isSlow()); i++) {
      fault = next(fault);
      watch.during(fault.toString());
      String done = apply(fault);
      if (done != null) {
        figures.happened(fault);
        remember(fault + " " + done);
        awaitCycles(random.nextInt(fault.isSlow() ? 2 : 60));
      }
      watch.mayDecideAnew();
    }
    watch.during("put right");
    remember("put right");
    world.heal();
    awaitServed();
    watch.during("none");
    awaitCycles(5 + random.nextInt(20));
    run.forgetLog();
    if (watch.ended() >= told + 500) {
      told = watch.ended();
      System.err.println(told + " cycles");
    }
  }

  private String apply(Fault fault) throws Exception {
    return switch (fault) {
      case MANAGER -> restartManager();
      case ROUTE -> stopRoute();
      case LEADER -> changeLeader();
      default -> world.apply(fault, random);
    };
  }

  /** Restarts the manager, unless it would know nothing and then trust any server that answers. */
  private String restartManager() {
    if (!keepsState && !world.isAnythingStored()) {
      return null;
    }
    watch.disturbing();
    run.close();
    watch.beginsAnew();
    startManager();
    awaitCycles(0);
    watch.settled();
    return "";
  }

  private String changeLeader() throws SQLException {
    int term = leadership().term();
    watch.beginsAnew();
    watch.disturbing();
    String done = world.apply(Fault.LEADER, random);
    if (done != null) {
      await(PATIENCE, "the manager to lead again", () -> leadership().term() > term);
      world.leaderIsBack();
      awaitCycles(0);
    }
    watch.settled();
    return done;
  }

  private Leadership leadership() {
    return run.manager().lookup("cluster", Cluster.class).leadership();
  }

  /** Stops and starts a route. Without check-down, nothing checks the nodes that are DOWN. */
  private String stopRoute() throws Exception {
    CamelContext camel = run.manager().getCamelContext();
    List<String> routes =
        camel.getRoutes().stream()
            .filter(
                route ->
                    List.of("one-cycle", "step", "kubernetes", "query")
                        .contains(String.valueOf(route.getConfigurationId())))
            .map(Route::getRouteId)
            .sorted()
            .toList();
    String route =
        random.nextInt(3) == 0 ? "check-down" : routes.get(random.nextInt(routes.size()));
    watch.disturbing();
    camel.getRouteController().stopRoute(route);
    Thread.sleep(200 + random.nextInt(2000));
    camel.getRouteController().startRoute(route);
    awaitCycles(0);
    watch.settled();
    return route;
  }

  /** Returns the next fault. Cases that are hard to get right come more often than by chance. */
  private Fault next(Fault previous) {
    if (previous == null && faults.contains(Fault.FAILOVER) && random.nextInt(5) == 0) {
      return Fault.FAILOVER;
    }
    List<Fault> choice =
        previous == Fault.FAILOVER && random.nextInt(4) > 0
            ? List.of(
                Fault.STALE,
                Fault.APART,
                Fault.RETURN,
                Fault.RETURN,
                Fault.REJOIN,
                Fault.REJOIN,
                Fault.REJOIN,
                Fault.FOREIGN,
                Fault.MANAGER,
                Fault.LEADER)
            : List.of(Fault.values());
    List<Fault> wanted = choice.stream().filter(faults::contains).toList();
    List<Fault> left = wanted.isEmpty() ? List.copyOf(faults) : wanted;
    return left.get(random.nextInt(left.size()));
  }

  private void remember(String event) {
    history.add("after cycle %d: %s".formatted(watch.ended(), event));
    if (history.size() > REMEMBERED) {
      history.remove();
    }
  }

  private void calm(int seconds) {
    watch.during("none");
    long until = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
    await(PATIENCE.plusSeconds(seconds), "calm", () -> System.nanoTime() > until);
  }

  /**
   * Waits until the current cycle and this many more have ended. While the API has a fault, the
   * manager may lose its Lease, and then no cycle runs.
   */
  private void awaitCycles(int more) {
    int goal = watch.ended() + 1 + more;
    long enough = System.nanoTime() + PATIENCE.dividedBy(10).toNanos();
    await(
        PATIENCE.multipliedBy(2),
        more + " more cycles",
        () -> watch.ended() >= goal || world.isApiTroubled() && System.nanoTime() > enough);
  }

  /** Waits until the manager recovers by itself, after all faults are repaired. */
  private void awaitServed() {
    await(
        PATIENCE,
        "the Services to lead to the primary and both standbys",
        () -> world.isServed() && watch.last() != null && watch.last().exitCode() == 0);
  }

  private void await(Duration patience, String goal, BooleanSupplier condition) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!condition.getAsBoolean()) {
      if (watch.violation() != null) {
        throw new Violation(watch.violation());
      }
      if (System.nanoTime() > deadline) {
        throw new Violation("waited %d s for %s".formatted(patience.toSeconds(), goal));
      }
      try {
        Thread.sleep(5);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    if (watch.violation() != null) {
      throw new Violation(watch.violation());
    }
  }
}
