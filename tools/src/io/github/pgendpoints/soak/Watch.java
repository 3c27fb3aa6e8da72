package io.github.pgendpoints.soak;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.Outcome;
import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;

/**
 * Watches every cycle from outside, through Camel: when it began and ended, what it found, and what
 * it requested from the API. Compares all of this with the {@link Truth} and with what the API
 * stores.
 */
final class Watch implements RoutePolicyFactory {
  /** The extra time for the machine, which has two processors and other load. */
  private static final Duration SLACK = Duration.ofSeconds(Integer.getInteger("soak.slack", 1));

  /** How long probes may exceed PGCONNECT_TIMEOUT on a machine that is not overloaded. */
  private static final Duration MORE = SLACK;

  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration API_BUDGET = Duration.ofSeconds(15);
  private static final Set<String> ELSEWHERE = Set.of("leases", "configmaps");
  private static final Set<String> READS = Set.of("get", "list", "watch");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The outcome of a cycle. */
  record Cycle(String fault, int exitCode, boolean verified, int writes, Duration took) {}

  /** The state when a cycle began. */
  private record Before(
      long moment,
      int edits,
      int leases,
      String readWriteVersion,
      String readOnlyVersion,
      boolean apiTroubled,
      boolean disturbed,
      long timeline,
      Truth.Claim published) {}

  /** The decision about the read-write Service; the primary is null where it was refused. */
  private record Decided(Rule rule, PostgresServer primary) {}

  /** Refusals that a restart must not end, since they do not depend on a single probe. */
  private static final Set<Rule> LASTING =
      Set.of(
          Rule.SPLIT_BRAIN,
          Rule.SPLIT_BRAIN_LASTS,
          Rule.PROMOTED_APART,
          Rule.UNPROVEN,
          Rule.NEWER_LINE);

  private final World world;
  private final Duration probeTimeout;
  private final Consumer<Cycle> cycles;
  private final AtomicReference<String> violation = new AtomicReference<>();
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicInteger unanswered = new AtomicInteger();
  private volatile String fault = "";
  private volatile CamelContext watched;
  private volatile Cycle last;

  // The current cycle. Only one runs at a time, which is one of the checks.
  private Before before;
  private long cycleBegan;
  private long readAt;
  private String faultAtBegin;
  private boolean disturbedInCycle;
  private Verdict publishing;
  private final Set<Truth.Claim> rivals = new HashSet<>();
  private Decided decided;

  private final AtomicInteger disturbances = new AtomicInteger();
  private final AtomicInteger limits = new AtomicInteger();
  private final boolean keepsState;
  private int term;
  private Decided held;

  /**
   * @param probeTimeout PGCONNECT_TIMEOUT
   * @param keepsState whether STATE is set
   * @param cycles receives each cycle, in the manager's own thread
   */
  Watch(World world, Duration probeTimeout, boolean keepsState, Consumer<Cycle> cycles) {
    this.world = world;
    this.keepsState = keepsState;
    this.probeTimeout = probeTimeout;
    this.cycles = cycles;
  }

  /** Sets the name under which the cycles from now on are counted. */
  void during(String now) {
    fault = now;
  }

  /** Returns the first violation; null if there is none. */
  String violation() {
    return violation.get();
  }

  int ended() {
    return ended.get();
  }

  Cycle last() {
    return last;
  }

  /** Returns how often a descendant of a twin was published: it looks exactly like a successor. */
  int limits() {
    return limits.get();
  }

  /**
   * Records that the manager or one of its routes is about to stop. Until {@link #settled}, cycles
   * may fail and be slow, but must do nothing wrong.
   */
  void disturbing() {
    disturbances.incrementAndGet();
  }

  /** Records that all routes of the manager run, and a cycle has ended. */
  void settled() {
    disturbances.incrementAndGet();
  }

  private boolean isDisturbed() {
    return disturbances.get() % 2 != 0;
  }

  /** Records that another process or another term of leadership is about to begin. */
  synchronized void beginsAnew() {
    rivals.removeIf(rival -> !keepsState);
    held = decided;
  }

  /** Records that the decision may change from now on. */
  synchronized void mayDecideAnew() {
    held = null;
  }

  /** Returns how often a cycle saw a primary that must have answered as DOWN or UNKNOWN. */
  int unanswered() {
    return unanswered.get();
  }

  @Override
  public RoutePolicy createRoutePolicy(CamelContext context, String routeId, NamedNode route) {
    if (context != watched) {
      // As after the end of a process, the rest of the old context's last cycle does not count.
      watched = context;
      underWay.set(0);
      // Camel may stop before it reports the end of that cycle.
      world.api().clearRequests();
    }
    return switch (routeId) {
      case "cycle" -> policy(this::beginTick, this::endTick);
      case "read" -> policy(exchange -> {}, exchange -> readAt = System.nanoTime());
      case "verify" ->
          policy(
              exchange -> checkTime("probing the nodes", readAt, probeTimeout.plus(MORE)),
              exchange -> {});
      case "publish" -> policy(this::beginPublishing, exchange -> {});
      default -> null;
    };
  }

  private RoutePolicy policy(Consumer<Exchange> begin, Consumer<Exchange> end) {
    return new RoutePolicySupport() {
      @Override
      public void onExchangeBegin(Route route, Exchange exchange) {
        if (exchange.getContext() == watched) {
          judge(() -> begin.accept(exchange));
        }
      }

      @Override
      public void onExchangeDone(Route route, Exchange exchange) {
        if (exchange.getContext() == watched) {
          judge(() -> end.accept(exchange));
        }
      }
    };
  }

  /** Records the verdict of a verified cycle. Other cycles do not reach this route. */
  private void beginPublishing(Exchange exchange) {
    publishing = exchange.getVariable("verdict", Verdict.class);
  }

  private synchronized void judge(Runnable part) {
    try {
      part.run();
    } catch (Violation e) {
      violation.compareAndSet(null, e.getMessage());
    } catch (RuntimeException e) {
      violation.compareAndSet(null, "the harness failed: " + e + " at " + e.getStackTrace()[0]);
    }
  }

  private static void require(boolean condition, String otherwise, Object... details) {
    if (!condition) {
      throw new Violation(otherwise.formatted(details));
    }
  }

  /** Checks a duration, except in the first cycle, in which the JVM loads all classes. */
  private void checkTime(String what, long began, Duration bound) {
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    require(
        ended.get() == 0 || disturbedInCycle || isDisturbed() || took.compareTo(bound) <= 0,
        "%s took %s, allowed are %s",
        what,
        took,
        bound);
  }

  // ---- a cycle

  /** Records the state at a tick. A cycle may begin at this tick. */
  private void beginTick(Exchange exchange) {
    cycleBegan = System.nanoTime();
    readAt = cycleBegan;
    faultAtBegin = fault;
    disturbedInCycle = isDisturbed();
    publishing = null;
    require(underWay.incrementAndGet() == 1, "a cycle began before the one before it had ended");
    int itsTerm = cluster(exchange).leadership().term();
    if (itsTerm != term) {
      // While the API has a fault, the manager may also lose the Lease by itself.
      rivals.removeIf(rival -> !keepsState);
      term = itsTerm;
    }
    before =
        new Before(
            cycleBegan,
            world.edits(),
            world.leases(),
            world.version(World.RW),
            world.version(World.RO),
            world.isApiTroubled(),
            isDisturbed(),
            Math.max(storedTimeline(World.RW), storedTimeline(World.RO)),
            world.published());
  }

  private static Cluster cluster(Exchange exchange) {
    return exchange.getContext().getRegistry().lookupByNameAndType("cluster", Cluster.class);
  }

  private long storedTimeline(String service) {
    String stored = world.annotation(service, Annotations.TIMELINE);
    return stored != null && stored.matches("[0-9]+") ? Long.parseLong(stored) : 0;
  }

  private void endTick(Exchange exchange) {
    underWay.decrementAndGet();
    disturbedInCycle |= before.disturbed() || isDisturbed();
    require(
        !exchange.isFailed() || disturbedInCycle, "a cycle failed: %s", exchange.getException());
    io.github.pgendpoints.cycle.Cycle cycle =
        exchange.getVariable("cycle", io.github.pgendpoints.cycle.Cycle.class);
    if (cycle != null && cycle.result() != null) {
      endCycle(cycle.result());
    }
  }

  private void endCycle(Result result) {
    Duration took = Duration.ofNanos(System.nanoTime() - cycleBegan);
    List<ApiRequest> requests = writesSinceLastCycle();
    Cycle cycle =
        new Cycle(
            faultAtBegin, result.outcome().exitCode(), publishing != null, requests.size(), took);
    last = cycle;
    cycles.accept(cycle);
    boolean troubled = before.apiTroubled() || world.isApiTroubled();
    checkTime("a cycle", cycleBegan, probeTimeout.plus(MORE).plus(troubled ? API_BUDGET : SLACK));
    check(result, requests);
    // Nothing that ended before this cycle can matter to a later one.
    world.truth().forgetBefore(before.moment());
    ended.incrementAndGet();
  }

  private void check(Result result, List<ApiRequest> requests) {
    Topology topology = result.topology();
    Verdict verdict = result.verdict();
    if (topology != null) {
      checkAgainstTruth(topology);
      checkTwoPrimaries(result);
    }
    if (publishing != null) {
      require(topology != null, "verified without probing the nodes");
      NodeState primary = publishing.primary();
      Truth.Claim claim = checkPrimary(primary, topology);
      checkNotStale(primary);
      for (ApiRequest request : requests) {
        checkWrite(request, primary, claim, topology);
      }
      checkStored(result, primary, claim);
      notePublished(primary, claim);
    } else {
      checkRefused(requests, verdict);
    }
    if (verdict != null) {
      checkDecision(verdict);
      noteRivals(verdict, topology);
    }
  }

  /** Returns the writes to both Services' objects. The Lease and STATE may change any time. */
  private List<ApiRequest> writesSinceLastCycle() {
    List<ApiRequest> requests =
        world.api().requests().stream().filter(request -> !READS.contains(request.verb())).toList();
    world.api().clearRequests();
    List<ApiRequest> others = new ArrayList<>();
    for (ApiRequest request : requests) {
      if (!ELSEWHERE.contains(String.valueOf(request.target().resource()))) {
        others.add(request);
      }
    }
    return others;
  }

  /** Checks that two servers that take writes are an ERROR, whichever of them is right. */
  private void checkTwoPrimaries(Result result) {
    Topology topology = result.topology();
    Verdict verdict = result.verdict();
    if (primaries(topology).size() < 2) {
      return;
    }
    require(verdict == null || verdict.hasErrors(), "two primaries, and no ERROR: %s", topology);
    require(
        result.outcome() == Outcome.NOT_LEADER || result.outcome().exitCode() != 0,
        "two primaries, and exit code 0: %s",
        topology);
  }

  private static List<NodeState> primaries(Topology topology) {
    return topology.nodes().stream().filter(node -> node.state() == State.PRIMARY).toList();
  }

  /**
   * Checks that the verified primary continues the published one, and that no other server that
   * answered does.
   *
   * @return its claim, as recorded; null where several promotions fit, or none yet
   */
  private Truth.Claim checkPrimary(NodeState primary, Topology topology) {
    Truth.Claim published = before.published();
    PostgresServer server = world.serverAt(primary.node().host());
    if (primary.server() == null) {
      require(
          published != null && published.server() == server,
          "%s was verified without an answer, published is %s",
          primary,
          published);
      return published;
    }
    List<Truth.Claim> claims = possible(primary);
    claims.forEach(this::awaitBranch);
    for (NodeState other : primaries(topology)) {
      List<Truth.Claim> its = possible(other);
      require(
          other.node().equals(primary.node())
              || its.isEmpty()
              || !its.stream().allMatch(this::mayBeThePrimary),
          "%s was verified, and %s may be the primary, too: %s; published is %s",
          claims,
          its,
          topology,
          published);
    }
    if (published == null || claims.contains(published)) {
      return published == null && claims.size() == 1 ? claims.get(0) : published;
    }
    require(
        claims.stream().anyMatch(claim -> mayTakeOver(claim, published)),
        "%s was verified, and does not continue %s, which is published; standbys: %s",
        claims,
        published,
        world.truth().data(published.server()));
    for (Truth.Claim rival : rivals) {
      require(
          claims.contains(rival)
              || !mayBeThePrimary(rival)
              || !world.truth().hasRun(rival, before.moment(), System.nanoTime()),
          "%s was verified, and its rival %s still runs: %s",
          claims,
          rival,
          topology);
    }
    return claims.size() == 1 ? claims.get(0) : null;
  }

  /** Waits for the branch of a promotion: the manager may see it before it is recorded. */
  private void awaitBranch(Truth.Claim claim) {
    long began = System.nanoTime();
    while (claim.branch() == null && System.nanoTime() - began < PATIENCE.toNanos()) {
      LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
    }
    require(claim.branch() != null, "the branch of %s did not become known", claim);
    cycleBegan += System.nanoTime() - began;
  }

  /** Whether no known fact rules out this claim. */
  private boolean mayBeThePrimary(Truth.Claim claim) {
    Truth.Claim published = before.published();
    return published == null
        || claim.branch() != null
            && (world.rights() == Rights.ALL
                ? claim.branch().looksLikeContinuing(published.branch())
                : claim.timeline() >= published.timeline());
  }

  private boolean mayTakeOver(Truth.Claim claim, Truth.Claim published) {
    if (world.rights() == Rights.LOGIN) {
      return claim.timeline() > published.timeline();
    }
    Truth.Data given = world.truth().data(published.server());
    if (claim.branch().continues(published.branch())
        || given != null && !given.isOff(claim.branch())) {
      return true;
    }
    // PostgreSQL has no identity for a timeline.
    boolean descendsFromTwin =
        claim.timeline() > published.timeline()
            && claim.branch().looksLikeContinuing(published.branch());
    if (descendsFromTwin) {
      limits.incrementAndGet();
    }
    return descendsFromTwin;
  }

  /** Checks that a refused cycle writes nothing, except to restore what was verified last. */
  private void checkRefused(List<ApiRequest> requests, Verdict verdict) {
    for (ApiRequest request : requests) {
      require(
          verdict != null
              && before.published() != null
              && request.method().equals("PATCH")
              && world.form().service(request.target().name()).equals(World.RW)
              && world
                  .form()
                  .written(parse(request.body()))
                  .equals(List.of(before.published().server().host())),
          "a refused cycle wrote: %s; published is %s",
          request,
          before.published());
    }
    String readWrite = world.version(World.RW);
    String readOnly = world.version(World.RO);
    require(
        hasOthersEdited()
            || (before.readWriteVersion().equals(readWrite) || !requests.isEmpty())
                && before.readOnlyVersion().equals(readOnly),
        "a refused cycle changed the Endpoints: versions %s/%s became %s/%s",
        before.readWriteVersion(),
        before.readOnlyVersion(),
        readWrite,
        readOnly);
  }

  /** Checks that the decision is the same as before if nodes and Endpoints are unchanged. */
  private void checkDecision(Verdict verdict) {
    decided =
        new Decided(
            verdict.rule(),
            verdict.isVerified() ? world.serverAt(verdict.primary().node().host()) : null);
    if (held == null) {
      return;
    }
    boolean same =
        held.rule() == Rule.VERIFIED
            ? !verdict.isVerified() || decided.primary() == held.primary()
            : !keepsState || !LASTING.contains(held.rule()) || !verdict.isVerified();
    require(same, "decided %s before the restart and %s after it", held, decided);
  }

  private void noteRivals(Verdict verdict, Topology topology) {
    if (verdict.isVerified()) {
      rivals.clear();
    } else if (verdict.rule() == Rule.SPLIT_BRAIN) {
      for (NodeState primary : primaries(topology)) {
        List<Truth.Claim> claims = possible(primary);
        if (claims.size() == 1 && mayBeThePrimary(claims.get(0))) {
          rivals.add(claims.get(0));
        }
      }
    }
  }

  /** Whether other writers changed the Endpoints. Call it after the Endpoints were read. */
  private boolean hasOthersEdited() {
    return before.edits() % 2 != 0 || before.edits() != world.edits();
  }

  /** Checks that each node was what the cycle saw. */
  private void checkAgainstTruth(Topology topology) {
    long end = System.nanoTime();
    for (NodeState node : topology.nodes()) {
      PostgresServer server = world.serverAt(node.node().host());
      boolean certain = world.truth().isCertain(server, before.moment(), end);
      require(
          !certain || node.state() != State.STANDBY && node.state() != State.FOREIGN,
          "%s was a primary all the time, and was taken for another: %s",
          server,
          topology);
      if (certain && node.state() != State.PRIMARY) {
        unanswered.incrementAndGet();
      }
      if (node.state() == State.PRIMARY) {
        require(
            world.systemIdentifier().equals(node.server().systemIdentifier()),
            "%s of a foreign cluster was taken for a primary of ours",
            node.node());
        require(
            !possible(node).isEmpty(),
            "%s was taken for a primary on timeline %s, which it was not; it can have been %s",
            node.node(),
            node.server().timeline(),
            world.truth().possible(server, before.moment(), end));
      }
      require(
          node.state() != State.STANDBY
              || world.systemIdentifier().equals(node.server().systemIdentifier()),
          "%s of a foreign cluster was taken for a standby of ours",
          node.node());
    }
  }

  /** Returns the recorded claims with which a node seen as a primary can have answered. */
  private List<Truth.Claim> possible(NodeState node) {
    return world
        .truth()
        .possible(world.serverAt(node.node().host()), before.moment(), System.nanoTime())
        .stream()
        .filter(
            claim ->
                claim.timeline() == 0
                    || node.server().timeline() != null
                        && claim.timeline() == node.server().timeline())
        .toList();
  }

  /** Checks timeline numbers, if only they decide and no other writer changed what is stored. */
  private void checkNotStale(NodeState primary) {
    if (hasOthersEdited() || world.rights() == Rights.ALL || primary.server() == null) {
      return;
    }
    require(
        primary.server().timeline() >= before.timeline(),
        "%s on timeline %d was verified, published is %d",
        primary.node(),
        primary.server().timeline(),
        before.timeline());
  }

  /** Checks that a write, granted or not, names only the primary that this cycle verified. */
  private void checkWrite(
      ApiRequest request, NodeState primary, Truth.Claim claim, Topology topology) {
    require(
        world.form().resource().equals(request.target().resource())
            && (request.method().equals("PATCH") || request.method().equals("POST")),
        "an unexpected request: %s",
        request);
    JsonNode body = parse(request.body());
    String service =
        world
            .form()
            .service(
                request.method().equals("POST")
                    ? body.at("/metadata/name").asText()
                    : request.target().name());
    List<String> addresses = world.form().written(body);
    String address = primary.node().host();
    if (service.equals(World.RW)) {
      require(
          addresses.equals(List.of(address)),
          "RW was written with %s, the primary is %s",
          addresses,
          address);
    } else {
      checkReadOnly("RO was written with", addresses, claim, topology);
    }
    JsonNode annotations = body.at("/metadata/annotations");
    String wanted =
        "%s; %s; timeline %s; entries %s:%s; begin %s"
            .formatted(
                world.systemIdentifier(),
                "primary:" + address,
                primary.server() == null ? claim.timeline() : primary.server().timeline(),
                address,
                world.cluster().port(),
                world.rights() == Rights.ALL && claim != null ? claim.branch().begin() : "");
    String written =
        "%s; %s; timeline %s; entries %s; begin %s"
            .formatted(
                annotations.path(Annotations.SYSTEM_IDENTIFIER).asText(""),
                annotations.path(Annotations.LAST_TOPOLOGY).asText("").split(";")[0],
                annotations.path(Annotations.TIMELINE).asText(""),
                annotations.path(Annotations.ENTRIES).asText(""),
                world.rights() == Rights.ALL && claim != null
                    ? annotations.path(Annotations.BEGIN).asText("")
                    : "");
    require(
        written.equals(wanted), "%s was annotated '%s', true is '%s'", service, written, wanted);
  }

  /**
   * Checks that RO has no primary, no server of another cluster, and no standby that reported its
   * timeline and is, by the record, off the line.
   */
  private void checkReadOnly(
      String what, List<String> addresses, Truth.Claim claim, Topology topology) {
    for (NodeState node : topology.nodes()) {
      if (!addresses.contains(node.node().host())) {
        continue;
      }
      require(
          node.state() != State.PRIMARY && node.state() != State.FOREIGN,
          "%s %s, in spite of %s",
          what,
          addresses,
          node);
      Truth.Data data = world.truth().data(world.serverAt(node.node().host()));
      boolean isTold =
          world.rights() == Rights.ALL
              && claim != null
              && node.state() == State.STANDBY
              && data != null
              && data.since() < before.moment()
              && node.server().timeline() != null
              && node.server().timeline() == data.branch().timeline();
      require(
          !isTold || !data.isOff(claim.branch()),
          "%s %s, where %s has %s, and the primary is %s",
          what,
          addresses,
          node,
          data,
          claim);
    }
  }

  private static JsonNode parse(String body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw new Violation("a request that is no JSON: " + body);
    }
  }

  /** Checks that after a complete cycle the Endpoints are what it verified. */
  private void checkStored(Result result, NodeState primary, Truth.Claim claim) {
    boolean leads = before.leases() % 2 == 0 && before.leases() == world.leases();
    if (result.outcome().exitCode() > 1
        || result.outcome() == Outcome.NOT_LEADER
        || !leads
        || before.apiTroubled()
        || disturbedInCycle
        || result.published().paused()) {
      return;
    }
    List<String> readWrite = world.addresses(World.RW);
    List<String> readOnly = world.addresses(World.RO);
    if (hasOthersEdited()) {
      return;
    }
    require(
        readWrite.equals(List.of(primary.node().host())),
        "a cycle left RW at %s, but the primary is %s",
        readWrite,
        primary.node());
    checkReadOnly("a cycle left RO at", readOnly, claim, result.topology());
  }

  /** Records the primary of the read-write Service as published. */
  private void notePublished(NodeState primary, Truth.Claim claim) {
    String host = primary.node().host();
    if (claim != null
        && (world.addresses(World.RW).equals(List.of(host))
            || host.equals(world.annotation(World.RW, Annotations.PRIMARY)))) {
      world.published(claim);
    }
  }
}
