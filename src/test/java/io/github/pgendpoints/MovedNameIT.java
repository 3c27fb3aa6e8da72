package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.PackagedProgram;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A name in PG_NODES moves from the published primary to one that was promoted separately. */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class MovedNameIT {
  @TempDir private Path folder;
  private final FakeApiServer api;
  private final PostgresCluster cluster;

  MovedNameIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void acceptsNewServerOnceOldAddressIsDown() throws IOException, SQLException {
    PostgresServer published = cluster.servers().get(1);
    PostgresServer twin = cluster.servers().get(2);
    cluster.waitUntilReplayed();
    cluster.servers().get(0).stopImmediately();
    published.promote();
    twin.promote();
    assertEquals(0, run(published, ""));
    assertEquals(published.host(), primary());

    assertEquals(1, run(twin, "ERROR primary promoted apart, nothing is written: "));
    assertEquals(published.host(), primary());

    published.stopImmediately();
    assertEquals(0, run(twin, ""));
    assertEquals(twin.host(), primary());
  }

  private int run(PostgresServer behindTheName, String logged) throws IOException {
    Path hosts = folder.resolve("hosts");
    Files.writeString(hosts, behindTheName.host() + " db.example\n");
    try (Program program =
        PackagedProgram.original()
            .program(cluster, api.kubeconfig(folder.resolve("kubeconfig")))
            .with("PG_NODES", "db.example")
            .with(
                "JDK_JAVA_OPTIONS",
                PackagedProgram.ALLOW_LOOPBACK + " -Djdk.net.hosts.file=" + hosts)) {
      int code = program.run("--once");
      assertTrue(program.err().contains(logged), program::err);
      return code;
    }
  }

  private String primary() {
    List<EndpointAddress> addresses = api.endpoints("pg-rw").getSubsets().get(0).getAddresses();
    return addresses.get(0).getIp();
  }
}
