package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.postgres.FakeNode.beSilent;
import static io.github.pgendpoints.postgres.FakeNode.welcome;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A name with several addresses, which change. One server answers at all of them. */
class MovingNamesTest {
  private static final String ONE = "127.0.0.2";
  private static final String TWO = "127.0.0.3";
  private static final String THREE = "127.0.0.4";
  private static final Server SERVER = new Server("7001", 10L, 1L, null, true);

  private final AtomicInteger sessions = new AtomicInteger();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final FakeNode server =
      FakeNode.talking(
          (in, out) -> {
            sessions.incrementAndGet();
            welcome(out);
            beSilent(in);
            sessions.decrementAndGet();
          });
  private final Node db = NodeList.parse("db", server.port(), true).nodes().get(0);
  private final NodePools pools;
  private final RoleWatch roles;
  private final Prober prober;
  private List<String> addresses = List.of();
  private long now;

  MovingNamesTest() throws Exception {
    PostgresSettings settings =
        TestSettings.read(Map.of("PG_NODES", db.name(), "PGPASSWORD", "x", "PGSSLMODE", "disable"))
            .postgres();
    pools = new NodePools(settings, threads, () -> now);
    roles = pools.roleWatch(() -> {});
    prober =
        new Prober(
            settings,
            new Resolver(threads, true, this::lookUp),
            pools,
            new DownNodes(
                true,
                () -> {},
                () -> Duration.ofSeconds(1),
                Duration.ofSeconds(2),
                () -> Duration.ofSeconds(1),
                () -> now),
            roles,
            threads,
            () -> now);
  }

  @AfterEach
  void stop() {
    roles.close();
    pools.close();
    server.close();
    threads.shutdownNow();
  }

  @Test
  void forgetsAnAddressThatLeft() throws Exception {
    NodeCache<String> memory = pools.memory();
    cycle(ONE, TWO);
    for (Node node : List.of(db, db.at(ONE), db.at(TWO))) {
      memory.put(node, SERVER, "is there", null);
    }
    cycle(TWO, THREE);

    assertNull(pools.addressOf(db.at(ONE)));
    assertEquals(Optional.of("is there"), memory.of(db, SERVER));
    assertEquals(Optional.empty(), memory.of(db.at(ONE), SERVER));
    assertEquals(Optional.of("is there"), memory.of(db.at(TWO), SERVER));
    awaitSessions(2);
  }

  @Test
  void forgetsTheOnlyAddressOnceThereAreSeveral() throws Exception {
    cycle(ONE);
    cycle(TWO, THREE);
    assertEquals(InetAddress.getByName(TWO), pools.addressOf(db));
    awaitSessions(2);

    cycle(ONE);
    assertEquals(InetAddress.getByName(ONE), pools.addressOf(db));
    awaitSessions(1);
  }

  @Test
  void aNameThatDoesNotResolveKeepsItsSessions() throws Exception {
    cycle(ONE, TWO);
    cycle();
    assertEquals(List.of(true, true), cycle(ONE, TWO));
  }

  @Test
  void doesNotCheckANodeThatLeft() throws Exception {
    cycle(ONE, TWO);
    cycle(TWO, THREE);
    prober.check(db.at(ONE), () -> false);
    awaitSessions(2);
  }

  /** The session that reports changes belongs to the name, those of probes to its addresses. */
  @Test
  void logsInEarlyWhileAFailoverIsPossible() throws Exception {
    cycle(ONE, TWO);
    now += Duration.ofSeconds(3).toNanos();
    assertEquals(List.of(true, true), cycle(ONE, TWO));

    NodeState node = NodeState.answered(db, State.STANDBY, ONE, SERVER);
    prober.watchRoles(true, new Topology(List.of(node), Instant.EPOCH), true);
    assertEquals(List.of(false, false), cycle(ONE, TWO));
  }

  /** Runs a cycle. Returns, for each address, whether its probe used an earlier probe's session. */
  private List<Boolean> cycle(String... found) throws Exception {
    addresses = List.of(found);
    NodeAddresses places = prober.locate(List.of(db));
    List<NodeState> states = new ArrayList<>(places.unresolved());
    List<Boolean> kept = new ArrayList<>();
    for (NodeProbe probe : prober.startProbes(places.nodes())) {
      probe.pool().getConnection().close();
      kept.add(probe.pool().isKept());
      String address = Addresses.text(places.addresses().get(probe.node()));
      states.add(NodeState.answered(probe.node(), State.STANDBY, address, SERVER));
    }
    prober.joinAddresses(List.of(db), states, nothingPublished(), List.of());
    return kept;
  }

  private void awaitSessions(int expected) {
    await().atMost(Duration.ofSeconds(10)).until(() -> sessions.get() == expected);
  }

  private InetAddress[] lookUp(String host) throws UnknownHostException {
    if (addresses.isEmpty()) {
      throw new UnknownHostException(host);
    }
    InetAddress[] found = new InetAddress[addresses.size()];
    for (int i = 0; i < found.length; i++) {
      found[i] = InetAddress.getByName(addresses.get(i));
    }
    return found;
  }
}
