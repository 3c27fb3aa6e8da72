package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.NodeState;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DownNodesTest {
  private static final Node DB1 = node("db1");
  private static final Node DB2 = node("db2");
  private static final List<Node> BOTH = List.of(DB1, DB2);
  private static final Duration CHECK_INTERVAL = Duration.ofSeconds(1);
  private static final Duration CYCLE_INTERVAL = Duration.ofSeconds(3);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  private final AtomicInteger cyclesRequested = new AtomicInteger();
  private long now;
  private final DownNodes nodes = nodes(true);

  // ---- what a cycle probes

  @Test
  void aCycleProbesEveryNodeThatIsNotDown() {
    NodeState lost = down("db2");
    nodes.record(List.of(standby("db1"), lost, unknown("db3")));

    DownNodes.Split split = nodes.begin(List.of(DB1, DB2, node("db3")));
    assertEquals(List.of(DB1, node("db3")), split.toProbe());
    assertEquals(List.of(lost), split.down());
  }

  @Test
  void aSingleCycleProbesEveryNode() {
    DownNodes none = nodes(false);
    none.record(List.of(down("db1"), down("db2")));
    assertEquals(BOTH, none.begin(BOTH).toProbe());
    assertEquals(List.of(), none.startChecks());
  }

  /** Otherwise the cycle judges one node while others, such as the true primary, are still DOWN. */
  @Test
  void theNextCycleProbesAllNodesOnceOneIsBack() {
    bothAreDown();
    nodes.startChecks();
    nodes.reportBack(DB1);
    nodes.endCheck(DB1);

    assertEquals(1, cyclesRequested.get());
    assertEquals(BOTH, nodes.begin(BOTH).toProbe());
    nodes.record(List.of(standby("db1"), down("db2")));
    assertEquals(List.of(DB1), nodes.begin(BOTH).toProbe(), "and only that cycle");
  }

  @Test
  void theFirstCycleOfATermProbesAllNodes() {
    bothAreDown();
    nodes.forget();
    assertEquals(BOTH, nodes.begin(BOTH).toProbe());
    assertEquals(0, cyclesRequested.get());
  }

  @Test
  void aStateCountsForTwoCyclesAndAProbe() {
    bothAreDown();
    pass(CYCLE_INTERVAL.multipliedBy(2).plus(CONNECT_TIMEOUT));
    assertEquals(List.of(), nodes.begin(BOTH).toProbe());

    pass(Duration.ofMillis(1));
    assertEquals(BOTH, nodes.begin(BOTH).toProbe());
  }

  @Test
  void aCheckRenewsTheStateOfADownNode() {
    bothAreDown();
    pass(CYCLE_INTERVAL.multipliedBy(2).plus(CONNECT_TIMEOUT));
    NodeState still = NodeState.down(DB2, null, Failure.SILENT, "x");
    nodes.recordDown(still);

    pass(Duration.ofMillis(1));
    DownNodes.Split split = nodes.begin(BOTH);
    assertEquals(List.of(DB1), split.toProbe());
    assertEquals(List.of(still), split.down());
  }

  @Test
  void aCheckDoesNotOverrideANewerCycle() {
    bothAreDown();
    nodes.startChecks();
    nodes.record(List.of(standby("db2")));
    nodes.recordDown(down("db2"));
    nodes.reportBack(DB2);

    assertEquals(List.of(DB2), nodes.begin(BOTH).toProbe());
    assertEquals(0, cyclesRequested.get());
  }

  // ---- checks

  @Test
  void checksOnlyNodesThatAreDown() {
    nodes.record(List.of(standby("db1"), down("db2"), unknown("db3")));
    assertEquals(List.of(DB2), nodes.startChecks());
  }

  @Test
  void checksANodeAtMostOnceAnInterval() {
    assertFalse(nodes.isCheckDue());
    nodes.record(List.of(down("db2")));
    assertTrue(nodes.isCheckDue());
    assertEquals(List.of(DB2), nodes.startChecks());
    nodes.endCheck(DB2);
    pass(CHECK_INTERVAL.minusMillis(1));
    assertFalse(nodes.isCheckDue());
    assertEquals(List.of(), nodes.startChecks());

    pass(Duration.ofMillis(1));
    assertTrue(nodes.isCheckDue());
    assertEquals(List.of(DB2), nodes.startChecks());
  }

  @Test
  void aCheckExpiresAfterTwiceItsTime() {
    nodes.record(List.of(down("db2")));
    nodes.startChecks();
    pass(CONNECT_TIMEOUT.multipliedBy(2).minusMillis(1));
    assertEquals(List.of(), nodes.startChecks(), "never two checks of a node at once");

    pass(Duration.ofMillis(1));
    assertEquals(List.of(DB2), nodes.startChecks());
  }

  @Test
  void aCheckRetriesForHalfTheConnectTimeout() {
    nodes.record(List.of(down("db2")));
    assertFalse(nodes.hasTimeForAnotherTry(DB2), "no check runs");
    nodes.startChecks();
    assertTrue(nodes.hasTimeForAnotherTry(DB2));
    pass(CONNECT_TIMEOUT.dividedBy(2).minusMillis(1));
    assertTrue(nodes.hasTimeForAnotherTry(DB2));
    pass(Duration.ofMillis(1));
    assertFalse(nodes.hasTimeForAnotherTry(DB2));
  }

  @Test
  void aCheckOfANodeFoundAliveMakesNoRetry() {
    nodes.record(List.of(down("db2")));
    nodes.startChecks();
    nodes.record(List.of(standby("db2")));
    assertFalse(nodes.hasTimeForAnotherTry(DB2));
  }

  @Test
  void checksOfManyNodesLookOnce() {
    List<NodeState> many =
        IntStream.rangeClosed(1, DownNodes.MAX_RETRIED).mapToObj(i -> down("db" + i)).toList();
    nodes.record(many);
    nodes.startChecks();
    assertTrue(nodes.hasTimeForAnotherTry(DB2));
    nodes.record(List.of(down("one-more")));
    assertFalse(nodes.hasTimeForAnotherTry(DB2));
  }

  @Test
  void aNodeThatIsNoLongerListedIsNeverCheckedAgain() {
    bothAreDown();
    nodes.begin(List.of(DB1));
    assertEquals(List.of(DB1), nodes.startChecks());
  }

  // ---- a check, made by the prober

  @Test
  void aCheckKeepsANodeDownThatRefusesConnections() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      check(threads, threads, DB2, false);
      assertEquals(0, cyclesRequested.get());
      pass(CHECK_INTERVAL);
      assertEquals(List.of(DB2), nodes.startChecks());
    } finally {
      threads.shutdownNow();
    }
  }

  /** The clock of the test stands still, so a check has time for any number of attempts. */
  @ParameterizedTest
  @CsvSource({"true, 4, 1", "false, 1, 0"})
  void keepsCheckingAServerThatStartsDuringAFailover(boolean urgent, int looks, int cycles)
      throws Exception {
    AtomicInteger logins = new AtomicInteger();
    ExecutorService threads = Executors.newCachedThreadPool();
    try (FakeNode server =
        FakeNode.talking(
            (in, out) ->
                FakeNode.error(
                    out, logins.incrementAndGet() < 4 ? "57P03" : "28000", "no".getBytes()))) {
      check(threads, threads, NodeList.parse("db2", server.port(), true).nodes().get(0), urgent);
    } finally {
      threads.shutdownNow();
    }
    assertEquals(looks, logins.get());
    assertEquals(cycles, cyclesRequested.get());
  }

  @Test
  void theNextCycleProbesANodeWhoseCheckMeetsAnError() throws Exception {
    Executor broken =
        task -> {
          throw new OutOfMemoryError("unable to create native thread");
        };
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      assertThrows(OutOfMemoryError.class, () -> check(broken, threads, DB2, false));
      assertEquals(1, cyclesRequested.get());
      assertEquals(List.of(DB2), nodes.begin(List.of(DB2)).toProbe());
    } finally {
      threads.shutdownNow();
    }
  }

  /** Records the node as DOWN and runs one check of it. */
  private void check(Executor logins, ExecutorService threads, Node node, boolean urgent)
      throws Exception {
    NodeState down = NodeState.down(node, node.host(), Failure.OTHER, "no");
    nodes.record(List.of(down));
    Resolver resolver =
        new Resolver(threads, true, host -> new InetAddress[] {InetAddress.getByName("127.0.0.1")});
    PostgresSettings settings =
        TestSettings.read(Map.of("PG_NODES", "db2", "PGSSLMODE", "disable")).postgres();
    try (NodePools pools = new NodePools(settings, logins, () -> now)) {
      Prober prober =
          new Prober(
              settings, resolver, pools, nodes, pools.roleWatch(() -> {}), threads, () -> now);
      prober.locate(List.of(node));
      nodes.startChecks().forEach(due -> prober.check(due, () -> urgent));
    }
  }

  private DownNodes nodes(boolean remembers) {
    return new DownNodes(
        remembers,
        cyclesRequested::incrementAndGet,
        () -> CHECK_INTERVAL,
        CONNECT_TIMEOUT,
        () -> CYCLE_INTERVAL,
        () -> now);
  }

  private void bothAreDown() {
    nodes.record(List.of(down("db1"), down("db2")));
    assertEquals(List.of(), nodes.begin(BOTH).toProbe());
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }
}
