package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.settings.SettingsReader;
import io.github.pgendpoints.topology.Node;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which threads do what: those of the probes may be virtual, and a look-up would pin them. */
class ClusterWiringTest {
  private static final Node UNREACHABLE = new Node("127.0.0.1", 1, "127.0.0.1");

  private final ThreadPoolExecutor probes = (ThreadPoolExecutor) Executors.newCachedThreadPool();
  private final ThreadPoolExecutor lookups = (ThreadPoolExecutor) Executors.newCachedThreadPool();
  private KubernetesClient client;
  private ClusterWiring wiring;
  private Cluster cluster;

  @BeforeEach
  void wire() throws Exception {
    client =
        new KubernetesClientBuilder()
            .withConfig(new ConfigBuilder().withMasterUrl("http://127.0.0.1:1").build())
            .build();
    wiring =
        new ClusterWiring(
            SettingsReader.read(
                Map.of("PGPASSWORD", "secret", "PG_NODES", "127.0.0.1:1"),
                /* allowLoopback= */ true),
            "db",
            Invocation.of(Mode.ONCE),
            client,
            RequestListener.NONE,
            probes,
            lookups);
    cluster = wiring.cluster();
  }

  @AfterEach
  void close() throws SQLException {
    wiring.close();
    client.close();
    probes.shutdownNow();
    lookups.shutdownNow();
  }

  @Test
  void looksUpNamesOnThreadsOfTheirOwn() {
    cluster.prober().locate(List.of(new Node("localhost", 5432, "localhost")));
    assertTasks(0, 1);
  }

  @Test
  void readsServicesAheadBesideTheLookUps() {
    cluster.services().readAhead(List.of("pg-rw"));
    assertTasks(0, 1);
  }

  @Test
  void logsInToNodesOnTheThreadsOfTheProbes() {
    cluster.prober().locate(List.of(UNREACHABLE));
    assertThrows(
        SQLException.class,
        () -> cluster.prober().probes(List.of(UNREACHABLE)).get(0).pool().getConnection());
    assertTasks(1, 0);
  }

  private void assertTasks(int ofProbes, int ofLookups) {
    assertEquals(ofProbes, probes.getTaskCount());
    assertEquals(ofLookups, lookups.getTaskCount());
  }
}
