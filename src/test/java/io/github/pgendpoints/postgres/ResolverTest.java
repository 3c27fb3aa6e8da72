package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.topology.Nodes.node;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Addresses;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ResolverTest {
  private final ExecutorService executor = Executors.newCachedThreadPool();

  @AfterEach
  void shutDown() {
    executor.shutdownNow();
  }

  @Test
  void takesTheLowestAddressWhateverTheOrder() throws SQLException {
    assertEquals("10.0.0.9", resolve("10.0.0.10", "2001:db8::1", "10.0.0.9"));
    assertEquals("10.0.0.9", resolve("2001:db8::1", "10.0.0.9", "10.0.0.10"));
    assertEquals("2001:db8::1", resolve("fe80::1%1", "2001:db8::1"));
  }

  @Test
  void refusesAnAddressThatKubernetesRefuses() {
    SQLException refused = assertThrows(SQLException.class, () -> resolve("169.254.0.1"));
    assertEquals("08004", refused.getSQLState());
    assertTrue(refused.getMessage().contains("link-local"), refused.getMessage());
  }

  @Test
  void isNobodyThereWhenTheNameIsUnknown() {
    Resolver resolver =
        new Resolver(
            executor,
            false,
            host -> {
              throw new UnknownHostException(host);
            });
    SQLException unknown =
        assertThrows(
            SQLException.class,
            () -> resolver.resolve(node("db1"), Deadline.in(Duration.ofSeconds(5))));
    assertEquals("08001", unknown.getSQLState());
    assertEquals("the name does not resolve", unknown.getMessage());
  }

  @Test
  void joinsALookUpThatHangsInsteadOfStartingMore() throws Exception {
    CountDownLatch nameServer = new CountDownLatch(1);
    AtomicInteger lookUps = new AtomicInteger();
    Resolver resolver =
        new Resolver(
            executor,
            false,
            host -> {
              lookUps.incrementAndGet();
              try {
                nameServer.await();
              } catch (InterruptedException e) {
                throw new UnknownHostException(host);
              }
              return new InetAddress[] {InetAddress.getByName("10.0.0.1")};
            });

    for (int cycle = 0; cycle < 5; cycle++) {
      SQLException hung =
          assertThrows(
              SQLException.class,
              () -> resolver.resolve(node("db1"), Deadline.in(Duration.ofMillis(50))));
      assertEquals("08001", hung.getSQLState());
      assertEquals("the name did not resolve within 0.05 s", hung.getMessage());
    }
    assertEquals(1, lookUps.get());

    nameServer.countDown();
    assertEquals(
        "10.0.0.1",
        resolver.resolve(node("db1"), Deadline.in(Duration.ofSeconds(5))).getHostAddress());
    resolver.resolve(node("db1"), Deadline.in(Duration.ofSeconds(5)));
    assertTrue(lookUps.get() >= 2, "a look-up that has ended is not asked again");
  }

  @Test
  void aLookUpThatNobodyRunsIsNotJoined() throws Exception {
    AtomicInteger threads = new AtomicInteger();
    Resolver resolver =
        new Resolver(
            task -> {
              if (threads.getAndIncrement() == 0) {
                throw new RejectedExecutionException("no thread");
              }
              executor.execute(task);
            },
            false,
            host -> new InetAddress[] {InetAddress.getByName("10.0.0.1")});
    assertThrows(
        RejectedExecutionException.class,
        () -> resolver.resolve(node("db1"), Deadline.in(Duration.ofSeconds(5))));

    assertEquals(
        "10.0.0.1",
        resolver.resolve(node("db1"), Deadline.in(Duration.ofSeconds(5))).getHostAddress());
  }

  private String resolve(String... addresses) throws SQLException {
    InetAddress[] found = new InetAddress[addresses.length];
    for (int i = 0; i < addresses.length; i++) {
      try {
        found[i] = InetAddress.getByName(addresses[i]);
      } catch (UnknownHostException e) {
        throw new IllegalArgumentException(e);
      }
    }
    return Addresses.text(
        new Resolver(executor, false, host -> found)
            .resolve(node("db1"), Deadline.in(Duration.ofSeconds(5))));
  }
}
