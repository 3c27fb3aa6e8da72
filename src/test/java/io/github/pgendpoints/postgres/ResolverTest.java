package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.topology.Nodes.node;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.State;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
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
  void returnsAllAddressesSorted() {
    List<String> sorted = List.of("10.0.0.9", "10.0.0.10", "2001:db8::1");

    assertEquals(sorted, found("10.0.0.10", "2001:db8::1", "10.0.0.9"));
    assertEquals(sorted, found("2001:db8::1", "10.0.0.9", "10.0.0.10"));
  }

  @Test
  void namesTheAddressesOfOneEntry() {
    NodeAddresses places = places("10.0.0.1", "10.0.0.2");

    assertEquals(List.of(node("db1").at("10.0.0.1"), node("db1").at("10.0.0.2")), places.nodes());
    assertEquals("db1/10.0.0.1", places.nodes().get(0).toString());
    assertEquals(List.of(node("db1")), places("10.0.0.1").nodes());
  }

  @Test
  void leavesOutAnAddressThatKubernetesRefuses() {
    assertEquals(List.of("2001:db8::1"), found("fe80::1%1", "2001:db8::1"));
    assertEquals(List.of("10.0.0.1"), found("10.0.0.1", "127.0.0.1"));

    NodeAddresses none = places("169.254.0.1");
    assertEquals(List.of(), none.nodes());
    NodeState refused = none.unresolved().get(0);
    assertEquals(State.UNKNOWN, refused.state());
    assertTrue(refused.reason().contains("link-local"), refused.reason());
  }

  @Test
  void aFailedLookUpMakesTheNodeUnknown() {
    Resolver resolver =
        new Resolver(
            executor,
            false,
            host -> {
              throw new UnknownHostException(host + ": Temporary failure in name resolution");
            });
    NodeAddresses places = resolver.places(List.of(node("db1"), node("10.0.0.1")), soon());

    assertEquals(List.of(node("10.0.0.1")), places.nodes());
    assertEquals(
        "[db1 is UNKNOWN (its name does not resolve: Temporary failure in name resolution)]",
        places.unresolved().toString());
  }

  @Test
  void waitsOnceForALookUpThatHangs() throws Exception {
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
    assertEquals(
        "[db1 is UNKNOWN (its name does not resolve: no answer within 0.05 s)]",
        resolver
            .places(List.of(node("db1")), Deadline.in(Duration.ofMillis(50)))
            .unresolved()
            .toString());
    for (int cycle = 0; cycle < 5; cycle++) {
      long start = System.nanoTime();
      assertEquals(List.of(), resolver.places(List.of(node("db1")), soon()).nodes());
      assertTrue(System.nanoTime() - start < Duration.ofSeconds(2).toNanos(), "it waits again");
    }
    await().until(() -> lookUps.get() == 1);

    nameServer.countDown();
    await().until(() -> !resolver.places(List.of(node("db1")), soon()).nodes().isEmpty());
    assertEquals(1, lookUps.get(), "what the look-up found in the end is lost");
    resolver.places(List.of(node("db1")), soon());
    assertEquals(2, lookUps.get(), "a look-up that has ended is not repeated");
  }

  @Test
  void retriesALookUpWithoutAThread() {
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

    assertEquals(
        "[db1 is UNKNOWN (its name does not resolve: no thread)]",
        resolver.places(List.of(node("db1")), soon()).unresolved().toString());
    assertEquals(List.of(node("db1")), resolver.places(List.of(node("db1")), soon()).nodes());
  }

  private static Deadline soon() {
    return Deadline.in(Duration.ofSeconds(5));
  }

  private List<String> found(String... addresses) {
    return places(addresses).addresses().values().stream().map(Addresses::text).toList();
  }

  private NodeAddresses places(String... addresses) {
    return new Resolver(executor, false, host -> parsed(addresses))
        .places(List.of(node("db1")), soon());
  }

  private static InetAddress[] parsed(String... addresses) throws UnknownHostException {
    InetAddress[] found = new InetAddress[addresses.length];
    for (int i = 0; i < addresses.length; i++) {
      found[i] = InetAddress.getByName(addresses[i]);
    }
    return found;
  }
}
