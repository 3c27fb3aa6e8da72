package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.postgres.FakeNode.beSilent;
import static io.github.pgendpoints.postgres.FakeNode.welcome;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;

import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Logins that several threads wait for. */
class LoginsTest {
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  /** A cycle and a check may wait for one dead node. When it is back, it is DOWN for neither. */
  @Test
  void eachOfTwoWaitersGetsItsOwnSession() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch thawed = new CountDownLatch(1);
    try (FakeNode server =
        FakeNode.talking(
            (in, out) -> {
              asked.countDown();
              thawed.await();
              welcome(out);
              beSilent(in);
            })) {
      InetAddress address = InetAddress.getByName("127.0.0.1");
      PostgresSettings settings =
          TestSettings.read(
                  Map.of(
                      "PG_NODES",
                      "127.0.0.1:" + server.port(),
                      "PGPASSWORD",
                      "x",
                      "PGSSLMODE",
                      "disable"))
              .postgres();
      Logins logins =
          new Logins(Node.of("127.0.0.1", server.port(), 5432), new Login(settings), threads);
      Deadline deadline = Deadline.in(Duration.ofSeconds(10));
      Future<Login.Session> check = threads.submit(() -> logins.session(address, deadline));
      asked.await();
      FutureTask<Login.Session> probe = new FutureTask<>(() -> logins.session(address, deadline));
      Thread prober = new Thread(probe);
      prober.start();
      await().until(() -> prober.getState() == Thread.State.TIMED_WAITING);
      thawed.countDown();

      Login.Session first = check.get(10, TimeUnit.SECONDS);
      Login.Session second = probe.get(10, TimeUnit.SECONDS);
      assertNotNull(first);
      assertNotSame(first, second);
    }
  }
}
