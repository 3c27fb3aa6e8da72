package io.github.pgendpoints;

import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Topology;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * PUBLISH=endpointslices with other writers and with an API that refuses requests; both address
 * families in either form.
 */
class SlicesModeTest {
  private static final Topology BEFORE =
      topology(primary("10.0.0.1", 1), standby("10.0.0.2"), standby("10.0.0.3"));
  private static final Topology AFTER =
      topology(standby("10.0.0.1"), primary("10.0.0.2", 2), standby("10.0.0.3"));
  private static final Topology SIX =
      topology(standby("10.0.0.1"), standby("10.0.0.3"), primary("2001:db8::2", 2));

  private final FakeApiServer api =
      new FakeApiServer("db").withMirroring(Duration.ofMillis(3)).start();
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeEach
  void createServices() {
    api.createService("pg-rw", "postgresql", 5432);
    api.createService("pg-ro", "postgresql", 5432);
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable closeable : open) {
      closeable.close();
    }
    api.close();
  }

  @Test
  void leavesSlicesOfOthersAlone() {
    api.put(slice("pg-rw-other", "somebody", "10.0.0.99"));
    String version = slice("pg-rw-other").getMetadata().getResourceVersion();
    RoutesContext slices = cycles(true);
    RoutesContext endpoints = cycles(false);

    slices.run(BEFORE);
    slices.run(AFTER);
    for (int i = 0; i < 4; i++) {
      endpoints.run(AFTER);
      api.awaitMirrors();
    }

    assertEquals(Set.of("10.0.0.2", "10.0.0.99"), api.visible("pg-rw"));
    assertEquals(version, slice("pg-rw-other").getMetadata().getResourceVersion());
    assertNull(slice("pg-rw-ipv4"));
  }

  @ParameterizedTest
  @CsvSource({"somebody,10.0.0.99", "somebody,", "postgres-endpoint-manager,"})
  void namesTheOwnerOfASliceWithOurName(String manager, String address) {
    EndpointSlice theirs = slice("pg-rw-ipv4", manager, address);
    if (!manager.equals("somebody")) {
      theirs.getMetadata().getLabels().put("kubernetes.io/service-name", "orders");
    }
    api.put(theirs);
    String version = slice("pg-rw-ipv4").getMetadata().getResourceVersion();
    RoutesContext cycles = cycles(true);

    assertEquals(3, cycles.run(BEFORE));

    List<String> news = cycles.news();
    assertTrue(
        news.contains(
            "Service pg-rw is unchanged: EndpointSlice pg-rw-ipv4 has a name that this program uses, but another owner"),
        news::toString);
    assertEquals(version, slice("pg-rw-ipv4").getMetadata().getResourceVersion());
    assertEquals(Set.of("10.0.0.2", "10.0.0.3"), api.visible("pg-ro"));
  }

  @Test
  void refusesStalePrimaryAfterSlicesAreDeleted() {
    Topology alone = topology(primary("10.0.0.2", 2));
    for (Topology published : List.of(AFTER, alone)) {
      RoutesContext cycles = cycles(true);
      cycles.run(BEFORE);
      cycles.run(published);
      api.delete(EndpointSlice.class, "db", "pg-rw-ipv4");
      cycles.restart();
      api.clearRequests();

      assertEquals(1, cycles.run(topology(primary("10.0.0.1", 1))), "" + published);

      assertEquals(List.of(), api.writes());
      assertEquals(0, cycles.run(published));
      assertEquals(Set.of("10.0.0.2"), api.visible("pg-rw"));
      api.list(EndpointSlice.class)
          .forEach(slice -> api.delete(EndpointSlice.class, "db", slice.getMetadata().getName()));
    }
  }

  @Test
  void makesASliceAnewThatIsDeletedBeforeItIsPatched() {
    RoutesContext cycles = cycles(true);
    cycles.run(BEFORE);
    api.beforeNext(
        "PATCH", "endpointslices", () -> api.delete(EndpointSlice.class, "db", "pg-rw-ipv4"));

    assertEquals(0, cycles.run(AFTER));

    assertEquals(Set.of("10.0.0.2"), api.visible("pg-rw"));
    assertEquals("2", annotation("pg-rw-ipv4", Annotations.TIMELINE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PATCH"})
  void looksAgainWhereARivalWroteTheSliceFirst(String method) {
    RoutesContext cycles = cycles(true);
    if (method.equals("PATCH")) {
      cycles.run(BEFORE);
    }
    api.beforeNext(
        method,
        "endpointslices",
        () -> api.put(slice("pg-rw-ipv4", "postgres-endpoint-manager", "10.0.0.3")));

    assertNull(cycles.cycle(AFTER), "a conflict");

    assertEquals(Set.of("10.0.0.3"), api.visible("pg-rw"));
  }

  @Test
  void retriesPatchIfOnlyOtherFieldsChanged() {
    RoutesContext cycles = cycles(true);
    cycles.run(BEFORE);
    api.beforeNext(
        "PATCH",
        "endpointslices",
        () -> edit("pg-rw-ipv4", slice -> slice.editMetadata().addToLabels("team", "red")));

    assertEquals(0, cycles.run(AFTER));

    assertEquals(Set.of("10.0.0.2"), api.visible("pg-rw"));
    assertEquals("red", slice("pg-rw-ipv4").getMetadata().getLabels().get("team"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void deletesNothingThatWasWrittenSince(boolean toSlices) {
    RoutesContext cycles = cycles(toSlices);
    RoutesContext before = cycles(!toSlices);
    for (RoutesContext those : List.of(before, cycles, cycles)) {
      those.run(BEFORE);
      api.awaitMirrors();
    }
    String resource = toSlices ? "endpoints" : "endpointslices";
    api.beforeNext(
        "DELETE",
        resource,
        () -> {
          if (toSlices) {
            api.editEndpoints("pg-rw", e -> e.editMetadata().addToLabels("a", "b").endMetadata());
          } else {
            edit("pg-rw-ipv4", slice -> slice.editMetadata().addToLabels("a", "b"));
          }
        });

    assertNull(cycles.cycle(BEFORE), "a conflict");

    assertNotNull(toSlices ? api.endpoints("pg-rw") : slice("pg-rw-ipv4"));
    cycles.run(BEFORE);
    assertNull(toSlices ? api.endpoints("pg-rw") : slice("pg-rw-ipv4"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "create | endpointslices | resources [endpointslices], verbs [create]",
        "patch | endpointslices | resources [endpointslices], resourceNames [pg-rw-ipv4], verbs [patch]",
        "delete | endpointslices | resources [endpointslices], resourceNames [pg-rw-ipv4], verbs [delete]",
        "delete | endpoints | resources [endpoints], resourceNames [pg-rw], verbs [delete]"
      })
  void reportsTheExactRuleThatIsMissing(String verb, String resource, String rule) {
    RoutesContext slices = cycles(true);
    RoutesContext endpoints = cycles(false);
    boolean back = verb.equals("delete") && resource.equals("endpointslices");
    boolean there = verb.equals("delete") && resource.equals("endpoints");
    RoutesContext tried = back ? endpoints : slices;
    for (int i = 0; i < (there || back ? 3 : verb.equals("create") ? 0 : 1); i++) {
      (i == 0 && there ? endpoints : i == 0 ? slices : tried).run(BEFORE);
      api.awaitMirrors();
    }
    api.deny(verb, resource);

    assertEquals(3, tried.run(there || back ? BEFORE : AFTER));

    String group = resource.equals("endpoints") ? "" : "discovery.k8s.io";
    String expected = "add to the Role: apiGroups [\"%s\"], %s".formatted(group, rule);
    List<String> news = tried.news();
    assertTrue(news.stream().anyMatch(line -> line.endsWith(expected)), news::toString);
  }

  @Test
  void reportsWhatTheServerFindsInvalid() {
    RoutesContext cycles = cycles(true);
    EndpointSlice odd = slice("pg-rw-ipv4", "postgres-endpoint-manager", null);
    odd.setAddressType("IPv6");
    api.put(odd);

    assertEquals(3, cycles.run(BEFORE));

    List<String> news = cycles.news();
    assertTrue(
        news.stream().anyMatch(line -> line.contains("refused the request (422)")), news::toString);
    assertEquals(Set.of("10.0.0.2", "10.0.0.3"), api.visible("pg-ro"));
  }

  @Test
  void looksForSlicesOnceAndSaysTheRuleWhereItMayNot() {
    RoutesContext cycles = cycles(false);
    api.deny("list", "endpointslices");

    assertEquals(0, cycles.run(BEFORE));
    assertEquals(0, cycles.run(AFTER));

    assertEquals(
        List.of(
            "the Role does not grant list on endpointslices: what clients see is not compared with what is written,"
                + " and slices that PUBLISH=endpointslices left are not found; add to the Role: apiGroups [\"discovery.k8s.io\"], resources [endpointslices], verbs [list]"),
        cycles.news().stream().filter(line -> line.startsWith("the Role")).toList());
    assertEquals(1, lists("pg-rw"));
    api.awaitMirrors();
    assertEquals(Set.of("10.0.0.2"), api.visible("pg-rw"));
  }

  @Test
  void looksForSlicesOnceWhereThereAreNone() {
    RoutesContext cycles = cycles(false);

    cycles.run(BEFORE);
    assertEquals(2, lists("pg-rw"), "before the write, and after it what clients see");
    cycles.run(BEFORE);

    assertEquals(3, lists("pg-rw"), "what clients see");
  }

  @Test
  void stopsForAPauseThatIsWrittenOnASlice() {
    RoutesContext cycles = cycles(true);
    cycles.run(BEFORE);
    edit("pg-rw-ipv4", slice -> slice.editMetadata().addToAnnotations(Annotations.PAUSED, "true"));
    api.clearRequests();

    cycles.run(AFTER);

    assertEquals(List.of(), api.writes());
  }

  @Test
  void keepsThePauseThatIsWrittenWhileItProbes() {
    RoutesContext cycles = cycles(true);
    cycles.run(BEFORE);
    api.beforeNext(
        "PATCH",
        "endpointslices",
        () ->
            edit(
                "pg-rw-ipv4",
                slice -> slice.editMetadata().addToAnnotations(Annotations.PAUSED, "true")));

    assertNull(cycles.cycle(AFTER), "a conflict");

    assertEquals(Set.of("10.0.0.1"), api.visible("pg-rw"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"create", "patch"})
  void familyChangeNeverShowsTwoPrimaries(String verb) {
    List<Set<String>> seen = new ArrayList<>();
    RoutesContext cycles = cycles(true);
    cycles.run(BEFORE);
    api.onChange(() -> seen.add(api.visible("pg-rw")));
    api.deny(verb, "endpointslices");

    assertEquals(3, cycles.run(SIX));
    assertEquals(verb.equals("create") ? Set.of() : Set.of("10.0.0.1"), api.visible("pg-rw"));
    api.heal();
    assertEquals(0, cycles.run(SIX));

    assertEquals(Set.of("2001:db8::2"), api.visible("pg-rw"));
    assertTrue(seen.stream().allMatch(addresses -> addresses.size() < 2), seen::toString);

    assertEquals(0, cycles.run(topology(primary("10.0.0.1", 3), standby("2001:db8::2"))));
    assertEquals(Set.of("10.0.0.1"), api.visible("pg-rw"));
    assertTrue(seen.stream().allMatch(addresses -> addresses.size() < 2), seen::toString);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void servesBothFamilies(boolean toSlices) {
    Topology both =
        topology(
            primary("2001:db8::1", 1),
            standby("10.0.0.2"),
            standby("2001:db8::3"),
            standby("10.0.0.4"));
    Topology failedOver =
        topology(
            standby("2001:db8::1"),
            primary("10.0.0.2", 2),
            standby("2001:db8::3"),
            standby("10.0.0.4"));
    RoutesContext cycles = cycles(toSlices);

    cycles.run(both);
    api.awaitMirrors();
    assertEquals(Set.of("2001:db8::1"), api.visible("pg-rw"));
    assertEquals(Set.of("10.0.0.2", "10.0.0.4", "2001:db8::3"), api.visible("pg-ro"));

    cycles.run(failedOver);
    api.awaitMirrors();
    assertEquals(Set.of("10.0.0.2"), api.visible("pg-rw"));
    assertEquals(Set.of("2001:db8::1", "10.0.0.4", "2001:db8::3"), api.visible("pg-ro"));
    api.clearRequests();
    assertEquals(0, cycles.run(failedOver));
    assertEquals(List.of(), api.writes());
    api.slices("pg-ro")
        .forEach(
            slice ->
                FakeApiServer.endpoints(slice)
                    .forEach(
                        endpoint ->
                            assertEquals(
                                slice.getAddressType().equals("IPv6"),
                                endpoint.getAddresses().get(0).contains(":"))));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void keepsServiceWithTooManyAddresses(boolean toSlices) {
    RoutesContext cycles = cycles(toSlices);
    List<NodeState> nodes = new ArrayList<>(List.of(primary("10.0.0.1", 1)));
    IntStream.range(0, 1001)
        .forEach(i -> nodes.add(standby("10.1.%d.%d".formatted(i / 250, i % 250))));

    assertEquals(3, cycles.run(new Topology(nodes, Nodes.AT)));

    assertTrue(
        cycles
            .news()
            .contains(
                "Service pg-ro would get more addresses in one object than Kubernetes takes: 1001, at most 1000: it is left as it is"));
    api.awaitMirrors();
    assertEquals(Set.of("10.0.0.1"), api.visible("pg-rw"));
    assertEquals(Set.of(), api.visible("pg-ro"));
    assertNull(api.endpoints("pg-ro"));
  }

  @Test
  void showsInADryRunWhatWouldBecomeOfEachObject() {
    cycles(true).run(BEFORE);
    api.put(
        new EndpointsBuilder()
            .withNewMetadata()
            .withName("pg-ro")
            .endMetadata()
            .withSubsets()
            .build());
    api.clearRequests();

    String slices = dryRun(true, AFTER);
    assertEquals(
        """
        EndpointSlice pg-rw-ipv4
        - 10.0.0.1:5432 (postgresql)
        + 10.0.0.2:5432 (postgresql)
        """,
        slices.lines().limit(3).map(line -> line + "\n").reduce("", String::concat));
    assertTrue(
        slices.contains("\n- postgres.discovery/timeline: 1\n+ postgres.discovery/timeline: 2\n"),
        slices);
    assertTrue(slices.endsWith("\nEndpoints pg-ro (to be deleted)\n"), slices);

    String endpoints = dryRun(false, BEFORE);
    assertTrue(endpoints.startsWith("Endpoints pg-rw (to be created)\n+ 10.0.0.1:5432"), endpoints);
    assertTrue(endpoints.endsWith("\nEndpointSlice pg-ro-ipv4 (to be deleted)\n"), endpoints);
    assertEquals(List.of(), api.writes());
  }

  @Test
  void dryRunShowsRestoredMirroring() {
    cycles(true).run(BEFORE);
    cycles(false).run(BEFORE);

    assertEquals(
        List.of("- endpointslice.kubernetes.io/skip-mirror: true"),
        dryRun(false, BEFORE)
            .lines()
            .takeWhile(line -> !line.startsWith("EndpointSlice"))
            .filter(line -> line.startsWith("- ") || line.startsWith("+ "))
            .toList());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void showsNothingInADryRunThatATerminalObeys(boolean toSlices) {
    cycles(toSlices).run(BEFORE);
    String hostile = "primary:\u001b]0;owned\u0007\u202e\nEndpoints pg-rw (unchanged)";
    if (toSlices) {
      edit(
          "pg-rw-ipv4",
          slice -> slice.editMetadata().addToAnnotations(Annotations.LAST_TOPOLOGY, hostile));
    } else {
      api.editEndpoints(
          "pg-rw",
          endpoints ->
              endpoints
                  .editMetadata()
                  .addToAnnotations(Annotations.LAST_TOPOLOGY, hostile)
                  .endMetadata());
    }

    String shown = dryRun(toSlices, BEFORE);

    assertTrue(
        shown.contains("last-topology: primary: ]0;owned Endpoints pg-rw (unchanged)\n"), shown);
    assertFalse(shown.matches("(?s).*[\\p{Cntrl}\\u202e&&[^\n]].*"), shown);
  }

  private String dryRun(boolean toSlices, Topology topology) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (RoutesContext cycles =
        publishing(toSlices)
            .in(Mode.DRY_RUN)
            .printingTo(new PrintStream(out, true, StandardCharsets.UTF_8))
            .start()) {
      assertEquals(0, cycles.run(topology));
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private RoutesContext publishing(boolean slices) {
    return new RoutesContext(api).with("PUBLISH", slices ? "endpointslices" : "endpoints");
  }

  private RoutesContext cycles(boolean slices) {
    RoutesContext cycles = publishing(slices).start();
    open.add(cycles);
    return cycles;
  }

  private static EndpointSlice slice(String name, String manager, String address) {
    EndpointSliceBuilder slice =
        new EndpointSliceBuilder()
            .withNewMetadata()
            .withName(name)
            .addToLabels("kubernetes.io/service-name", "pg-rw")
            .addToLabels("endpointslice.kubernetes.io/managed-by", manager)
            .endMetadata()
            .withAddressType("IPv4")
            .addNewPort()
            .withName("postgresql")
            .withPort(5432)
            .withProtocol("TCP")
            .endPort();
    if (address != null) {
      slice
          .addNewEndpoint()
          .withAddresses(address)
          .withNewConditions()
          .withReady(true)
          .endConditions()
          .endEndpoint();
    }
    return slice.build();
  }

  private EndpointSlice slice(String name) {
    return api.get(EndpointSlice.class, "db", name);
  }

  private void edit(
      String name,
      Function<EndpointSliceBuilder, EndpointSliceBuilder.MetadataNested<EndpointSliceBuilder>>
          metadata) {
    api.put(metadata.apply(new EndpointSliceBuilder(slice(name))).endMetadata().build());
  }

  private String annotation(String slice, String key) {
    return slice(slice).getMetadata().getAnnotations().get(key);
  }

  private long lists(String service) {
    return api.requests().stream()
        .filter(request -> request.verb().equals("list"))
        .filter(request -> request.toString().contains(service))
        .count();
  }
}
