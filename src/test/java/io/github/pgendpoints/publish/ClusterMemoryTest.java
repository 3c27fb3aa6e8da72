package io.github.pgendpoints.publish;

import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.StandbyHysteresis;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClusterMemoryTest {
  private static final Topology SPLIT = topology(primary("db1", 1), primary("db2", 1));

  private int reads;
  private boolean isUnreadable;

  private final StateStore store =
      new StateStore() {
        @Override
        public Memory read() throws UnreadableStateException {
          reads++;
          if (isUnreadable) {
            throw new UnreadableStateException("STATE cannot be read", null);
          }
          return Memory.empty(StandbyHysteresis.none());
        }

        @Override
        public void write(Memory memory) {}
      };

  private final ClusterMemory memory =
      new ClusterMemory(
          Memory.empty(StandbyHysteresis.none()),
          new DecisionSettings(
              new Quorum(1), new ReadOnlyRules(null, false, false), Duration.ofSeconds(15)),
          store,
          Decision::decide);

  private LastPublished cycle() {
    LastPublished published = memory.recall(Nodes.nothingPublished());
    memory.decide(published, Nodes.topology(Nodes.primary("10.0.0.1", 1)));
    return published;
  }

  @Test
  void readsStateOncePerTerm() {
    cycle();
    cycle();
    assertEquals(1, reads);

    memory.beginTerm();
    cycle();
    cycle();

    assertEquals(2, reads);
  }

  @Test
  void readsStateUntilItCanBeRead() {
    isUnreadable = true;
    assertEquals(List.of("STATE cannot be read"), cycle().faults());
    cycle();
    assertEquals(2, reads);

    isUnreadable = false;
    assertEquals(List.of(), cycle().faults());
    cycle();

    assertEquals(3, reads);
  }

  /** Otherwise a leader would wait for rivals that the replica found while it did not lead. */
  @Test
  void remembersNothingOfAJudgment() {
    LastPublished published = memory.recall(Nodes.nothingPublished());
    Memory before = memory.known();

    Verdict judged = memory.judge(published, SPLIT);
    assertSame(before, memory.known());

    Verdict decided = memory.decide(published, SPLIT);
    assertEquals(judged.rule(), decided.rule());
    assertNotEquals(before, memory.known());
  }
}
