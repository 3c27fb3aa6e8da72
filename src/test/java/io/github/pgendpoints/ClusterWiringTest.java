package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.Cycle;
import io.github.pgendpoints.cycle.CycleSteps;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.cycle.ProbeSteps;
import io.github.pgendpoints.cycle.SteadyClock;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.settings.SettingsReader;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which threads do what: probe threads may be virtual, and a lookup would pin them. */
class ClusterWiringTest {
  private static final Node UNREACHABLE = new Node("127.0.0.1", 1, "127.0.0.1");

  private ThreadPoolExecutor probes;
  private ThreadPoolExecutor lookups;
  private KubernetesClient client;
  private ClusterWiring wiring;
  private Cluster cluster;

  @BeforeEach
  void wire() throws Exception {
    wire(Mode.ONCE);
  }

  private void wire(Mode mode) throws Exception {
    probes = (ThreadPoolExecutor) Executors.newCachedThreadPool();
    lookups = (ThreadPoolExecutor) Executors.newCachedThreadPool();
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
            Invocation.of(mode),
            client,
            RequestListener.NONE,
            probes,
            lookups);
    cluster = wiring.cluster;
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

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void readsTheReadWriteServiceAheadWhenANodeIsBack(boolean isBack) throws Exception {
    close();
    wire(Mode.CONTINUOUS);
    begin();
    cluster.prober().downNodes().begin(List.of(UNREACHABLE));
    cluster
        .prober()
        .downNodes()
        .record(List.of(NodeState.down(UNREACHABLE, "127.0.0.1", Failure.OTHER, "")));
    if (isBack) {
      cluster.prober().downNodes().forget();
    }

    new ProbeSteps(null)
        .startProbes(cluster, begin(), Nodes.nothingPublished(), List.of(UNREACHABLE));

    // An IP address needs no lookup.
    assertTasks(0, isBack ? 1 : 0);
  }

  @Test
  void probesADownNodeAgainInANewTermOfLeadership() throws Exception {
    close();
    wire(Mode.CONTINUOUS);
    cluster
        .prober()
        .downNodes()
        .record(List.of(NodeState.down(UNREACHABLE, "127.0.0.1", Failure.OTHER, "")));

    begin();

    assertEquals(
        List.of(UNREACHABLE), cluster.prober().downNodes().begin(List.of(UNREACHABLE)).toProbe());
  }

  private Cycle begin() {
    return new CycleSteps(null, null).begin(cluster);
  }

  @Test
  void stampsTopologiesWithAClockThatNobodySets() {
    assertInstanceOf(SteadyClock.class, cluster.clock());
  }

  @Test
  void logsInToNodesOnTheThreadsOfTheProbes() {
    cluster.prober().locate(List.of(UNREACHABLE));
    assertThrows(
        SQLException.class,
        () -> cluster.prober().startProbes(List.of(UNREACHABLE)).get(0).pool().getConnection());
    assertTasks(1, 0);
  }

  private void assertTasks(int ofProbes, int ofLookups) {
    assertEquals(ofProbes, probes.getTaskCount());
    assertEquals(ofLookups, lookups.getTaskCount());
  }
}
