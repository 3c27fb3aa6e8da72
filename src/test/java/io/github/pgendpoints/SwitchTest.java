package io.github.pgendpoints;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What clients see at each change of an object during a switch from Endpoints to EndpointSlices or
 * back, while a controller mirrors Endpoints to EndpointSlices.
 */
@Tag("long")
class SwitchTest {
  private static final Topology BEFORE =
      topology(primary("10.0.0.1", 1), standby("10.0.0.2"), standby("10.0.0.3"));
  private static final Topology AFTER =
      topology(standby("10.0.0.1"), primary("10.0.0.2", 2), standby("10.0.0.3"));

  private static final int ENOUGH = 5;

  private static final FakeApiServer API =
      new FakeApiServer("db").withMirroring(Duration.ofMillis(3)).start();
  private static final List<Set<String>> READ_WRITE = new ArrayList<>();
  private static final List<Set<String>> READ_ONLY = new ArrayList<>();
  private static RoutesContext endpoints;
  private static RoutesContext slices;
  private static RoutesContext clearing;

  /** The context that ran the last cycle. */
  private RoutesContext last;

  @BeforeAll
  static void start() {
    API.createService("pg-rw", "postgresql", 5432);
    API.createService("pg-ro", "postgresql", 5432);
    endpoints = new RoutesContext(API).start();
    slices = new RoutesContext(API).with("PUBLISH", "endpointslices").start();
    clearing =
        new RoutesContext(API)
            .with("PUBLISH", "endpointslices")
            .with("ON_SPLIT_BRAIN", "clear")
            .start();
    API.onChange(SwitchTest::note);
  }

  @AfterAll
  static void stop() {
    endpoints.close();
    slices.close();
    clearing.close();
    API.close();
  }

  @BeforeEach
  void beginWithNothing() {
    List.of(endpoints, slices, clearing).forEach(RoutesContext::restart);
    API.heal();
    API.withMirroring(Duration.ofMillis(3));
    API.deleteEndpoints("pg-rw");
    API.deleteEndpoints("pg-ro");
    API.list(EndpointSlice.class)
        .forEach(slice -> API.delete(EndpointSlice.class, "db", slice.getMetadata().getName()));
    API.awaitMirrors();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void switchKeepsAddressesAndLeavesNothing(boolean toSlices) {
    begin(!toSlices);

    List<String> seen = run(toSlices, BEFORE, ENOUGH);

    assertEquals(List.of(Set.of("10.0.0.1")), READ_WRITE, seen.toString());
    assertEquals(List.of(Set.of("10.0.0.2", "10.0.0.3")), READ_ONLY);
    assertEnded(toSlices);
  }

  static Stream<Arguments> accidents() {
    return Stream.of(true, false)
        .flatMap(
            toSlices ->
                Stream.of(0, 1, 2, 3)
                    .flatMap(
                        steps ->
                            Stream.of(
                                    "nothing",
                                    "create endpoints",
                                    "patch endpoints",
                                    "delete endpoints",
                                    "create endpointslices",
                                    "patch endpointslices",
                                    "delete endpointslices")
                                .map(refused -> Arguments.of(toSlices, steps, refused))));
  }

  /** At each step of a switch, a write fails in the cycle that detects a failover. */
  @ParameterizedTest(name = "to slices {0}, {1} steps, {2} refused")
  @MethodSource("accidents")
  void showsNoOldPrimaryWhateverHappensOnTheWay(boolean toSlices, int steps, String refused) {
    begin(!toSlices);
    run(toSlices, BEFORE, steps);
    if (!refused.equals("nothing")) {
      API.deny(refused.split(" ")[0], refused.split(" ")[1]);
    }

    run(toSlices, AFTER, 1);
    API.heal();
    List<String> seen = run(toSlices, AFTER, ENOUGH);

    assertEquals(
        List.of(Set.of("10.0.0.1"), Set.of("10.0.0.2")), withoutGap(READ_WRITE), "" + seen);
    assertTrue(READ_WRITE.indexOf(Set.of()) < 0 || !refused.equals("nothing"), "" + READ_WRITE);
    assertEquals(Set.of("10.0.0.1", "10.0.0.3"), API.visible("pg-ro"));
    assertEnded(toSlices);
  }

  /** As above, with a new primary of the other address family, which needs another slice. */
  @ParameterizedTest(name = "to slices {0}, {1} steps, {2} refused")
  @MethodSource("accidents")
  void showsNoOldPrimaryBesideOneOfTheOtherFamily(boolean toSlices, int steps, String refused) {
    Topology six = topology(standby("10.0.0.1"), primary("2001:db8::2", 2), standby("10.0.0.3"));
    begin(!toSlices);
    run(toSlices, BEFORE, steps);
    if (!refused.equals("nothing")) {
      API.deny(refused.split(" ")[0], refused.split(" ")[1]);
    }

    run(toSlices, six, 1);
    API.heal();
    run(toSlices, six, ENOUGH);

    assertEquals(List.of(Set.of("10.0.0.1"), Set.of("2001:db8::2")), withoutGap(READ_WRITE));
    assertEquals(Set.of("10.0.0.1", "10.0.0.3"), API.visible("pg-ro"));
    assertEnded(toSlices);
  }

  @Test
  void losesNoStandbyWhereOneOfTheSlicesIsMissing() {
    Topology both = topology(primary("10.0.0.1", 1), standby("10.0.0.2"), standby("2001:db8::3"));
    Topology listed =
        topology(
            primary("10.0.0.1", 1), standby("10.0.0.2"), standby("2001:db8::3"), down("10.0.0.9"));
    run(false, both, 1);
    run(true, both, 1);
    API.delete(EndpointSlice.class, "db", "pg-ro-ipv6");
    READ_ONLY.clear();
    note();

    run(true, listed, ENOUGH);

    assertEquals(List.of(Set.of("10.0.0.2", "2001:db8::3")), READ_ONLY);
    assertEnded(true);
  }

  /** At each step of a switch, an operator reverts PUBLISH. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void turnsBackAtEachStep(int steps) {
    for (boolean toSlices : List.of(true, false)) {
      begin(!toSlices);
      run(toSlices, BEFORE, steps);
      List<String> seen = run(!toSlices, BEFORE, ENOUGH);

      assertEquals(List.of(Set.of("10.0.0.1")), READ_WRITE, seen.toString());
      assertEnded(!toSlices);
    }
  }

  /** The mirroring controller hangs from some step on, until after the failover. */
  @ParameterizedTest
  @CsvSource({"true,0", "true,1", "true,2", "true,3", "false,0", "false,1", "false,2", "false,3"})
  void hangingControllerNeverShowsTwoPrimaries(boolean toSlices, int steps) {
    begin(!toSlices);
    run(toSlices, BEFORE, Math.max(0, steps - 1));
    API.withMirroring(Duration.ofDays(1));
    RoutesContext cycles = toSlices ? slices : endpoints;
    if (steps > 0) {
      cycles.run(BEFORE);
    }
    for (int i = 0; i < ENOUGH; i++) {
      cycles.run(AFTER);
    }
    API.withMirroring(Duration.ofMillis(3));
    API.awaitMirrors();
    run(toSlices, AFTER, ENOUGH);

    assertTrue(READ_WRITE.stream().allMatch(seen -> seen.size() <= 1), "" + READ_WRITE);
    assertEquals(Set.of("10.0.0.2"), API.visible("pg-rw"));
    assertEquals(Set.of("10.0.0.1", "10.0.0.3"), API.visible("pg-ro"));
    assertEnded(toSlices);
  }

  @Test
  void keepsTheAddressesWhenOnlyTheAnnotationsChange() {
    Topology without = topology(primary("10.0.0.1", 1), standby("10.0.0.2"));
    begin(true);
    run(false, BEFORE, 1);
    API.withMirroring(Duration.ofDays(1));
    // The Endpoints are no longer hidden, and not yet mirrored.
    endpoints.run(BEFORE);
    for (int i = 0; i < ENOUGH; i++) {
      endpoints.run(without);
    }

    assertEquals(List.of(Set.of("10.0.0.1")), READ_WRITE);
    API.withMirroring(Duration.ofMillis(3));
    API.awaitMirrors();
    run(false, without, ENOUGH);
    assertEnded(false);
    assertEquals(List.of(Set.of("10.0.0.1")), READ_WRITE);
  }

  @Test
  void doesNotFinishASwitchInACycleThatIsRefused() {
    begin(false);
    run(true, BEFORE, 1);
    API.clearRequests();

    run(true, topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2)), 1);

    assertEquals(List.of(), writes());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void clearsWhateverIsThere(int steps) {
    begin(false);
    run(true, BEFORE, steps);

    RoutesContext cycles = clearing;
    cycles.run(topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2)));

    API.awaitMirrors();
    assertEquals(Set.of(), API.visible("pg-rw"));
    assertEquals(Set.of("10.0.0.2", "10.0.0.3"), API.visible("pg-ro"));
    run(true, AFTER, ENOUGH);
    assertEquals(Set.of("10.0.0.2"), API.visible("pg-rw"));
    assertEnded(true);
  }

  @Test
  void movesPrimaryAndMemoryToOtherFamily() {
    Topology six = topology(standby("10.0.0.1"), primary("2001:db8::2", 2));
    begin(true);

    run(true, six, 2);

    assertEquals(List.of(Set.of("10.0.0.1"), Set.of(), Set.of("2001:db8::2")), READ_WRITE);
    API.clearRequests();
    // The old primary returns alone: it is stale according to the slice of the new primary.
    run(true, topology(primary("10.0.0.1", 1)), 1);
    assertEquals(List.of(), writes());
    run(true, AFTER, 1);
    assertEquals(
        Set.of(),
        API.visible("pg-rw").stream()
            .filter(a -> a.equals("10.0.0.1"))
            .collect(Collectors.toSet()));
  }

  @Test
  void remembersWhatANodeDoesNotTellAnyMore() {
    begin(false);
    Topology silent =
        topology(
            primary("10.0.0.1", new Server(null, Nodes.startedAt("10.0.0.1"), null, null, false)));

    run(true, silent, ENOUGH);

    EndpointSlice slice = API.slices("pg-rw").get(0);
    assertEquals(
        Nodes.CLUSTER,
        slice.getMetadata().getAnnotations().get("postgres.discovery/system-identifier"));
    assertEquals("1", slice.getMetadata().getAnnotations().get("postgres.discovery/timeline"));
  }

  /** Publishes {@link #BEFORE} in one form, and begins to record what clients see. */
  private void begin(boolean slices) {
    run(slices, BEFORE, ENOUGH);
    assertEnded(slices);
    READ_WRITE.clear();
    READ_ONLY.clear();
    note();
  }

  private List<String> run(boolean toSlices, Topology topology, int times) {
    List<String> news = new ArrayList<>();
    RoutesContext cycles = toSlices ? slices : endpoints;
    if (cycles != last) {
      // A change of PUBLISH requires a new process.
      cycles.restart();
      last = cycles;
    }
    for (int i = 0; i < times; i++) {
      cycles.run(topology);
      news.addAll(cycles.news());
      // The time between cycles is longer than the delay of the mirror.
      API.awaitMirrors();
    }
    return news;
  }

  private static void note() {
    note(READ_WRITE, API.visible("pg-rw"));
    note(READ_ONLY, API.visible("pg-ro"));
  }

  private static void note(List<Set<String>> seen, Set<String> now) {
    if (seen.isEmpty() || !seen.get(seen.size() - 1).equals(now)) {
      seen.add(now);
    }
  }

  private static List<Set<String>> withoutGap(List<Set<String>> seen) {
    return seen.stream().filter(addresses -> !addresses.isEmpty()).distinct().toList();
  }

  /** Returns the writes, such as {@code PATCH endpoints pg-rw}. */
  private List<String> writes() {
    return API.writes().stream()
        .map(
            request -> {
              String named =
                  request.target().name() == null ? request.body() : request.target().name();
              return "%s %s %s"
                  .formatted(
                      request.method(),
                      request.target().resource().replace("endpointslices", "slices"),
                      named.contains("pg-rw") ? "pg-rw" : "pg-ro");
            })
        .toList();
  }

  private void assertEnded(boolean slices) {
    for (String service : List.of("pg-rw", "pg-ro")) {
      assertEquals(slices, API.endpoints(service) == null, service);
      assertEquals(
          Set.of(slices ? "postgres-endpoint-manager" : "endpointslicemirroring-controller.k8s.io"),
          API.slices(service).stream()
              .map(
                  slice ->
                      slice.getMetadata().getLabels().get("endpointslice.kubernetes.io/managed-by"))
              .collect(Collectors.toSet()),
          service);
    }
  }
}
