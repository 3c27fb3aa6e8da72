package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.EndpointAddressBuilder;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.publish.Annotations;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RoleRules;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** docs/migration.md: from the objects of the original, with the Role of the original, and back. */
@ManagerTest(
    cluster = ManagerTest.Cluster.SHARED,
    namespace = "wire",
    services = {MigrationIT.RW, MigrationIT.RO})
class MigrationIT {
  static final String RW = "postgresql-external-rw";
  static final String RO = "postgresql-external-ro";
  private static final String TOPOLOGY = "primary:127.0.0.1;standbys:127.0.0.2,127.0.0.3";

  private static final Role ORIGINAL =
      new RoleBuilder()
          .addNewRule()
          .withApiGroups("")
          .withResources("endpoints")
          .withResourceNames(RW, RO)
          .withVerbs("get", "patch")
          .endRule()
          .build();

  private final PostgresCluster cluster;
  private final FakeApiServer api;

  MigrationIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @BeforeEach
  void leaveWhatTheOriginalLeaves() {
    api.put(endpoints(RW, "127.0.0.1"));
    api.put(endpoints(RO, "127.0.0.2", "127.0.0.3"));
    api.enforce(new RoleRules(ORIGINAL));
  }

  @Test
  void takesOverWithoutTouchingAnAddress() {
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
      assertEquals(
          1,
          run.logged("WARN the Role does not grant get on services").size(),
          run.log()::toString);
      assertEquals(List.of(), run.logged("ERROR "));
    }
    List<ApiRequest> writes = api.writes();
    assertEquals(2, writes.size(), writes::toString);
    for (ApiRequest write : writes) {
      assertEquals("patch", write.verb());
      // A client that watches the Endpoints meanwhile sees the same addresses as before.
      String name = write.target().name();
      assertEquals(
          name.equals(RW) ? List.of("127.0.0.1") : List.of("127.0.0.2", "127.0.0.3"),
          addresses(Serialization.unmarshal(write.body(), Endpoints.class), name),
          write::body);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses(RW));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses(RO));

    api.clearRequests();
    try (Run again = run()) {
      assertEquals(0, again.once());
    }
    assertEquals(List.of(), api.writes());
  }

  @Test
  void leavesTheOriginalWithNothingToDo() {
    try (Run run = run()) {
      assertEquals(0, run.once());
    }
    for (String name : List.of(RW, RO)) {
      Map<String, String> annotations = api.endpoints(name).getMetadata().getAnnotations();
      // The original compares only this text with its own.
      assertEquals(TOPOLOGY, annotations.get(Annotations.LAST_TOPOLOGY));
      assertTrue(
          annotations
              .get(Annotations.LAST_UPDATE)
              .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}\\+00:00"));
    }
  }

  @Test
  void takesWhatTheOriginalWroteMeanwhile() {
    try (Run run = run()) {
      assertEquals(0, run.once());
    }
    // The original then published another primary, and left the other annotations unchanged.
    for (String name : List.of(RW, RO)) {
      api.editEndpoints(
          name,
          endpoints ->
              endpoints
                  .editMetadata()
                  .addToAnnotations(
                      Annotations.LAST_TOPOLOGY, "primary:127.0.0.2;standbys:127.0.0.1,127.0.0.3")
                  .endMetadata()
                  .editFirstSubset()
                  .withAddresses(new EndpointAddressBuilder().withIp("127.0.0.9").build())
                  .endSubset());
    }
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
    }
    assertEquals(List.of("127.0.0.1"), api.addresses(RW));
    assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses(RO));
  }

  /** Switches from Endpoints to EndpointSlices and back, run by run, as clients see it. */
  @Test
  void switchesTheFormWithoutAGap() {
    api.enforce(null).withMirroring(Duration.ofMillis(3)).awaitMirrors();
    List<Set<String>> seen = new ArrayList<>(List.of(api.visible(RW)));
    List<Set<String>> seenReadOnly = new ArrayList<>(List.of(api.visible(RO)));
    api.onChange(
        () -> {
          seen.add(api.visible(RW));
          seenReadOnly.add(api.visible(RO));
        });

    for (String form : List.of("endpointslices", "endpoints")) {
      // The very first cycle writes the new annotations.
      for (int i = 0; i < (form.equals("endpoints") ? 3 : 4); i++) {
        try (Run run = run().with("PUBLISH", form)) {
          assertEquals(0, run.once(), run.log().toString());
        }
        api.awaitMirrors();
      }
      assertEquals(form.equals("endpointslices"), api.endpoints(RW) == null);
      assertEquals(
          Set.of(
              form.equals("endpointslices")
                  ? "postgres-endpoint-manager"
                  : "endpointslicemirroring-controller.k8s.io"),
          api.list(EndpointSlice.class).stream()
              .map(
                  slice ->
                      slice.getMetadata().getLabels().get("endpointslice.kubernetes.io/managed-by"))
              .collect(Collectors.toSet()));
      api.clearRequests();
      try (Run run = run().with("PUBLISH", form)) {
        run.start(Mode.DRY_RUN);
        assertEquals(0, run.exitCode());
        assertFalse(run.out().contains("to be "), run.out());
      }
    }
    assertEquals(Set.of(Set.of("127.0.0.1")), Set.copyOf(seen));
    assertEquals(Set.of(Set.of("127.0.0.2", "127.0.0.3")), Set.copyOf(seenReadOnly));
  }

  @Test
  void reportsRightsToSlicesThatAreRemovedTooSoon() {
    api.enforce(null).withMirroring(Duration.ofMillis(3));
    for (int i = 0; i < 4; i++) {
      try (Run run = run().with("PUBLISH", "endpointslices")) {
        assertEquals(0, run.once(), run.log().toString());
      }
      api.awaitMirrors();
    }
    api.deny("delete", "endpointslices");
    for (int i = 0; i < 3; i++) {
      try (Run run = run()) {
        int exitCode = run.once();
        assertEquals(i < 2 ? 0 : 3, exitCode, run.log().toString());
        String rule =
            "resources [endpointslices], resourceNames [%s-ipv4], verbs [delete]".formatted(RW);
        assertEquals(i < 2 ? 0 : 1, run.logged(rule).size(), run.log()::toString);
      }
      api.awaitMirrors();
    }
  }

  @Test
  void reportsTheRuleThatTheOriginalsRoleLacks() {
    api.deleteEndpoints(RO);
    try (Run run = run()) {
      assertEquals(3, run.once());
      assertEquals(
          1,
          run.logged("add to the Role: apiGroups [\"\"], resources [endpoints], verbs [create]")
              .size(),
          run.log()::toString);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses(RW));
  }

  /** Returns a run with the variables that the chart sets; only the port is the test's. */
  private Run run() {
    return new Run(cluster, api)
        .with("RW_SERVICE", RW)
        .with("RO_SERVICE", RO)
        .with("NAMESPACE", "wire")
        .with("PGSSLMODE", "")
        .with("PGCONNECT_TIMEOUT", "5")
        .with("TCP_CONNECT_TIMEOUT", "1.0")
        .with("MAX_WORKERS", "3")
        .with("LOG_LEVEL", "INFO");
  }

  private Endpoints endpoints(String name, String... addresses) {
    return new EndpointsBuilder()
        .withNewMetadata()
        .withNamespace("wire")
        .withName(name)
        .addToLabels("app.kubernetes.io/managed-by", "Helm")
        .addToAnnotations(Annotations.LAST_TOPOLOGY, TOPOLOGY)
        .addToAnnotations(Annotations.LAST_UPDATE, "2025-09-01T08:34:51.123456+00:00")
        .endMetadata()
        .addNewSubset()
        .withAddresses(
            List.of(addresses).stream()
                .map(ip -> new EndpointAddressBuilder().withIp(ip).build())
                .toList())
        .addNewPort()
        .withName("postgresql")
        .withPort(cluster.port())
        .withProtocol("TCP")
        .endPort()
        .endSubset()
        .build();
  }

  /** Returns the addresses in a patch; if the patch has none, those that remain. */
  private List<String> addresses(Endpoints endpoints, String name) {
    Endpoints of = endpoints.getSubsets().isEmpty() ? api.endpoints(name) : endpoints;
    return of.getSubsets().stream()
        .flatMap(subset -> subset.getAddresses().stream().map(EndpointAddress::getIp))
        .toList();
  }
}
