package io.github.pgendpoints.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.pgendpoints.postgres.ProbeRoute.Answer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A server on a separate host, a network namespace, that is cut off from the network: it answers
 * nothing, and its open connections are half open. Only root can create the namespace.
 */
@Tag("long")
@Tag("alone")
class CutOffIT {
  private static final String NAMESPACE = "pg-cut-off";
  private static final String HERE = "10.213.77.1";
  private static final String THERE = "10.213.77.2";
  private static final int PORT = 5432;
  private static final String SESSIONS =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postgres-endpoint-manager'";

  private static PostgresCluster cluster;

  @BeforeAll
  static void startServer() throws SQLException {
    assumeTrue(
        ip("netns add " + NAMESPACE) == 0,
        "not tried: network namespaces need root and the program ip");
    ip("link add pg-cut-here type veth peer name pg-cut-there netns " + NAMESPACE);
    ip("addr add " + HERE + "/24 dev pg-cut-here");
    ip("link set pg-cut-here up");
    ip("-n " + NAMESPACE + " addr add " + THERE + "/24 dev pg-cut-there");
    ip("-n " + NAMESPACE + " link set lo up");
    connect();
    cluster =
        PostgresCluster.start(
            new PostgresCluster.Options()
                .standbys(0)
                .addresses(THERE)
                .port(PORT)
                .subnets("10.213.77.0/24")
                .launcher(address -> List.of("ip", "netns", "exec", NAMESPACE)));
  }

  @AfterAll
  static void removeHost() {
    if (cluster != null) {
      cluster.close();
      ip("link del pg-cut-here");
      ip("netns del " + NAMESPACE);
    }
  }

  @Test
  void cutOffBeforeFirstLogin() {
    try (ProbeRoute route = new ProbeRoute()) {
      route.ask("127.0.0.1:1");
      cutOff();
      try {
        says(route, "DOWN", "no answer within 0.5 s", 1600);
      } finally {
        connect();
      }
      says(route, "PRIMARY", "", 1500);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2"})
  void cutOffWithAConnectionKept(String seconds) {
    try (ProbeRoute route = new ProbeRoute().with("PGCONNECT_TIMEOUT", seconds)) {
      says(route, "PRIMARY", "", 3000);
      cutOff();
      try {
        says(route, "DOWN", "no answer within", 1000 * Integer.parseInt(seconds) + 400);
        says(route, "DOWN", "no answer within", 1600);
      } finally {
        connect();
      }
      says(route, "PRIMARY", "", 1500);
    }
  }

  @Test
  void aPacketThatIsLostIsSentAgain() {
    try (ProbeRoute route = new ProbeRoute()) {
      route.ask("127.0.0.1:1");
      cutOff();
      CompletableFuture<Void> healed =
          CompletableFuture.runAsync(
              CutOffIT::connect, CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS));
      try {
        // TCP itself waits for a second before it sends the packet again.
        says(route, "PRIMARY", "", 1500);
      } finally {
        healed.join();
      }
    }
  }

  @Test
  void aServerEndsTheSessionOfAManagerThatIsCutOff() throws Exception {
    try (ProbeRoute route = new ProbeRoute()) {
      says(route, "PRIMARY", "", 3000);
      PostgresServer server = cluster.primary();
      assertEquals("1", server.sql(SESSIONS));
      long pid = Long.parseLong(server.sql(SESSIONS.replace("count(*)", "pid")));
      cutOff();
      try {
        await().atMost(Duration.ofSeconds(28)).until(() -> ProcessHandle.of(pid).isEmpty());
      } finally {
        connect();
      }
      assertEquals("0", server.sql(SESSIONS));
    }
  }

  private static void cutOff() {
    ip("-n " + NAMESPACE + " link set pg-cut-there down");
    // Packets get lost as behind a router. Without a neighbor, the kernel later reports 'no route'.
    ip("neigh replace " + THERE + " lladdr 02:00:00:00:00:01 dev pg-cut-here nud permanent");
  }

  private static void connect() {
    ip("-n " + NAMESPACE + " link set pg-cut-there up");
    ip("neigh del " + THERE + " dev pg-cut-here");
    for (int i = 0; i < 50 && !answers(); i++) {
      // Each attempt waits up to 100 ms for the link.
    }
  }

  private static boolean answers() {
    try {
      return InetAddress.getByName(THERE).isReachable(100);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      return false;
    }
  }

  private static int ip(String arguments) {
    try {
      Process process =
          new ProcessBuilder(("ip " + arguments).split(" ")).redirectErrorStream(true).start();
      new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor();
    } catch (IOException e) {
      return -1;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void says(ProbeRoute route, String state, String reason, int millis) {
    Answer answer = route.ask(THERE + ":" + PORT);
    assertEquals(state, answer.state(), answer.toString());
    assertTrue(answer.node().reason().contains(reason), answer.toString());
    assertTrue(answer.took().toMillis() < millis, answer.toString());
  }
}
