package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares what clients see (the union of all slices of a Service) with what was written. */
@ManagerTest(cluster = ManagerTest.Cluster.SHARED)
class ClientsIT {
  private static final String ENDPOINTS = "endpoints";
  private static final String SLICES = "endpointslices";
  private static final String LEADER = "control-plane.alpha.kubernetes.io/leader";

  private final PostgresCluster cluster;
  private final FakeApiServer api;

  ClientsIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  // --- a slice of another owner -----------------------------------------------------------------

  static Stream<Arguments> foreignSlices() {
    return Stream.of(ENDPOINTS, SLICES)
        .flatMap(
            form ->
                Stream.of(
                    Arguments.of(form, "pg-rw", "ERROR"), Arguments.of(form, "pg-ro", "WARN")));
  }

  @ParameterizedTest
  @MethodSource("foreignSlices")
  void aRunOfOneCycleNamesTheSliceAndEndsWithThree(String form, String service, String level) {
    assertEquals(0, once(form), "nothing else is there");
    api.put(left(service));
    api.clearRequests();

    try (Run run = run(form).with("ALERT_SINKS", "events")) {
      assertEquals(3, run.once(), run.log().toString());
      assertEquals(
          List.of(
              level
                  + " clients of "
                  + service
                  + " see other addresses than those written: EndpointSlice left, managed by"
                  + " endpointslice-controller.k8s.io, routes to 10.9.9.9:5432 (postgresql);"
                  + " kubectl delete endpointslice left -n db"),
          run.logged("clients of"));
    }

    assertEquals(List.of(), writes(), "the slice is left alone");
    assertEquals(
        List.of(service),
        api.list(Event.class).stream()
            .filter(event -> event.getReason().equals("Mismatch"))
            .map(event -> event.getInvolvedObject().getName())
            .toList());
    api.delete(EndpointSlice.class, "db", "left");
    assertEquals(0, once(form));
  }

  @ParameterizedTest
  @ValueSource(strings = {ENDPOINTS, SLICES})
  void theFirstRunReportsASliceThatWasThereBefore(String form) {
    api.put(left("pg-rw"));

    assertEquals(3, once(form));
    assertTrue(api.visible("pg-rw").containsAll(List.of("127.0.0.1", "10.9.9.9")));
  }

  @ParameterizedTest
  @ValueSource(strings = {ENDPOINTS, SLICES})
  void statusShowsWhereClientsAreLed(String form) throws IOException {
    once(form);
    api.put(left("pg-ro"));

    JsonNode status = status(form);

    assertEquals(3, status.at("/exitCode").asInt());
    assertTrue(status.at("/services/0/clients").isNull(), status::toString);
    assertEquals(
        "[\"10.9.9.9:5432 (postgresql)\",\"127.0.0.2:%1$d (postgresql)\",\"127.0.0.3:%1$d (postgresql)\"]"
            .formatted(cluster.port()),
        status.at("/services/1/clients").toString());
    assertTrue(status.at("/services/1/upToDate").asBoolean(), "there is nothing to write");
    assertTrue(
        status.at("/reasons/0").asText().contains("kubectl delete endpointslice left -n db"));
    try (Run run = run(form)) {
      assertEquals(3, run.start(Mode.STATUS).exitCode());
      assertTrue(run.out().contains("- its clients"), run.out());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ENDPOINTS, SLICES})
  void continuousModeReportsASliceUntilItIsGone(String form) throws IOException {
    api.put(left("pg-rw"));
    int port = Http.freePort();
    try (Run run = run(form).with("MANAGEMENT_PORT", String.valueOf(port)).start(Mode.CONTINUOUS)) {
      until(() -> run.logged("ERROR clients of pg-rw see").size() == 1);
      until(() -> gauge(port, "pg-rw") == 1);
      assertEquals(0, gauge(port, "pg-ro"));

      api.delete(EndpointSlice.class, "db", "left");
      until(() -> run.logged("INFO over: clients of pg-rw see other addresses").size() == 1);
      until(() -> gauge(port, "pg-rw") == 0);
      assertEquals(1, run.logged("ERROR").size(), run.log()::toString);
    }
  }

  // --- nothing is mirrored ----------------------------------------------------------------------

  @Test
  void anAnnotationThatStopsTheMirroringIsNamed() {
    once(ENDPOINTS);
    api.editEndpoints(
        "pg-rw",
        endpoints -> endpoints.editMetadata().addToAnnotations(LEADER, "{}").endMetadata());

    try (Run run = run(ENDPOINTS)) {
      assertEquals(3, run.once());
      assertEquals(
          1,
          run.logged(
                  "is missing; the annotation %1$s of Endpoints pg-rw stops the mirroring; kubectl annotate endpoints pg-rw -n db %1$s-"
                      .formatted(LEADER))
              .size(),
          run.log()::toString);
    }
  }

  @Test
  void stoppedControllerIsReportedInSeconds() {
    api.withoutMirroring();

    try (Run run = run(ENDPOINTS)) {
      assertEquals(3, run.once());
      assertEquals(
          List.of("ERROR clients of pg-rw", "WARN clients of pg-ro"),
          run.logged("Kubernetes has not mirrored Endpoints").stream()
              .map(line -> line.replaceFirst(" see .*", ""))
              .toList());
    }
  }

  @Test
  void reportsAControllerThatDoesNotRunUntilItDoes() {
    try (Run run = run(ENDPOINTS).start(Mode.CONTINUOUS)) {
      until(() -> run.logged("pg-ro created").size() == 1);
      api.withoutMirroring();
      api.slices("pg-rw")
          .forEach(slice -> api.delete(EndpointSlice.class, "db", slice.getMetadata().getName()));
      api.editEndpoints("pg-rw", endpoints -> endpoints.withSubsets());
      until(() -> run.logged("ERROR clients of pg-rw see").size() == 1);
      assertTrue(run.logged("ERROR clients").get(0).contains("kube-controller-manager"));

      api.withMirroring(Duration.ofMillis(5));
      until(() -> run.logged("INFO over: clients of pg-rw see other addresses").size() == 1);
      assertEquals(List.of(), run.logged("clients of pg-ro"));
    }
  }

  @Test
  void aServiceThatGetsASelectorLaterIsNamed() {
    try (Run run = run(ENDPOINTS).start(Mode.CONTINUOUS)) {
      until(() -> run.logged("pg-ro created").size() == 1);
      api.createService("pg-rw", "postgresql", 5432, Map.of("app", "pg"));

      until(() -> run.logged("Service pg-rw has a selector, so Kubernetes does not").size() == 1);
      assertEquals(1, run.logged("ERROR").size(), run.log()::toString);
    }
  }

  // --- requests and rights ----------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {ENDPOINTS, SLICES})
  void anUnchangedRunSendsNoRequestMore(String form) {
    once(form);
    api.clearRequests();

    assertEquals(0, once(form));

    List<String> calls = api.calls();
    assertEquals(2, calls.stream().filter(call -> call.contains("endpointslices")).count());
    assertEquals(6, calls.size(), calls::toString);
  }

  @Test
  void withoutTheRightNothingElseChanges() {
    api.deny("list", "endpointslices");
    api.put(left("pg-rw"));
    try (Run run = run(ENDPOINTS)) {
      assertEquals(0, run.once());
      assertEquals(1, run.logged("WARN the Role does not grant list on endpointslices").size());
      assertEquals(List.of(), run.logged("clients of"));
    }
  }

  private int once(String form) {
    try (Run run = run(form)) {
      return run.once();
    }
  }

  private JsonNode status(String form) throws IOException {
    try (Run run = run(form)) {
      run.start(Mode.STATUS_JSON).exitCode();
      return new ObjectMapper().readTree(run.out());
    }
  }

  private Run run(String form) {
    return new Run(cluster, api).with("PUBLISH", form);
  }

  /** Returns a slice that remains from the time when the Service had a selector. */
  private static EndpointSlice left(String service) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName("left")
        .addToLabels("kubernetes.io/service-name", service)
        .addToLabels("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io")
        .endMetadata()
        .withAddressType("IPv4")
        .addNewEndpoint()
        .withAddresses("10.9.9.9")
        .withNewConditions()
        .withReady(true)
        .endConditions()
        .endEndpoint()
        .addNewPort()
        .withName("postgresql")
        .withPort(5432)
        .withProtocol("TCP")
        .endPort()
        .build();
  }

  private static double gauge(int port, String service) throws IOException {
    String sample = "pgendpoints_service_mismatch{service=\"%s\"} ".formatted(service);
    return new Http(port)
        .get("/observe/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(sample))
        .mapToDouble(line -> Double.parseDouble(line.substring(sample.length())))
        .findFirst()
        .orElse(Double.NaN);
  }

  private List<String> writes() {
    return api.calls().stream()
        .filter(call -> !call.startsWith("GET ") && !call.endsWith("/events"))
        .toList();
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50)).until(condition);
  }
}
