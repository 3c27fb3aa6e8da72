package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.postgres.FakeNode.authenticationSasl;
import static io.github.pgendpoints.postgres.FakeNode.beSilent;
import static io.github.pgendpoints.postgres.FakeNode.welcome;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.postgres.FakeNode.Conversation;
import io.github.pgendpoints.postgres.ProbeRoute.Answer;
import io.github.pgendpoints.support.CycleCount;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Three servers among a hundred dead nodes, with MAX_WORKERS=3. */
@Tag("long")
@Tag("alone")
class ManyNodesIT {
  private static final int TIMEOUT = 3;
  private static final int DEAD = 100;

  private static PostgresCluster cluster;

  @BeforeAll
  static void startCluster() throws SQLException {
    cluster = PostgresCluster.start();
    try (ProbeRoute warmUp = route()) {
      warmUp.askAll(servers());
    }
  }

  @AfterAll
  static void closeCluster() {
    cluster.close();
  }

  @Test
  void seesTheOthersWhileDeadNodesRefuse() throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    theOthersAreSeen(port, Duration.ofSeconds(2), "DOWN", "Connection refused");
  }

  @Test
  void seesTheOthersWhilePacketsVanish() {
    try (FakeNode dead = FakeNode.blackHole()) {
      theOthersAreSeen(dead.port(), Duration.ofSeconds(2), "DOWN", "no answer within 0.5 s");
    }
  }

  @Test
  void seesTheOthersWhileDeadNodesAcceptAndFreeze() {
    try (FakeNode dead = FakeNode.talking((in, out) -> beSilent(in))) {
      theOthersAreSeen(
          dead.port(), Duration.ofSeconds(TIMEOUT + 1), "DOWN", "no answer within 3 s");
    }
  }

  @Test
  void seesTheOthersWhileDeadNodesFreezeInTheLogin() {
    try (FakeNode dead =
        FakeNode.talking(
            (in, out) -> {
              authenticationSasl(out);
              beSilent(in);
            })) {
      theOthersAreSeen(
          dead.port(), Duration.ofSeconds(TIMEOUT + 1), "DOWN", "no answer within 3 s");
    }
  }

  private static void theOthersAreSeen(int port, Duration atMost, String state, String reason) {
    List<String> nodes =
        new ArrayList<>(
            IntStream.rangeClosed(1, DEAD).mapToObj(i -> "127.0.1." + i + ":" + port).toList());
    nodes.addAll(servers());
    try (ProbeRoute route = route().with("MAX_WORKERS", "3").with("PGSSLMODE", "disable")) {
      route.ask("127.0.0.1:1");
      long start = System.nanoTime();
      List<Answer> answers = route.askAll(nodes);
      Duration took = Duration.ofNanos(System.nanoTime() - start);

      assertEquals(
          List.of("PRIMARY", "STANDBY", "STANDBY"),
          answers.subList(DEAD, DEAD + 3).stream().map(Answer::state).toList(),
          answers.subList(DEAD, DEAD + 3).toString());
      for (Answer answer : answers.subList(0, DEAD)) {
        assertEquals(state, answer.state(), answer.toString());
        assertTrue(answer.node().reason().contains(reason), answer.toString());
      }
      assertTrue(took.compareTo(atMost) < 0, took.toString());
    }
  }

  /** Runs whole cycles of the manager, not only probes. */
  @Test
  void aCycleIsNotLongerThanAProbeAndASecond() {
    try (FakeNode dead =
            FakeNode.talking(
                (in, out) -> {
                  authenticationSasl(out);
                  beSilent(in);
                });
        FakeApiServer api = new FakeApiServer("db", true).start();
        Run run = new Run(cluster, api)) {
      api.createService("pg-rw", "postgresql", 5432).createService("pg-ro", "postgresql", 5432);
      List<String> nodes =
          new ArrayList<>(
              IntStream.rangeClosed(1, DEAD)
                  .mapToObj(i -> "127.0.1." + i + ":" + dead.port())
                  .toList());
      nodes.add(cluster.nodes());
      // Publish once before: a first run does not begin with three servers of a hundred.
      try (Run first = new Run(cluster, api)) {
        assertEquals(0, first.once());
      }
      CycleCount cycles = new CycleCount();
      run.bind("cycles", cycles)
          .with("PG_NODES", String.join(",", nodes))
          .with("PGSSLMODE", "disable")
          .with("PROBE_INTERVAL", "50ms")
          .start(Mode.CONTINUOUS);
      for (int cycle = 1; cycle <= 4; cycle++) {
        long start = System.nanoTime();
        int ended = cycle;
        await().atMost(Duration.ofSeconds(20)).until(() -> cycles.ended() >= ended);
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        // The time of the first cycle includes the start of the program.
        assertTrue(cycle == 1 || took.compareTo(Duration.ofSeconds(2 + 1)) < 0, took.toString());
      }
      assertEquals(1, api.endpoints("pg-rw").getSubsets().size());
    }
  }

  /** A login that the server keeps busy keeps its permit. The reason then names MAX_WORKERS. */
  @Test
  void reportsThatMaxWorkersIsTheReason() throws Exception {
    CountDownLatch lookingUp = new CountDownLatch(1);
    CountDownLatch permitTaken = new CountDownLatch(1);
    Conversation busy =
        (in, out) -> {
          permitTaken.countDown();
          authenticationSasl(out);
          FakeNode.message(out, 'E', 100_000);
          FakeNode.drip(out);
        };
    try (FakeNode dead = FakeNode.talking(busy);
        ProbeRoute route =
            route()
                .with("MAX_WORKERS", "1")
                .with("TCP_CONNECT_TIMEOUT", "60")
                .with("PGCONNECT_TIMEOUT", "1")
                .with("PGSSLMODE", "disable")
                .withLookup(
                    host -> {
                      lookingUp.countDown();
                      try {
                        permitTaken.await();
                      } catch (InterruptedException e) {
                        throw new UnknownHostException(host);
                      }
                      return new InetAddress[] {InetAddress.getByName("127.0.1.1")};
                    })) {
      route.ask("127.0.0.1:1");
      // This probe begins first, but it logs in only after the other has taken the permit.
      CompletableFuture<Answer> waiting =
          CompletableFuture.supplyAsync(() -> route.ask("slow.example:" + dead.port()));
      lookingUp.await();
      // So that its time limit ends first by a margin.
      Thread.sleep(300);
      route.ask("127.0.1.2:" + dead.port());

      Answer answer = waiting.get();
      assertEquals("UNKNOWN", answer.state(), answer.toString());
      assertTrue(answer.node().reason().contains("MAX_WORKERS=1"), answer.toString());
      assertTrue(answer.took().toMillis() < 1400, answer.toString());
    }
  }

  @Test
  void nothingPilesUpCycleByCycle() throws Exception {
    CountDownLatch nameServer = new CountDownLatch(1);
    try (FakeNode blackHole = FakeNode.blackHole();
        FakeNode silent = FakeNode.talking((in, out) -> beSilent(in));
        FakeNode inLogin =
            FakeNode.talking(
                (in, out) -> {
                  authenticationSasl(out);
                  beSilent(in);
                });
        FakeNode inQuery =
            FakeNode.talking(
                (in, out) -> {
                  welcome(out);
                  beSilent(in);
                });
        ProbeRoute route =
            route()
                .with("PGSSLMODE", "disable")
                .with("PGCONNECT_TIMEOUT", "1")
                .with("TCP_CONNECT_TIMEOUT", "0.1")
                .withLookup(
                    host -> {
                      try {
                        nameServer.await();
                        return InetAddress.getAllByName("127.0.0.1");
                      } catch (InterruptedException e) {
                        throw new UnknownHostException(host);
                      }
                    })) {
      List<String> nodes = new ArrayList<>(servers());
      for (FakeNode fake : List.of(blackHole, silent, inLogin, inQuery)) {
        nodes.add("127.0.1.1:" + fake.port());
      }
      nodes.add("hung.example:5432");
      for (int i = 0; i < 3; i++) {
        route.askAll(nodes);
      }
      int threads = Thread.activeCount();
      long sockets = sockets();
      for (int i = 0; i < 8; i++) {
        assertEquals("PRIMARY", route.askAll(nodes).get(0).state());
      }
      await()
          .atMost(Duration.ofSeconds(5))
          .untilAsserted(
              () -> {
                assertTrue(Thread.activeCount() <= threads, threads + " threads before");
                assertTrue(sockets() <= sockets, sockets + " sockets before, now " + sockets());
              });
    } finally {
      nameServer.countDown();
    }
  }

  private static long sockets() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files
          .filter(
              file -> {
                try {
                  return Files.readSymbolicLink(file).toString().startsWith("socket:");
                } catch (IOException e) {
                  return false;
                }
              })
          .count();
    }
  }

  private static ProbeRoute route() {
    return new ProbeRoute().with("PGCONNECT_TIMEOUT", String.valueOf(TIMEOUT));
  }

  private static List<String> servers() {
    return cluster.servers().stream().map(server -> server.host() + ":" + server.port()).toList();
  }
}
