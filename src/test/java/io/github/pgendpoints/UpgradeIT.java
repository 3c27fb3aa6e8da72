package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The objects that earlier versions wrote: both Endpoints, and the ConfigMap of STATE in a split
 * brain of the first and the third server. Each release adds a file: {@code mvn verify
 * -Dit.test=UpgradeIT -Dupgrade.write}.
 */
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class UpgradeIT {
  private static final Path FOLDER = Path.of("src/test/resources/upgrade");
  private static final String SYSTEM_IDENTIFIER = "SYSTEM-IDENTIFIER";

  private final FakeApiServer api;
  private final PostgresCluster cluster;

  UpgradeIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  static List<Path> versions() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void knowsTheLineThatAnEarlierVersionPublished(Path version) throws Exception {
    objects(version).stream().filter(Endpoints.class::isInstance).forEach(api::put);

    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
      assertEquals(List.of(), run.logged("ERROR"), run.log().toString());
    }
    assertEquals("127.0.0.1", readWrite());
  }

  @ParameterizedTest
  @MethodSource("versions")
  void knowsTheSplitBrainThatAnEarlierVersionFound(Path version) throws Exception {
    objects(version).forEach(api::put);
    cluster.servers().get(2).stopImmediately();

    try (Run run = run()) {
      assertEquals(1, run.once(), run.log().toString());
      assertFalse(run.logged("ERROR rival primary unaccounted for").isEmpty(), "" + run.log());
    }
    assertEquals("127.0.0.1", readWrite());
  }

  @Test
  @EnabledIfSystemProperty(named = "upgrade.write", matches = ".*")
  void writesWhatThisVersionPublishes() throws Exception {
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
    }
    cluster.servers().get(2).promote();
    try (Run run = run()) {
      assertEquals(1, run.once(), run.log().toString());
    }
    StringBuilder text = new StringBuilder();
    for (HasMetadata object :
        List.of(
            api.endpoints("pg-rw"),
            api.endpoints("pg-ro"),
            api.get(ConfigMap.class, "db", "state"))) {
      object.setMetadata(
          new ObjectMetaBuilder()
              .withName(object.getMetadata().getName())
              .withNamespace(object.getMetadata().getNamespace())
              .withLabels(object.getMetadata().getLabels())
              .withAnnotations(object.getMetadata().getAnnotations())
              .build());
      text.append(Serialization.asYaml(object));
    }
    Files.createDirectories(FOLDER);
    Files.writeString(
        FOLDER.resolve(Build.current().version() + ".yaml"),
        text.toString()
            .replace(systemIdentifier(), SYSTEM_IDENTIFIER)
            .replace(String.valueOf(cluster.port()), "PGPORT"),
        // The file of a released version must never change.
        StandardOpenOption.CREATE_NEW);
  }

  private List<HasMetadata> objects(Path version) throws IOException, SQLException {
    return Kustomize.objects(
        Files.readString(version)
            .replace(SYSTEM_IDENTIFIER, systemIdentifier())
            .replace("PGPORT", String.valueOf(cluster.port())));
  }

  private Run run() {
    return new Run(cluster, api)
        .with("STATE", "state")
        .with("PGCONNECT_TIMEOUT", "10")
        .with("TCP_CONNECT_TIMEOUT", "5");
  }

  private String systemIdentifier() throws SQLException {
    return cluster.primary().sql("SELECT system_identifier FROM pg_control_system()");
  }

  private String readWrite() {
    return String.join(",", api.addresses("pg-rw"));
  }
}
