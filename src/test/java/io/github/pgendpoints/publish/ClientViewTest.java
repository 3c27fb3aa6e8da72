package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointAddressBuilder;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.publish.ServiceCheck.Problem;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares the union of all EndpointSlices of a Service with what was written. */
class ClientViewTest {
  private static final String MIRROR = "endpointslicemirroring-controller.k8s.io";
  private static final String OURS = "postgres-endpoint-manager";
  private static final String CONTROLLER = "endpointslice-controller.k8s.io";
  private static final String PRIMARY = "10.0.0.1";

  // --- clients see what was written --------------------------------------------------------------

  static Stream<Arguments> same() {
    Endpoints one = endpoints(PRIMARY);
    EndpointSlice mirrored = slice("pg-rw-m", MIRROR, PRIMARY);
    EndpointSlice own = slice("pg-rw-ipv4", OURS, PRIMARY);
    return Stream.of(
        Arguments.of("nothing is written yet", null, List.of(slice("x", null, "10.0.0.9"))),
        Arguments.of("mirrored", one, List.of(mirrored)),
        Arguments.of("no address, no slice", endpoints(), List.of()),
        Arguments.of("a switch of forms", one, List.of(mirrored, own)),
        Arguments.of("hidden", labelled(ObservedService.SKIP_MIRROR, "true"), List.of(own)),
        Arguments.of("slices of our own", null, List.of(own)),
        Arguments.of("the same address again", one, List.of(mirrored, slice("x", null, PRIMARY))),
        Arguments.of("a slice without addresses", one, List.of(mirrored, slice("x", null))),
        Arguments.of("an address not ready", one, List.of(mirrored, ready("x", "10.0.0.9", false))),
        Arguments.of("readiness not given", one, List.of(ready("pg-rw-m", PRIMARY, null))),
        Arguments.of(
            "IPv6 in another spelling",
            endpoints("2001:db8::1"),
            List.of(slice("x", MIRROR, "2001:DB8:0:0::1"))),
        Arguments.of(
            "both families",
            endpoints(PRIMARY, "2001:db8::1"),
            List.of(mirrored, slice("pg-rw-n", MIRROR, "2001:db8::1"))),
        Arguments.of(
            "the same port by another name",
            one,
            List.of(mirrored, port("x", PRIMARY, "db", 5432))),
        Arguments.of(
            "terminating, which does not matter",
            one,
            List.of(
                new EndpointSliceBuilder(mirrored)
                    .editFirstEndpoint()
                    .withNewConditions()
                    .withReady(true)
                    .withServing(false)
                    .withTerminating(true)
                    .endConditions()
                    .endEndpoint()
                    .build())));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("same")
  void clientsSeeWhatWasWritten(String name, Endpoints endpoints, List<EndpointSlice> slices) {
    assertFalse(view(endpoints, slices).differs());
  }

  // --- a slice routes elsewhere ------------------------------------------------------------------

  static Stream<Arguments> misleading() {
    return Stream.of(
        Arguments.of(slice("x", CONTROLLER, "10.0.0.9"), "10.0.0.9:5432 (postgresql)"),
        Arguments.of(slice("x", null, "10.0.0.9"), "10.0.0.9:5432 (postgresql)"),
        Arguments.of(slice("x", "a.b/c", PRIMARY, "::1"), "[::1]:5432 (postgresql)"),
        Arguments.of(ready("x", "10.0.0.9", null), "10.0.0.9:5432 (postgresql)"),
        Arguments.of(port("x", PRIMARY, "postgresql", 6432), PRIMARY + ":6432 (postgresql)"),
        Arguments.of(
            new EndpointSliceBuilder(slice("x", null, "10.0.0.9")).withPorts().build(),
            "10.0.0.9 (no port)"),
        Arguments.of(port("x", "10.0.0.9", null, null), "10.0.0.9 (no port)"),
        Arguments.of(
            new EndpointSliceBuilder(slice("x", "dns", "db.example.com"))
                .withAddressType("FQDN")
                .build(),
            "db.example.com:5432 (postgresql)"));
  }

  @ParameterizedTest
  @MethodSource("misleading")
  void aSliceThatLeadsElsewhereIsNamed(EndpointSlice slice, String leads) {
    String manager = ObservedService.label(slice, Slices.MANAGED_BY);
    for (ClientView view : bothForms(slice)) {
      assertTrue(view.differs());
      assertEquals(
          List.of(
              "EndpointSlice x, managed by %s, routes to %s; kubectl delete endpointslice x -n db"
                  .formatted(manager == null ? "no controller" : manager, leads)),
          view.mismatch(null).causes());
      assertTrue(view.seen().containsAll(Set.of(leads, PRIMARY + ":5432 (postgresql)")));
    }
  }

  private static List<ClientView> bothForms(EndpointSlice slice) {
    return List.of(
        view(endpoints(PRIMARY), List.of(slice("pg-rw-m", MIRROR, PRIMARY), slice)),
        view(null, List.of(slice("pg-rw-ipv4", OURS, PRIMARY), slice)));
  }

  @Test
  void manySlicesAreCounted() {
    List<EndpointSlice> slices =
        IntStream.rangeClosed(1, 13).mapToObj(i -> slice("s" + i, null, "10.0.1." + i)).toList();
    ClientView view =
        view(
            endpoints(PRIMARY),
            Stream.concat(Stream.of(slice("pg-rw-m", MIRROR, PRIMARY)), slices.stream()).toList());

    List<String> causes = view.mismatch(null).causes();
    assertEquals(11, causes.size());
    assertEquals("3 more EndpointSlices do so", causes.get(10));
  }

  // --- Kubernetes does not mirror ----------------------------------------------------------------

  @Test
  void reportsLeftoverMirroredSlice() {
    ClientView view =
        view(
            null,
            List.of(slice("pg-rw-ipv4", OURS, PRIMARY), slice("pg-rw-m", MIRROR, "10.0.0.2")));

    assertEquals(
        List.of(
            "EndpointSlice pg-rw-m, managed by endpointslicemirroring-controller.k8s.io, routes to 10.0.0.2:5432 (postgresql); kubectl delete endpointslice pg-rw-m -n db"),
        view.mismatch(null).causes());
  }

  static Stream<Arguments> notMirrored() {
    return Stream.of(
        Arguments.of(
            endpoints(PRIMARY),
            null,
            "Kubernetes has not mirrored Endpoints pg-rw; check that kube-controller-manager runs"),
        Arguments.of(
            new EndpointsBuilder(endpoints(PRIMARY))
                .editMetadata()
                .withAnnotations(Map.of(ClientView.LEADER, "{}"))
                .endMetadata()
                .build(),
            null,
            "the annotation control-plane.alpha.kubernetes.io/leader of Endpoints pg-rw stops the mirroring; kubectl annotate endpoints pg-rw -n db control-plane.alpha.kubernetes.io/leader-"),
        Arguments.of(
            labelled(ObservedService.SKIP_MIRROR, "true"),
            null,
            "the label endpointslice.kubernetes.io/skip-mirror of Endpoints pg-rw stops the mirroring; kubectl label endpoints pg-rw -n db endpointslice.kubernetes.io/skip-mirror-"),
        Arguments.of(
            endpoints(PRIMARY), Problem.MISSING, "Service pg-rw does not exist in namespace db"),
        Arguments.of(
            endpoints(PRIMARY),
            Problem.SELECTOR,
            "Service pg-rw has a selector, so Kubernetes does not mirror its Endpoints; kubectl patch service pg-rw -n db --type=json -p='[{\"op\":\"remove\",\"path\":\"/spec/selector\"}]'"));
  }

  @ParameterizedTest
  @MethodSource("notMirrored")
  void theReasonWhyNothingIsMirroredIsNamed(Endpoints endpoints, Problem problem, String reason) {
    ClientView none = view(endpoints, List.of());
    assertTrue(none.differs());
    assertEquals(
        List.of("10.0.0.1:5432 (postgresql) is missing", reason), none.mismatch(problem).causes());
    assertEquals(Set.of(), none.seen());

    Mismatch stale = view(endpoints, List.of(slice("m", MIRROR, "10.0.0.2"))).mismatch(problem);
    assertEquals(
        List.of(
            "EndpointSlice m, managed by endpointslicemirroring-controller.k8s.io, routes to 10.0.0.2:5432 (postgresql); kubectl delete endpointslice m -n db",
            "10.0.0.1:5432 (postgresql) is missing",
            reason),
        stale.causes());
    assertEquals(Set.of("10.0.0.2:5432 (postgresql)"), stale.seen());
  }

  @Test
  void aMirrorThatOnlyAddsIsExplained() {
    Mismatch mismatch =
        view(endpoints(PRIMARY), List.of(slice("m", MIRROR, PRIMARY, "10.0.0.2"))).mismatch(null);

    assertEquals(2, mismatch.causes().size(), mismatch::toString);
    assertTrue(mismatch.causes().get(1).startsWith("Kubernetes has not mirrored Endpoints pg-rw"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"false", "True", ""})
  void onlyTheLabelsValueTrueStopsTheMirroring(String value) {
    Mismatch mismatch =
        view(labelled(ObservedService.SKIP_MIRROR, value), List.of()).mismatch(null);

    assertTrue(
        mismatch.causes().get(1).contains("Kubernetes has not mirrored"), mismatch::toString);
  }

  @Test
  void onlyTheFirstThousandAddressesAreMirrored() {
    String[] all =
        IntStream.range(0, 1001)
            .mapToObj(i -> "10.1.%d.%d".formatted(i / 250, i % 250))
            .toArray(String[]::new);
    EndpointSlice mirrored = slice("m", MIRROR, Arrays.copyOf(all, 1000));

    assertEquals(
        List.of(
            "10.1.4.0:5432 (postgresql) is missing",
            "Kubernetes mirrors 1000 addresses of a subset at most"),
        view(endpoints(all), List.of(mirrored)).mismatch(null).causes());
    assertFalse(view(endpoints(Arrays.copyOf(all, 1000)), List.of(mirrored)).differs());
  }

  @Test
  void aPortThatIsMirroredByAnotherNameIsMissing() {
    assertTrue(view(endpoints(PRIMARY), List.of(port("m", PRIMARY, "db", 5432))).differs());
  }

  // --- objects -----------------------------------------------------------------------------------

  private static ClientView view(Endpoints endpoints, List<EndpointSlice> slices) {
    return new ClientView("db", "pg-rw", new ObservedService(endpoints, slices));
  }

  private static Endpoints labelled(String label, String value) {
    return new EndpointsBuilder(endpoints(PRIMARY))
        .editMetadata()
        .withLabels(Map.of(label, value))
        .endMetadata()
        .build();
  }

  private static Endpoints endpoints(String... addresses) {
    EndpointsBuilder endpoints =
        new EndpointsBuilder().withNewMetadata().withName("pg-rw").endMetadata();
    return addresses.length == 0
        ? endpoints.build()
        : endpoints
            .addNewSubset()
            .withAddresses(
                Stream.of(addresses)
                    .map(ip -> new EndpointAddressBuilder().withIp(ip).build())
                    .toList())
            .addNewPort()
            .withName("postgresql")
            .withPort(5432)
            .withProtocol("TCP")
            .endPort()
            .endSubset()
            .build();
  }

  private static EndpointSlice ready(String name, String address, Boolean ready) {
    return new EndpointSliceBuilder(slice(name, null, address))
        .editFirstEndpoint()
        .withNewConditions()
        .withReady(ready)
        .withServing(false)
        .endConditions()
        .endEndpoint()
        .build();
  }

  private static EndpointSlice port(String name, String address, String portName, Integer port) {
    return new EndpointSliceBuilder(slice(name, null, address))
        .editFirstPort()
        .withName(portName)
        .withPort(port)
        .endPort()
        .build();
  }

  /** A slice whose endpoints have no conditions. */
  private static EndpointSlice slice(String name, String managedBy, String... addresses) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName(name)
        .withLabels(managedBy == null ? null : Map.of(Slices.MANAGED_BY, managedBy))
        .endMetadata()
        .withAddressType("IPv4")
        .withEndpoints(
            Stream.of(addresses)
                .map(address -> new EndpointBuilder().withAddresses(address).build())
                .toList())
        .addNewPort()
        .withName("postgresql")
        .withPort(5432)
        .withProtocol("TCP")
        .endPort()
        .build();
  }
}
