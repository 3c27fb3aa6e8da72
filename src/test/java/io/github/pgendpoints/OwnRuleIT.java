package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rule that README shows, added to the routes as README describes. */
@ManagerTest(cluster = ManagerTest.Cluster.SHARED)
class OwnRuleIT {
  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

  private final FakeApiServer api;
  private final PostgresCluster cluster;

  OwnRuleIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void ruleOfReadmeRefuses(@TempDir Path home) throws IOException {
    String primary = cluster.servers().get(0).host();
    addRule(home, ruleOfReadme().replace("'pg3'", "'" + primary + "'"));

    try (Run run = new Run(cluster, api).in(home)) {
      assertEquals(1, run.once(), run.log().toString());
      assertEquals(1, run.logged("pg3 never takes writes").size(), run.log().toString());
    }
    assertNull(api.endpoints("pg-rw"), "nothing is written");
  }

  @Test
  void ruleThatFailsLeavesTheTopologyUnverified(@TempDir Path home) throws IOException {
    addRule(home, ruleOfReadme().replace("verdict.primary", "verdict.primry"));

    try (Run run = new Run(cluster, api).in(home)) {
      assertEquals(1, run.once(), run.log().toString());
      assertEquals(1, run.logged("cycle failed").size(), run.log().toString());
      assertEquals(List.of(), run.logged("topology verified"));
    }
    assertNull(api.endpoints("pg-rw"), "nothing is written");
  }

  /** Copies the routes into a folder, and appends a rule to their rules. */
  private static void addRule(Path home, String rule) throws IOException {
    Path routes = Files.createDirectories(home.resolve("routes"));
    try (Stream<Path> files = Files.list(Path.of("routes"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, routes.resolve(file.getFileName()));
      }
    }
    File verify = routes.resolve("30-verify.camel.yaml").toFile();
    JsonNode file = YAML.readTree(verify);
    rules(file).addAll((ArrayNode) YAML.readTree(rule));
    YAML.writeValue(verify, file);
  }

  private static ArrayNode rules(JsonNode file) {
    return (ArrayNode) file.findValue("choice").path("when");
  }

  private static String ruleOfReadme() throws IOException {
    return Arrays.stream(Files.readString(Path.of("README.md")).split("```yaml\n|```", -1))
        .filter(block -> block.contains("verdict.refuse("))
        .findFirst()
        .orElseThrow();
  }
}
