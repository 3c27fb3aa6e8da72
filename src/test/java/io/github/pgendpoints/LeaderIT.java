package io.github.pgendpoints;

import static java.util.Comparator.naturalOrder;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.PackagedProgram;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two replicas of the packaged program, of which one writes. */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class LeaderIT {
  private static final int OUTAGES = 10;

  /** Outages that must be logged. Later ones of the same node may be left out as flapping. */
  private static final int TOLD = 3;

  @TempDir private static Path temporary;
  private final FakeApiServer api;
  private final int port = Http.freePort();
  private final Http health = new Http(port);
  private final PostgresCluster cluster;
  private Program first;
  private Program second;

  LeaderIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @BeforeEach
  void start() throws SQLException {
    first = program("first");
    second = program("second").with("MANAGEMENT_PORT", String.valueOf(port));
  }

  @AfterEach
  void stop() {
    first.close();
    second.close();
  }

  @Test
  void theOtherTakesOverFromALeaderThatIsKilled() {
    lead();
    Instant killed = Instant.now();
    first.process().destroyForcibly();
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);

    until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));

    assertTakenOver(killed, 10);
  }

  @Test
  void theOtherTakesOverFromALeaderThatIsTerminated() {
    lead();
    Instant terminated = Instant.now();
    first.terminate();
    assertEquals(143, first.exitCode(5), first::err);
    // Edited only now, so that the old leader cannot repair it before it exits.
    api.editEndpoints("pg-rw", EndpointsBuilder::withSubsets);

    until(() -> api.addresses("pg-rw").equals(List.of("127.0.0.1")));

    // It takes about one second on an idle machine; the benchmark measures it.
    assertTakenOver(terminated, 4);
    assertTrue(
        first.err().contains("INFO this replica no longer leads: Lease pem is released"),
        first::err);
  }

  /** An alert fires for hours if no replica reports its end. */
  @Test
  void nextLeaderReportsEndOfCondition() throws SQLException {
    first.with("STATE", "state");
    second.with("STATE", "state");
    lead();
    cluster.servers().get(0).stopImmediately();
    until(() -> first.err().contains("ERROR no primary, nothing is written"));
    until(() -> api.get(ConfigMap.class, "db", "state").getData().toString().contains("NoPrimary"));
    first.process().destroyForcibly();
    cluster.servers().get(1).promote();

    until(() -> second.err().contains("INFO over: no primary"));

    assertEquals(List.of("127.0.0.2"), api.addresses("pg-rw"));
  }

  @Test
  void slowApiDoesNotDelayTakeoverToLeaseExpiry() {
    lead();
    api.delay(Duration.ofMillis(600));
    Instant terminated = Instant.now();
    first.terminate();

    until(() -> second.err().contains("INFO this replica leads: "));
    Duration took = Duration.between(terminated, Instant.now());
    assertEquals(143, first.exitCode(10), first::err);
    assertTrue(took.toMillis() < 3500, () -> "it took " + took + logs());
    assertTrue(
        first.err().contains("INFO this replica no longer leads: Lease pem is released"),
        first::err);
  }

  /** The leader probes that node outside of its cycles, and each probe takes PGCONNECT_TIMEOUT. */
  @Test
  void theOtherDoesNotWaitForANodeThatDoesNotAnswer() {
    lead();
    cluster.servers().get(2).freeze();
    until(() -> first.err().contains(" is DOWN ("));
    Instant terminated = Instant.now();
    first.terminate();

    until(() -> second.err().contains("INFO this replica leads: "));
    Duration took = Duration.between(terminated, Instant.now());
    assertTrue(took.toMillis() < 1500, "it took " + took);
    assertEquals(143, first.exitCode(5), first::err);
  }

  @Test
  void aFollowerReadsProbesAndWritesNothing() {
    lead();
    api.clearRequests();
    until(() -> requestsOf("second").size() > 50);

    for (ApiRequest request : requestsOf("second")) {
      assertEquals("GET", request.method(), request::toString);
    }
    assertEquals(143, second.terminate().exitCode(5), second::err);
    assertEquals(1, count(second, "INFO this replica stands by: "), second::err);
    assertEquals(
        List.of(),
        second.err().lines().filter(line -> line.matches(".* (WARN|ERROR) .*")).toList(),
        "what it finds is the leader's to report");
  }

  /** A demoted leader continues its cycles, like any follower, and reports nothing. */
  @Test
  void noAlertIsSentTwiceAfterTheApiServerWasAway() throws Exception {
    lead();
    PostgresServer standby = cluster.servers().get(2);
    List<Instant> stops = new ArrayList<>();
    for (int outage = 1; outage <= OUTAGES; outage++) {
      int apiPort = api.port();
      int ended = count("INFO this replica no longer leads: ");
      boolean freeze = outage % 2 == 1;
      if (freeze) {
        api.hang();
      } else {
        api.stop();
      }
      until(() -> count("INFO this replica no longer leads: ") > ended);
      until(this::leaseHasRunOut);
      if (freeze) {
        api.heal();
      } else {
        api.start(apiPort);
      }
      until(() -> leaders() == 1);

      stops.add(Instant.now());
      standby.stopImmediately();
      until(() -> !api.addresses("pg-ro").contains("127.0.0.3"));
      standby.start();
      until(() -> api.addresses("pg-ro").contains("127.0.0.3"));
      int expected = outage;
      if (outage <= TOLD) {
        until(() -> count("WARN 127.0.0.3 is DOWN") == expected);
        until(() -> count("INFO 127.0.0.3 is STANDBY, was DOWN") == expected);
      }
    }
    assertEquals(1, leaders());
    assertEquals(OUTAGES, count("INFO this replica no longer leads: "), this::logs);
    // Whatever a replica still has to send, it sends before it exits.
    assertEquals(143, first.terminate().exitCode(10));
    assertEquals(143, second.terminate().exitCode(10));
    assertSaidOnceAtMost("WARN 127.0.0.3 is DOWN", stops);
    assertSaidOnceAtMost("INFO 127.0.0.3 is STANDBY, was DOWN", stops);
    assertEquals(0, count("Failed delivery"), this::logs);
  }

  private boolean leaseHasRunOut() {
    var spec = api.get(Lease.class, "db", "pem").getSpec();
    return spec.getRenewTime()
        .toInstant()
        .plusSeconds(spec.getLeaseDurationSeconds())
        .isBefore(Instant.now());
  }

  /** Returns whether the program has sent the server something that it has not read. */
  private static boolean waitsFor(Program program, PostgresServer server) throws IOException {
    byte[] ip = InetAddress.getByName(server.host()).getAddress();
    String end = "%02X%02X%02X%02X:%04X".formatted(ip[3], ip[2], ip[1], ip[0], server.port());
    Set<String> own = sockets(program);
    // local, remote, queues, inode
    List<String[]> connections = new ArrayList<>();
    for (String file : List.of("tcp", "tcp6")) {
      for (String line : Files.readAllLines(Path.of("/proc/net", file))) {
        String[] fields = line.strip().split("\\s+");
        connections.add(new String[] {ip4(fields[1]), ip4(fields[2]), fields[4], fields[9]});
      }
    }
    Set<String> others =
        connections.stream()
            .filter(one -> one[1].equals(end) && own.contains("socket:[" + one[3] + "]"))
            .map(one -> one[0])
            .collect(Collectors.toSet());
    return connections.stream()
        .anyMatch(
            one -> one[0].equals(end) && others.contains(one[1]) && !one[2].endsWith(":00000000"));
  }

  /** Returns the address and the port of an end without the prefix that IPv6 adds. */
  private static String ip4(String end) {
    return end.substring(Math.max(0, end.length() - "00000000:0000".length()));
  }

  private static Set<String> sockets(Program program) throws IOException {
    Set<String> sockets = new HashSet<>();
    try (Stream<Path> files = Files.list(Path.of("/proc/" + program.process().pid() + "/fd"))) {
      for (Path file : files.toList()) {
        try {
          sockets.add(Files.readSymbolicLink(file).toString());
        } catch (NoSuchFileException e) {
          // Closed meanwhile.
        }
      }
    }
    return sockets;
  }

  /** Asserts that both replicas together log the words at most once between two moments. */
  private void assertSaidOnceAtMost(String words, List<Instant> moments) {
    Map<Instant, Long> said =
        logs()
            .lines()
            .filter(line -> line.contains(words))
            .map(line -> Instant.parse(line.split(" ", 2)[0]))
            .map(at -> moments.stream().filter(moment -> !moment.isAfter(at)).max(naturalOrder()))
            .collect(Collectors.groupingBy(Optional::orElseThrow, Collectors.counting()));
    assertTrue(said.size() >= TOLD, said::toString);
    assertEquals(Set.of(1L), Set.copyOf(said.values()), () -> words + " " + said + logs());
  }

  @Test
  void frozenLeaderWritesNothingWhenItWakes() throws Exception {
    lead();
    PostgresServer standby = cluster.servers().get(2);
    standby.freeze();
    until(() -> waitsFor(first, standby));
    signal("STOP", first);
    long frozen = System.nanoTime();

    until(() -> api.addresses("pg-ro").equals(List.of("127.0.0.2")));
    assertTrue(second.err().contains("INFO this replica leads: "), second::err);
    assertFalse(Duration.ofNanos(System.nanoTime() - frozen).toSeconds() < 5);
    api.clearRequests();
    signal("CONT", first);
    until(() -> first.err().contains("INFO this replica no longer leads: Lease pem is lost"));
    until(() -> first.err().contains("INFO this replica stands by: "));
    int asked = requestsOf("first").size();
    until(() -> requestsOf("first").size() > asked + 20);

    assertEquals(List.of(), writesOf("first"), first::err);
    assertTrue(
        first.err().contains("INFO this replica does not lead: it writes nothing"), first::err);
    assertEquals(
        List.of(),
        first.err().lines().filter(line -> line.contains(" ERROR ")).toList(),
        "what it writes no more is no error, least of all one of Camel's own");
    assertEquals(1, count(second, "INFO this replica leads: "), second::err);
  }

  @Test
  void newTermIgnoresEarlierTerm() throws Exception {
    lead();
    signal("STOP", first);
    until(() -> second.err().contains("INFO this replica leads: "));
    PostgresServer standby = cluster.servers().get(2);
    standby.stopImmediately();
    until(() -> second.err().contains("WARN 127.0.0.3 is DOWN"));
    signal("CONT", first);
    until(() -> first.err().contains("INFO this replica stands by: "));

    signal("TERM", second);
    until(() -> count(first, "INFO this replica leads: ") == 2);
    until(() -> first.err().contains("WARN 127.0.0.3 is DOWN"));
    assertFalse(first.err().contains("was STANDBY"), "the other one has reported the change");
    standby.start();
    until(() -> first.err().contains("INFO 127.0.0.3 is STANDBY, was DOWN"));
  }

  @Test
  void everyReplicaWritesWithoutTheRightOnLeases() {
    api.deny("get", "leases");
    first.start();
    second.start();

    for (Program program : List.of(first, second)) {
      until(() -> program.err().contains("INFO topology verified"));
      assertEquals(
          1,
          program
                  .err()
                  .split(
                      "WARN the Role does not grant get, list, watch, patch, create on leases pem: no election, each replica"
                          + " writes; add to the Role: apiGroups",
                      -1)
                  .length
              - 1,
          program::err);
    }
    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
  }

  @Test
  void oneCycleElectsNobody() {
    assertEquals(0, first.run("--once"), first::err);

    assertEquals(List.of("127.0.0.1"), api.addresses("pg-rw"));
    assertEquals(
        List.of("GET /apis/coordination.k8s.io/v1/namespaces/db/leases/pem"),
        api.calls().stream().filter(call -> call.contains("leases")).toList(),
        "it looks whether somebody else leads, and takes no part");
  }

  /** Starts both replicas; the first leads, and the second is ready to take over. */
  private void lead() {
    first.start();
    until(() -> !api.addresses("pg-ro").isEmpty());
    second.start();
    until(() -> second.err().contains("INFO this replica stands by: "));
    assertTrue(first.err().contains("INFO this replica leads: "), first::err);
    // It is ready once it has run a cycle, so that it takes over quickly.
    until(() -> health.status("GET", "/observe/health/ready") == 200);
    assertFalse(endpointsOf("second").isEmpty());
    assertEquals(List.of(), writesOf("second"));
    assertFalse(second.err().contains("topology verified"), second::err);
  }

  /** Asserts that the first write is in time, and not only the Lease. */
  private void assertTakenOver(Instant since, int seconds) {
    String leads =
        second
            .err()
            .lines()
            .filter(line -> line.contains(" INFO this replica leads: "))
            .findFirst()
            .orElse("");
    assertFalse(leads.isEmpty(), second::err);
    Duration took = Duration.between(since, Instant.parse(leads.split(" ")[0]));
    Duration wrote = Duration.between(since, Instant.now());
    System.out.printf(
        "leads after %d ms, has written after %d ms%n", took.toMillis(), wrote.toMillis());
    assertTrue(wrote.compareTo(Duration.ofSeconds(seconds)) < 0, "it took " + wrote);
    assertFalse(writesOf("second").isEmpty());
  }

  /** Returns a replica that the log of the API server identifies by its token. */
  private Program program(String name) {
    return PackagedProgram.original()
        .program(cluster, kubeconfig(name))
        .with("JDK_JAVA_OPTIONS", PackagedProgram.ALLOW_LOOPBACK)
        .with("HOSTNAME", name)
        .with("MANAGEMENT_PORT", "off")
        .with("JOLOKIA_PORT", "off")
        .with("LEASE_NAME", "pem")
        .with("PROBE_INTERVAL", "200ms")
        .with("STANDBY_FAILURES", "1")
        .with("PGCONNECT_TIMEOUT", "4");
  }

  private Path kubeconfig(String token) {
    try {
      Path file = api.kubeconfig(temporary.resolve("kubeconfig-" + token));
      return Files.writeString(file, Files.readString(file).replace("fake-token", token));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void signal(String signal, Program program) throws Exception {
    String pid = String.valueOf(program.process().pid());
    assertEquals(0, new ProcessBuilder("kill", "-" + signal, pid).start().waitFor());
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(20)).until(condition);
  }

  private int leaders() {
    return count("INFO this replica leads: ") - count("INFO this replica no longer leads: ");
  }

  private int count(String line) {
    return count(first, line) + count(second, line);
  }

  private static int count(Program program, String line) {
    return (int) program.err().lines().filter(any -> any.contains(line)).count();
  }

  private String logs() {
    return first.err() + "--- the other\n" + second.err();
  }

  private List<ApiRequest> requestsOf(String name) {
    return api.requests().stream()
        .filter(request -> ("Bearer " + name).equals(request.authorization()))
        .toList();
  }

  private List<ApiRequest> endpointsOf(String name) {
    return requestsOf(name).stream()
        .filter(request -> "endpoints".equals(request.target().resource()))
        .toList();
  }

  private List<ApiRequest> writesOf(String name) {
    return endpointsOf(name).stream().filter(request -> !request.method().equals("GET")).toList();
  }
}
