package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.postgres.FakeNode.beSilent;
import static io.github.pgendpoints.postgres.FakeNode.welcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which login a probe uses: a new one, or that of the check before it. */
class NodePoolTest {
  private final AtomicInteger logins = new AtomicInteger();
  private final CountDownLatch hungUp = new CountDownLatch(1);
  private final ExecutorService threads = ProbeThreads.cheapest();
  private final FakeNode server =
      FakeNode.talking(
          (in, out) -> {
            logins.incrementAndGet();
            welcome(out);
            beSilent(in);
            hungUp.countDown();
          });
  private final Node node = Node.of("127.0.0.1", server.port(), 5432);
  private final NodePools pools;
  private long now;

  NodePoolTest() throws Exception {
    pools =
        new NodePools(
            TestSettings.read(
                    Map.of("PG_NODES", node.name(), "PGPASSWORD", "x", "PGSSLMODE", "disable"))
                .postgres(),
            threads,
            () -> now);
    pools.move(node, InetAddress.getByName("127.0.0.1"));
  }

  @AfterEach
  void stop() {
    pools.close();
    server.close();
    threads.shutdownNow();
  }

  @Test
  void aProbeUsesTheSessionOfTheCheckBefore() throws Exception {
    pools.check(node);
    NodePool pool = pools.of(node, pools.deadline());
    pool.getConnection().close();
    assertEquals(1, logins.get());
    assertTrue(pool.hasLoggedIn(now));
  }

  @Test
  void aProbeTriesAgainIfThatSessionBrokeMeanwhile() throws Exception {
    pools.check(node);
    NodePool pool = pools.of(node, pools.deadline());
    pool.getConnection().close();
    SQLException broken = new SQLException("gone", "08006");
    assertTrue(new NodeProbe(node, pool, pools.deadline(), now).shouldRetry(broken));
  }

  @Test
  void closesASessionThatIsNotNeeded() throws Exception {
    pools.check(node);
    pools.forgetCheck(node);
    assertTrue(hungUp.await(5, TimeUnit.SECONDS));
  }

  @Test
  void aFreshProbeLogsInAgain() throws Exception {
    pools.check(node);
    NodePool pool = pools.of(node, pools.deadline(), ++now);
    pool.getConnection().close();
    assertEquals(2, logins.get());
    assertTrue(hungUp.await(10, TimeUnit.SECONDS));
  }

  @Test
  void aNewAddressNeedsALogin() throws Exception {
    pools.check(node);
    pools.move(node, InetAddress.getByName("127.0.0.2"));
    pools.of(node, pools.deadline()).getConnection().close();
    assertEquals(2, logins.get());
    assertTrue(hungUp.await(10, TimeUnit.SECONDS));
  }

  /** HikariCP starts one or two threads for each pool. */
  @Test
  void usesVirtualThreadsInThePoolWhereProbesDo() throws Exception {
    pools.of(node, pools.deadline()).getConnection().close();
    assertEquals(
        Runtime.version().feature() >= 24 ? List.of() : List.of(node.name() + ":connection"),
        Thread.getAllStackTraces().keySet().stream()
            .map(Thread::getName)
            .filter(name -> name.startsWith(node.name() + ":"))
            .distinct()
            .toList());
  }

  @Test
  void aSessionThatNoProbeUsesEnds() throws Exception {
    pools.check(node);
    assertTrue(
        hungUp.await(
            NodePools.MAX_LOGIN_AGE.plus(Duration.ofSeconds(5)).toMillis(), TimeUnit.MILLISECONDS));
  }
}
