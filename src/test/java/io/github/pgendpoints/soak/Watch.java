package io.github.pgendpoints.soak;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;

/**
 * Looks at every cycle from outside, as Camel shows it: when it began and ended, what it found, and
 * what it asked of the API. All is held against the {@link Truth} and against what the API stores.
 *
 * <p>A cycle whose result was outdated asks the nodes again: each time is a pass, and judged alone.
 */
final class Watch implements RoutePolicyFactory {
  /** What the machine may take besides: two processors that others use, too. */
  private static final Duration SLACK = Duration.ofSeconds(1);

  /** What the program promises over PGCONNECT_TIMEOUT. */
  private static final Duration MORE = Duration.ofSeconds(1);

  private static final Duration API_BUDGET = Duration.ofSeconds(15);
  private static final Set<String> READS = Set.of("get", "list", "watch");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The outcome of a cycle. */
  record Cycle(String fault, int exitCode, int writes, Duration took) {}

  /** What a pass found when it began. */
  private record Before(
      long moment,
      int edits,
      Object topology,
      Object readOnly,
      String versions,
      boolean apiTroubled,
      long timeline,
      Truth.Claim published) {}

  private final World world;
  private final Duration probeTimeout;
  private final Consumer<Cycle> cycles;
  private final AtomicReference<String> violation = new AtomicReference<>();
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicInteger unanswered = new AtomicInteger();
  private volatile String fault = "";
  private volatile Cycle last;

  // One pass at a time, which is one of the things that are checked.
  private Before before;
  private long cycleBegan;
  private String faultAtBegin;
  private int passes;
  private int writes;
  private boolean apiTroubledInCycle;
  private Truth.Claim published;

  /**
   * @param probeTimeout PGCONNECT_TIMEOUT
   * @param cycles is told each cycle, in the manager's own thread
   */
  Watch(World world, Duration probeTimeout, Consumer<Cycle> cycles) {
    this.world = world;
    this.probeTimeout = probeTimeout;
    this.cycles = cycles;
  }

  /** What happens now: the name that the cycles from now on are counted under. */
  void during(String now) {
    fault = now;
  }

  /** The first thing that was not as it must be; null while all is well. */
  String violation() {
    return violation.get();
  }

  int ended() {
    return ended.get();
  }

  Cycle last() {
    return last;
  }

  /** How often a primary that must have answered was DOWN or UNKNOWN to a cycle. */
  int unanswered() {
    return unanswered.get();
  }

  @Override
  public RoutePolicy createRoutePolicy(CamelContext context, String routeId, NamedNode route) {
    return switch (routeId) {
      case "discover" -> policy(exchange -> beginCycle(), this::endCycle);
      case "cycle" -> policy(this::beginPass, this::endPass);
      case "ask" -> new Asking();
      default -> null;
    };
  }

  private RoutePolicy policy(Consumer<Exchange> begin, Consumer<Exchange> end) {
    return new RoutePolicySupport() {
      @Override
      public void onExchangeBegin(Route route, Exchange exchange) {
        judge(() -> begin.accept(exchange));
      }

      @Override
      public void onExchangeDone(Route route, Exchange exchange) {
        judge(() -> end.accept(exchange));
      }
    };
  }

  /** All probes of a pass end in time, whatever the nodes do. */
  private final class Asking extends RoutePolicySupport {
    private long began;

    @Override
    public void onExchangeBegin(Route route, Exchange exchange) {
      began = System.nanoTime();
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
      judge(() -> checkTime("asking the nodes", began, probeTimeout.plus(MORE)));
    }
  }

  private void judge(Runnable part) {
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

  /** Not in the first cycle, for which the JVM has all the classes to load. */
  private void checkTime(String what, long began, Duration bound) {
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    require(
        ended.get() == 0 || took.compareTo(bound) <= 0,
        "%s took %s, allowed are %s",
        what,
        took,
        bound);
  }

  // ---- a cycle

  private void beginCycle() {
    cycleBegan = System.nanoTime();
    faultAtBegin = fault;
    passes = 0;
    writes = 0;
    apiTroubledInCycle = false;
    require(underWay.incrementAndGet() == 1, "a cycle began before the one before it had ended");
  }

  private void endCycle(Exchange exchange) {
    Duration took = Duration.ofNanos(System.nanoTime() - cycleBegan);
    underWay.decrementAndGet();
    Cycle cycle =
        new Cycle(faultAtBegin, exchange.getProperty("exitCode", 1, Integer.class), writes, took);
    last = cycle;
    cycles.accept(cycle);
    require(!exchange.isFailed(), "a cycle failed: %s", exchange.getException());
    checkTime(
        "a cycle of %d passes".formatted(passes),
        cycleBegan,
        probeTimeout.plus(MORE).multipliedBy(passes).plus(apiTroubledInCycle ? API_BUDGET : SLACK));
    ended.incrementAndGet();
  }

  // ---- a pass

  private void beginPass(Exchange exchange) {
    before =
        new Before(
            System.nanoTime(),
            world.edits(),
            exchange.getProperty("topology"),
            exchange.getProperty("readOnly"),
            world.versions(),
            world.isApiTroubled(),
            Math.max(storedTimeline(World.RW), storedTimeline(World.RO)),
            published);
    passes++;
  }

  private long storedTimeline(String service) {
    String stored = world.annotation(service, Annotations.TIMELINE);
    return stored != null && stored.matches("[0-9]+") ? Long.parseLong(stored) : 0;
  }

  private void endPass(Exchange exchange) {
    List<ApiRequest> requests =
        world.api().requests().stream().filter(request -> !READS.contains(request.verb())).toList();
    world.api().clearRequests();
    writes += requests.size();
    boolean troubled = before.apiTroubled() || world.isApiTroubled();
    apiTroubledInCycle |= troubled;
    checkTime(
        "a pass", before.moment(), probeTimeout.plus(MORE).plus(troubled ? API_BUDGET : SLACK));
    Topology topology = fresh(exchange, "topology", before.topology(), Topology.class);
    boolean verified = fresh(exchange, "readOnly", before.readOnly(), Object.class) != null;
    if (topology != null) {
      checkAgainstTruth(topology);
    }
    if (verified) {
      NodeState primary = solePrimary(topology);
      checkNotStale(primary);
      for (ApiRequest request : requests) {
        checkWrite(request, primary, topology);
      }
      checkStored(exchange, primary);
    } else {
      require(requests.isEmpty(), "a refused cycle wrote: %s", requests);
      String versions = world.versions();
      require(
          hasOthersEdited() || before.versions().equals(versions),
          "a refused cycle changed the Endpoints: versions %s became %s",
          before.versions(),
          versions);
    }
    notePublished();
    // Nothing that began before can matter to a pass to come.
    world.truth().forgetBefore(before.moment());
  }

  /** To be asked after the Endpoints were read, which others change at any moment. */
  private boolean hasOthersEdited() {
    return before.edits() % 2 != 0 || before.edits() != world.edits();
  }

  /** What this pass set, and not one before it. */
  private static <T> T fresh(Exchange exchange, String name, Object before, Class<T> type) {
    Object now = exchange.getProperty(name);
    return now == before ? null : type.cast(now);
  }

  /** Each node was what it was seen to be. */
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

  /** The claims, as we know them, that a node seen as a primary can have answered with. */
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

  private static NodeState solePrimary(Topology topology) {
    require(topology != null, "verified without asking the nodes");
    List<NodeState> primaries =
        topology.nodes().stream().filter(node -> node.state() == State.PRIMARY).toList();
    require(primaries.size() == 1, "verified with other than one primary: %s", topology);
    return primaries.get(0);
  }

  /** Only where nobody else changed what is stored meanwhile. */
  private void checkNotStale(NodeState primary) {
    long timeline = primary.server().timeline();
    if (hasOthersEdited()) {
      return;
    }
    require(
        timeline >= before.timeline(),
        "%s on timeline %d was verified, published is %d",
        primary.node(),
        timeline,
        before.timeline());
    if (before.timeline() == timeline && before.published() != null) {
      require(
          possible(primary).contains(before.published()),
          "%s on timeline %d was verified, published is %s",
          primary.node(),
          timeline,
          before.published());
    }
  }

  /** A write, be it granted or not, names the primary that this pass verified, and no other. */
  private void checkWrite(ApiRequest request, NodeState primary, Topology topology) {
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
      for (NodeState node : topology.nodes()) {
        require(
            node.state() != State.PRIMARY && node.state() != State.FOREIGN
                || !addresses.contains(node.node().host()),
            "RO was written with %s, in spite of %s",
            addresses,
            node);
      }
    }
    JsonNode annotations = body.at("/metadata/annotations");
    String wanted =
        "%s; %s; timeline %s"
            .formatted(world.systemIdentifier(), "primary:" + address, primary.server().timeline());
    String written =
        "%s; %s; timeline %s"
            .formatted(
                annotations.path(Annotations.SYSTEM_IDENTIFIER).asText(),
                annotations.path(Annotations.LAST_TOPOLOGY).asText().split(";")[0],
                annotations.path(Annotations.TIMELINE).asText());
    require(
        written.equals(wanted), "%s was annotated '%s', true is '%s'", service, written, wanted);
  }

  private static JsonNode parse(String body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw new Violation("a request that is no JSON: " + body);
    }
  }

  /** Where a pass was content, the Endpoints are what it verified. */
  private void checkStored(Exchange exchange, NodeState primary) {
    // A pass whose result was dropped has not decided yet; another one follows in the same cycle.
    boolean dropped = Objects.equals("true", exchange.getProperty("again", String.class));
    boolean content =
        !dropped && Objects.equals("0", exchange.getProperty("exitCode", String.class));
    Published stored = exchange.getProperty("published", Published.class);
    List<String> addresses = world.addresses(World.RW);
    require(
        !content
            || stored.paused()
            || hasOthersEdited()
            || addresses.equals(List.of(primary.node().host())),
        "a cycle was content with RW leading to %s, the primary is %s",
        addresses,
        primary.node());
  }

  /** Whom the stored topology names as primary, by our own books. */
  private void notePublished() {
    Truth.Claim named = null;
    for (String service : List.of(World.RW, World.RO)) {
      String host = world.annotation(service, Annotations.PRIMARY);
      Truth.Claim claim = host == null ? null : world.truth().claim(world.serverAt(host));
      if (claim != null
          && claim.timeline() == storedTimeline(service)
          && (named == null || claim.timeline() > named.timeline())) {
        named = claim;
      }
    }
    published = named;
  }
}
