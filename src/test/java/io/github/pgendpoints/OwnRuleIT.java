package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.RouteFiles;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rule that README shows, added to the routes as README describes. */
@ManagerTest(cluster = ManagerTest.Cluster.SHARED)
class OwnRuleIT {
  private final FakeApiServer api;
  private final PostgresCluster cluster;

  OwnRuleIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void ruleOfReadmeRefuses(@TempDir Path home) throws IOException {
    String primary = cluster.servers().get(0).host();
    RouteFiles.copiedTo(home).addRules(ruleOfReadme().replace("'pg3'", "'" + primary + "'"));

    try (Run run = new Run(cluster, api).in(home)) {
      assertEquals(1, run.once(), run.log().toString());
      assertEquals(1, run.logged("pg3 never takes writes").size(), run.log().toString());
    }
    assertNull(api.endpoints("pg-rw"), "nothing is written");
  }

  @Test
  void ruleThatFailsLeavesTheTopologyUnverified(@TempDir Path home) throws IOException {
    RouteFiles.copiedTo(home).addRules(ruleOfReadme().replace("verdict.primary", "verdict.primry"));

    try (Run run = new Run(cluster, api).in(home)) {
      assertEquals(1, run.once(), run.log().toString());
      assertEquals(1, run.logged("cycle failed").size(), run.log().toString());
      assertEquals(List.of(), run.logged("topology verified"));
    }
    assertNull(api.endpoints("pg-rw"), "nothing is written");
  }

  private static String ruleOfReadme() throws IOException {
    return Arrays.stream(Files.readString(Path.of("README.md")).split("```yaml\n|```", -1))
        .filter(block -> block.contains("verdict.refuse("))
        .findFirst()
        .orElseThrow();
  }
}
