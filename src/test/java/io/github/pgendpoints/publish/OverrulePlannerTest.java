package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.StandbyHysteresis;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which generation an overruled primary gets, and how managers handle it. */
class OverrulePlannerTest {
  private static final Instant FIRST = Instant.parse("2026-11-24T12:34:56Z");
  private static final Topology ON_TIMELINE_2 = Nodes.topology(Nodes.primary("10.0.0.2", 2));
  private static final Topology ON_TIMELINE_1 = Nodes.topology(Nodes.primary("10.0.0.1", 1));

  private static ClusterMemory process() {
    return new ClusterMemory(
        Memory.empty(StandbyHysteresis.none()),
        new DecisionSettings(
            new Quorum(1), new ReadOnlyRules(null, false, false), Duration.ofSeconds(15)),
        StateStore.none(),
        Decision::decide);
  }

  /** Returns what a separate overrule command decides when it finds these objects. */
  private static Memory overruled(Topology topology, LastPublished published, Instant at) {
    return choose(null, topology, published, at).memory();
  }

  private static LastPublished objectsOf(Memory memory) {
    return new LastPublished(
        memory.primary(),
        Nodes.CLUSTER,
        Set.of(memory.primary().endpoint()),
        Set.of(),
        memory.generation(),
        false,
        List.of());
  }

  @Test
  void choosesTheEntryWithExactlyTheGivenName() {
    NodeState other = primary(new Node("10.0.0.1", 5433, "10.0.0.1:5433"), 6);
    NodeState named = primary(new Node("10.0.0.1", 5432, "10.0.0.1"), 7);

    OverruleProposal proposal = choose("10.0.0.1", Nodes.topology(other, named));

    assertEquals("10.0.0.1:5432", proposal.memory().primary().endpoint());
  }

  @Test
  void choosesNoneOfSeveralPrimariesOfOneName() {
    Node entry = new Node("db.example.com", 5433, "db.example.com:5433");
    NodeState one = primary(entry.at("10.0.0.1"), 6);
    NodeState other = primary(entry.at("10.0.0.2"), 7);

    OverruleProposal proposal = choose("db.example.com:5433", Nodes.topology(one, other));

    assertTrue(
        proposal.problem().startsWith("overrule: several primaries answer; name the one"),
        proposal.problem());
    assertEquals(
        "10.0.0.2:5433",
        choose("10.0.0.2:5433", Nodes.topology(one, other)).memory().primary().endpoint());
  }

  private static NodeState primary(Node node, long timeline) {
    String address = node.address() == null ? node.host() : node.address();
    // Another start time for each port: each is another server.
    Server server =
        new Server(
            Nodes.CLUSTER,
            Nodes.startedAt(address) + node.port(),
            timeline,
            Lsn.of("0/3000060"),
            false);
    return NodeState.answered(node, State.PRIMARY, address, server);
  }

  private static OverruleProposal choose(String entry, Topology topology) {
    return choose(entry, topology, Nodes.nothingPublished(), FIRST);
  }

  private static OverruleProposal choose(
      String entry, Topology topology, LastPublished published, Instant at) {
    Clock clock = Clock.fixed(at, ZoneOffset.UTC);
    ObservedService nothing = new ObservedService(null, List.of());
    return new OverrulePlanner(
            entry,
            true,
            new Publisher("pg-rw", "pg-ro", "postgresql", 5432, false, clock),
            process(),
            clock)
        .choose(topology, published, nothing, nothing);
  }

  /** Without STATE, only the manager still knows the generation of the deleted objects. */
  @Test
  void replacesManagerMemoryAfterObjectDeletion() {
    ClusterMemory manager = process();
    Memory first = overruled(ON_TIMELINE_2, Nodes.nothingPublished(), FIRST);
    manager.recall(objectsOf(first));
    Verdict followed = manager.decide(objectsOf(first), ON_TIMELINE_2);
    assertTrue(followed.isVerified(), followed.reports().toString());
    manager.rememberPublished(followed);

    Memory second = overruled(ON_TIMELINE_1, Nodes.nothingPublished(), FIRST.plusSeconds(1));

    Verdict verdict = manager.decide(manager.recall(objectsOf(second)), ON_TIMELINE_1);
    assertTrue(verdict.isVerified(), verdict.reports().toString());
    assertEquals("10.0.0.1", verdict.publishing().name());
  }

  /** A restored backup, for example, contains such a copy. */
  @Test
  void isNotUndoneByAnOlderCopyOfTheObjects() {
    Memory older = overruled(ON_TIMELINE_1, Nodes.nothingPublished(), FIRST);
    Memory later = overruled(ON_TIMELINE_2, objectsOf(older), FIRST.plusSeconds(1));
    ClusterMemory manager = process();
    manager.recall(objectsOf(later));
    manager.rememberPublished(manager.decide(objectsOf(later), ON_TIMELINE_2));

    LastPublished recalled = manager.recall(objectsOf(older));

    assertEquals("10.0.0.2", recalled.primary().name());
    assertEquals(later.generation(), recalled.generation());
  }

  @Test
  void isALaterOneEvenWhenTheClockWasSetBack() {
    Memory first = overruled(ON_TIMELINE_2, Nodes.nothingPublished(), FIRST);

    Memory second = overruled(ON_TIMELINE_1, objectsOf(first), FIRST.minusSeconds(3600));

    assertEquals(FIRST.getEpochSecond(), first.generation());
    assertEquals(first.generation() + 1, second.generation());
  }
}
