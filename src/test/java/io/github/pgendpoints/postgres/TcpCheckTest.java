package io.github.pgendpoints.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Topology;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TcpCheckTest {
  private static final Duration PATIENCE = Duration.ofMillis(300);

  private final ExecutorService executor = Executors.newCachedThreadPool();
  private NodePools pools;

  @BeforeEach
  void makePools() throws Exception {
    pools =
        new NodePools(
            TestSettings.read(Map.of("PG_NODES", "db1")).postgres(), executor, System::nanoTime);
  }

  @AfterEach
  void close() throws Exception {
    executor.shutdownNow();
    pools.close();
  }

  @Test
  void findsAddressesWithoutAServer() throws IOException {
    try (ServerSocket open = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        FakeNode blackHole = FakeNode.blackHole()) {
      String answers = "127.0.0.1:" + open.getLocalPort();
      String silent = "127.0.0.1:" + blackHole.port();
      String refuses = "127.0.0.1:" + closedPort();

      long start = System.nanoTime();
      Topology topology = check(answers, silent, refuses, "nowhere", "127.0.0.1:x", "a:b:1:1");

      assertEquals(Set.of(silent, refuses), topology.unanswered());
      assertTrue(System.nanoTime() - start < PATIENCE.plusMillis(900).toNanos());
      open.setSoTimeout(2000);
      try (Socket visitor = open.accept()) {
        visitor.setSoTimeout(2000);
        assertEquals(-1, visitor.getInputStream().read(), "nothing is said");
      }
    }
  }

  @Test
  void checksEvenIfTheProbesLeaveNoTime() throws IOException {
    String refuses = "127.0.0.1:" + closedPort();

    assertEquals(
        Set.of(refuses),
        new TcpCheck(executor, pools, PATIENCE)
            .markUnanswered(listed(), List.of(refuses), Deadline.in(Duration.ZERO))
            .unanswered());
  }

  /** A problem of this machine does not prove that no server is there. */
  @Test
  void marksNothingWithoutAnAttempt() throws IOException {
    String refuses = "127.0.0.1:" + closedPort();

    assertFalse(TcpCheck.isUnanswered(refuses, Deadline.in(Duration.ZERO)));
  }

  private Topology check(String... entries) {
    return new TcpCheck(executor, pools, PATIENCE)
        .markUnanswered(listed(), List.of(entries), Deadline.in(Duration.ofSeconds(5)));
  }

  private static Topology listed() {
    return new Topology(List.of(Nodes.primary("db1", 1)), Instant.EPOCH);
  }

  private static int closedPort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }
}
