package io.github.pgendpoints.publish;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.kubernetes.ObjectClient;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.publish.ClientCheck.Observation;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When the check reads the slices of a Service, and when it reports a difference. */
class ClientCheckTest {
  private final FakeApiServer api = new FakeApiServer("db").start();
  private final KubernetesClient client = api.client();
  private final Conditions conditions = TestConditions.create();
  private final List<Duration> wakings = new ArrayList<>();
  private long seconds;
  private final ApiRights rights =
      new ApiRights(List.of("pg-rw", "pg-ro"), null, conditions::reportDegradation, this::nanos);
  private final ClientCheck check = check(true);

  private ClientCheck check(boolean continuous, String... watched) {
    ApiBudget budget = new ApiBudget(Duration.ofSeconds(3), () -> 0);
    return new ClientCheck(
        new ServiceReader(
            new ObjectClient<>(client, ObjectKind.ENDPOINTS, "db", RequestListener.NONE),
            new ObjectClient<>(client, ObjectKind.ENDPOINT_SLICES, "db", RequestListener.NONE),
            new WatchedServices(
                client,
                "db",
                List.of(watched),
                false,
                rights,
                conditions::reportDegradation,
                this::nanos,
                () -> {}),
            rights,
            false,
            budget),
        new ServiceCheck(
            new ObjectClient<>(client, ObjectKind.SERVICES, "db", RequestListener.NONE),
            "db",
            "postgresql",
            rights,
            conditions,
            budget,
            Runnable::run),
        "db",
        continuous,
        this::nanos,
        wakings::add);
  }

  private long nanos() {
    return seconds * 1_000_000_000;
  }

  @BeforeEach
  void publish() {
    api.createService("pg-rw", "postgresql", 5432);
    api.put(
        new EndpointsBuilder()
            .withNewMetadata()
            .withNamespace("db")
            .withName("pg-rw")
            .endMetadata()
            .addNewSubset()
            .addNewAddress()
            .withIp("10.0.0.1")
            .endAddress()
            .addNewPort()
            .withName("postgresql")
            .withPort(5432)
            .withProtocol("TCP")
            .endPort()
            .endSubset()
            .build());
  }

  @AfterEach
  void stop() {
    api.close();
  }

  // --- continuous mode --------------------------------------------------------------------------

  @Test
  void looksAtOnceThenEachHalfMinute() {
    for (seconds = 0; seconds <= 90; seconds++) {
      cycle();
    }

    assertEquals(4, api.calls().size(), () -> "at 0, 30, 60 and 90 s: " + api.calls());
    assertEquals(List.of(), check.mismatches());
    assertEquals(List.of(), wakings);
  }

  @Test
  void looksThreeSecondsAfterAWrite() {
    cycle();
    seconds = 10;
    check.recordWrite("pg-rw");
    api.withoutMirroring();
    api.editEndpoints("pg-rw", ClientCheckTest::moved);
    for (; seconds < 13; seconds++) {
      cycle();
      assertEquals(1, api.calls().size());
      assertEquals(List.of(), check.mismatches());
    }

    cycle();

    assertEquals(
        List.of(
            "clients of pg-rw see other addresses than those written: EndpointSlice "
                + mirrored()
                + ", managed by endpointslicemirroring-controller.k8s.io, routes to 10.0.0.1:5432"
                + " (postgresql); kubectl delete endpointslice "
                + mirrored()
                + " -n db; 10.0.0.2:5432 (postgresql) is missing; Kubernetes has not mirrored"
                + " Endpoints pg-rw; check that kube-controller-manager runs"),
        messages());
    assertEquals(List.of(Duration.ofSeconds(3)), wakings);
  }

  @Test
  void looksWhenAnInformerReportsAChange() {
    ClientCheck watching = check(true, "pg-rw");
    watching.compare(List.of(observation()));
    await().until(() -> api.watches() == 1);
    watching.compare(List.of(observation()));
    assertEquals(1, lists(), "the first look, besides that of the informer");

    api.put(slice("x", "10.0.0.9"));
    seconds = 1;
    await()
        .until(
            () -> {
              watching.compare(List.of(observation()));
              return lists() == 2;
            });
    assertEquals(List.of(), watching.mismatches(), "not yet");
    assertEquals(List.of(Duration.ofSeconds(3)), wakings);
    seconds = 4;
    watching.compare(List.of(observation()));
    assertEquals(1, watching.mismatches().size());
    assertEquals(3, lists());
  }

  /** Counts the lists that the check requests: those of informers have a resourceVersion. */
  private long lists() {
    return api.requests().stream()
        .filter(request -> request.verb().equals("list"))
        .filter(request -> !request.toString().contains("resourceVersion="))
        .count();
  }

  @Test
  void reportsADifferenceThatLastsUntilItIsOver() {
    api.put(slice("x", "10.0.0.9"));

    cycle();
    assertEquals(List.of(), messages(), "not yet");
    assertEquals(List.of(Duration.ofSeconds(3)), wakings);
    seconds = 3;
    cycle();
    assertEquals(1, messages().size());
    assertTrue(messages().get(0).endsWith("kubectl delete endpointslice x -n db"));

    seconds = 5;
    api.delete(EndpointSlice.class, "db", "x");
    cycle();
    assertEquals(1, messages().size(), "as of the last look");
    seconds = 6;
    cycle();
    assertEquals(List.of(), messages());
    assertEquals(1, wakings.size());
  }

  @Test
  void ignoresTemporaryDifference() {
    api.put(slice("x", "10.0.0.9"));
    cycle();
    api.delete(EndpointSlice.class, "db", "x");

    for (seconds = 1; seconds < 30; seconds++) {
      cycle();
      assertEquals(List.of(), messages());
    }
  }

  @Test
  void looksSoonAfterSomebodyElseWroteTheEndpoints() {
    cycle();
    seconds = 5;
    api.editEndpoints(
        "pg-rw",
        endpoints ->
            endpoints.editMetadata().addToAnnotations(ClientView.LEADER, "{}").endMetadata());
    cycle();
    assertEquals(List.of(Duration.ofSeconds(3)), wakings);
    seconds = 8;
    cycle();

    assertEquals(1, messages().size());
    assertTrue(messages().get(0).endsWith("control-plane.alpha.kubernetes.io/leader-"));
  }

  @Test
  void namesTheServiceThatIsGone() {
    api.delete(io.fabric8.kubernetes.api.model.Service.class, "db", "pg-rw");
    cycle();
    seconds = 3;
    cycle();

    assertTrue(messages().get(0).endsWith("Service pg-rw does not exist in namespace db"));
  }

  @Test
  void comparesReadSlicesWithoutRequest() {
    ObservedService read =
        new ObservedService(api.endpoints("pg-rw"), List.of(slice("x", "10.0.0.9")));
    check.compare(List.of(new Observation("pg-rw", read)));
    seconds = 1;
    check.compare(List.of(new Observation("pg-rw", read)));
    assertEquals(List.of(), messages());
    assertEquals(List.of(), api.calls());

    seconds = 3;
    check.compare(List.of(new Observation("pg-rw", read)));

    assertEquals(1, messages().size());
    assertEquals(List.of("GET /api/v1/namespaces/db/services/pg-rw"), api.calls(), "the reason");
  }

  @Test
  void reportsOnceWhichRightIsMissing() {
    api.deny("list", "endpointslices");
    for (seconds = 0; seconds < 30; seconds++) {
      cycle();
    }

    assertEquals(1, api.calls().size());
    assertEquals(
        List.of(
            "the Role does not grant list on endpointslices: what clients see is not compared with"
                + " what is written, and slices that PUBLISH=endpointslices left are not found; add"
                + " to the Role: apiGroups [\"discovery.k8s.io\"], resources [endpointslices],"
                + " verbs [list]"),
        conditions.endCycle().stream().map(Alert::message).toList());
    assertEquals(List.of(), messages());
  }

  @Test
  void failsUntilAReadSucceeds() {
    api.fail(1, 500, "GET", "endpointslices");

    assertThrows(KubernetesClientException.class, this::cycle);
    seconds = 2;
    assertThrows(KubernetesClientException.class, this::cycle);
    assertEquals(1, api.calls().size());
    seconds = 3;
    cycle();
    assertEquals(2, api.calls().size());
  }

  @Test
  void forgetsWhatItSawInAnEarlierTerm() {
    api.put(slice("x", "10.0.0.9"));
    cycle();
    seconds = 3;
    cycle();
    assertEquals(1, messages().size());

    check.forget();
    assertEquals(List.of(), messages());
    assertTrue(check.mayDiffer("pg-rw"), "not compared");
    cycle();
    assertEquals(List.of(), messages(), "not yet");
    assertTrue(check.mayDiffer("pg-rw"), "differs");
    api.delete(EndpointSlice.class, "db", "x");
    seconds = 6;
    cycle();
    assertFalse(check.mayDiffer("pg-rw"));
  }

  @Test
  void skipsServiceWithOtherReportedProblem() {
    api.put(slice("x", "10.0.0.9"));
    cycle();
    seconds = 3;
    cycle();
    check.skip("pg-rw");

    assertEquals(List.of(), messages());
  }

  // --- a run of one cycle -----------------------------------------------------------------------

  @Test
  void anUnchangedRunLooksOnce() {
    ClientCheck once = check(false);
    once.compare(List.of(observation()));
    assertEquals(1, api.calls().size());
    assertEquals(List.of(), once.mismatches());
    assertFalse(once.mayDiffer("pg-rw"));

    api.put(slice("x", "10.0.0.9"));
    once.compare(List.of(observation()));
    assertEquals(1, once.mismatches().size(), "at once");
    assertEquals(3, api.calls().size(), "and the Service");
  }

  @Test
  void aRunThatWroteWaitsUntilItIsMirrored() {
    ClientCheck once = check(false);
    api.withMirroring(Duration.ofMillis(300));
    api.editEndpoints("pg-rw", ClientCheckTest::moved);
    once.recordWrite("pg-rw");

    once.compare(List.of(observation()));

    assertEquals(List.of(), once.mismatches());
    assertTrue(api.calls().size() > 1, api.calls().toString());
  }

  @Test
  void aRunThatWroteReportsWhatIsNotMirroredInTime() throws Exception {
    ClientCheck once = check(false);
    api.withoutMirroring();
    api.editEndpoints("pg-rw", ClientCheckTest::moved);
    once.recordWrite("pg-rw");

    CompletableFuture.runAsync(() -> once.compare(List.of(observation())))
        .get(20, TimeUnit.SECONDS);

    assertFalse(once.mismatches().isEmpty());
    assertEquals(7, api.calls().size(), "six lists, and the Service");
  }

  @Test
  void aRunWithoutTheRightDoesNotWait() {
    ClientCheck once = check(false);
    api.deny("list", "endpointslices");
    once.recordWrite("pg-rw");

    once.compare(List.of(observation()));

    assertEquals(1, api.calls().size());
    assertEquals(List.of(), once.mismatches());
  }

  // --- what happens -----------------------------------------------------------------------------

  private void cycle() {
    check.compare(List.of(observation()));
  }

  private Observation observation() {
    return new Observation("pg-rw", new ObservedService(api.endpoints("pg-rw"), null));
  }

  private List<String> messages() {
    return check.mismatches().stream().map(mismatch -> mismatch.failure().text()).toList();
  }

  private String mirrored() {
    return api.slices("pg-rw").get(0).getMetadata().getName();
  }

  private static void moved(EndpointsBuilder endpoints) {
    endpoints.editFirstSubset().editFirstAddress().withIp("10.0.0.2").endAddress().endSubset();
  }

  private static EndpointSlice slice(String name, String address) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName(name)
        .withLabels(Map.of(Slices.SERVICE_NAME, "pg-rw"))
        .endMetadata()
        .withAddressType("IPv4")
        .addNewEndpoint()
        .withAddresses(address)
        .endEndpoint()
        .addNewPort()
        .withPort(5432)
        .endPort()
        .build();
  }
}
