package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import io.github.pgendpoints.support.kubernetes.RoleRules;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The program with the settings, the Services and the Role of each overlay, and nothing more. */
@ManagerTest(
    cluster = ManagerTest.Cluster.PER_CLASS,
    grants = ManagerTest.Grants.RECOMMENDED,
    namespace = "postgresql",
    services = {})
class ManifestsIT {
  private final PostgresCluster cluster;
  private final FakeApiServer api;

  ManifestsIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Manifests#overlays")
  void grantWhatTheProgramDoesAndNothingElse(Path overlay) {
    List<HasMetadata> objects = Kustomize.render(overlay);
    RoleRules rules = new RoleRules(Kustomize.one(objects, Role.class));
    Mode mode =
        Manifests.pod(objects).getContainers().get(0).getArgs().contains("--once")
            ? Mode.ONCE
            : Mode.CONTINUOUS;
    objects.stream().filter(Service.class::isInstance).forEach(api::put);
    api.enforce(rules);

    cycle(objects, mode);
    api.list(Endpoints.class)
        .forEach(
            created ->
                api.editEndpoints(created.getMetadata().getName(), EndpointsBuilder::withSubsets));
    forgetConditions();
    leaveTheLeaseToADeadReplica();
    cycle(objects, mode);

    assertEquals(List.of(), rules.unused(api.requests()), "granted, and never used");
  }

  @Test
  void grantWhatEndpointSlicesTakeAndNothingElse() throws IOException {
    List<HasMetadata> objects = Kustomize.render(Manifests.with("cronjob", "endpointslices"));
    RoleRules rules = new RoleRules(Kustomize.one(objects, Role.class));
    api.withMirroring(Duration.ofMillis(3));
    objects.stream().filter(Service.class::isInstance).forEach(api::put);
    api.enforce(rules);

    once(objects, "endpoints", 1);
    forgetConditions();
    once(objects, null, 3);
    assertEquals(List.of(), api.list(Endpoints.class));
    for (EndpointSlice slice : api.list(EndpointSlice.class)) {
      // A client edits our addresses. During the repair, another client adds its own label.
      api.put(slice.edit().editFirstEndpoint().withAddresses("127.0.0.9").endEndpoint().build());
      api.beforeNext(
          "PATCH",
          "endpointslices",
          () ->
              api.put(
                  api.get(EndpointSlice.class, "postgresql", slice.getMetadata().getName())
                      .edit()
                      .editMetadata()
                      .addToLabels("team", "red")
                      .endMetadata()
                      .build()));
      once(objects, null, 1);
    }
    once(objects, "endpoints", 3);
    assertEquals(Set.of("127.0.0.1"), api.visible("postgresql-external-rw"));

    List<RoleRules.Grant> all = rules.unused(List.of());
    assertEquals(named(all, "-ipv4"), named(all, "-ipv6"));
    List<RoleRules.Grant> unused = new ArrayList<>(rules.unused(api.requests()));
    unused.removeIf(grant -> grant.name() != null && grant.name().endsWith("-ipv6"));
    assertEquals(List.of(), unused, "granted, and never used");
  }

  /** Deletes what earlier runs stored, so that the next run writes it again. */
  private void forgetConditions() {
    api.list(ConfigMap.class)
        .forEach(remembered -> api.put(new ConfigMapBuilder(remembered).withData(null).build()));
  }

  private void leaveTheLeaseToADeadReplica() {
    api.list(Lease.class)
        .forEach(
            lease -> {
              String holder = "postgres.discovery/holder";
              String serves =
                  lease.getMetadata().getAnnotations().get(holder).replaceFirst("\\S+", "dead");
              api.put(
                  lease
                      .edit()
                      .editMetadata()
                      .addToAnnotations(holder, serves)
                      .endMetadata()
                      .editSpec()
                      .withHolderIdentity("dead")
                      .endSpec()
                      .build());
            });
  }

  private static Set<String> named(List<RoleRules.Grant> grants, String end) {
    return grants.stream()
        .filter(grant -> grant.name() != null && grant.name().endsWith(end))
        .map(grant -> grant.verb() + " " + grant.name().replace(end, ""))
        .collect(Collectors.toSet());
  }

  /** Runs single cycles, which must log no WARN or ERROR. */
  private void once(List<HasMetadata> objects, String publish, int times) {
    for (int i = 0; i < times; i++) {
      try (Run run = new Run(cluster, api)) {
        settings(objects).forEach(run::with);
        if (publish != null) {
          run.with("PUBLISH", publish);
        }
        assertEquals(0, run.once(), run.log().toString());
        assertEquals(
            List.of(), run.log().stream().filter(line -> line.matches("(WARN|ERROR) .*")).toList());
      }
      api.awaitMirrors();
    }
  }

  /** Creates or repairs both Endpoints, and must log no WARN or ERROR. */
  private void cycle(List<HasMetadata> objects, Mode mode) {
    try (Run run = new Run(cluster, api)) {
      settings(objects).forEach(run::with);
      run.start(mode);
      if (mode == Mode.ONCE) {
        assertEquals(0, run.exitCode(), run.log().toString());
      } else {
        await()
            .atMost(Duration.ofSeconds(30))
            .until(() -> api.addresses("postgresql-external-ro").size() == 2 && api.watches() == 4);
      }
      assertEquals(List.of("127.0.0.1"), api.addresses("postgresql-external-rw"));
      assertEquals(List.of("127.0.0.2", "127.0.0.3"), api.addresses("postgresql-external-ro"));
      assertEquals(
          List.of(), run.log().stream().filter(line -> line.matches("(WARN|ERROR) .*")).toList());
    }
  }

  /** Returns the pod's settings, except nodes, password, and ports, which differ here. */
  private static Map<String, String> settings(List<HasMetadata> objects) {
    Map<String, String> settings = new HashMap<>(Manifests.settings(objects));
    Manifests.pod(objects)
        .getContainers()
        .get(0)
        .getEnv()
        .forEach(variable -> settings.put(variable.getName(), variable.getValue()));
    settings
        .keySet()
        .removeAll(Set.of("PG_NODES", "PGPORT", "PGPASSWORD_FILE", "MANAGEMENT_PORT", "POD_UID"));
    return settings;
  }
}
