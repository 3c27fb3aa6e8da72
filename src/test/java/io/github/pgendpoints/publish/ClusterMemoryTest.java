package io.github.pgendpoints.publish;

import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.github.pgendpoints.topology.Damping;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ClusterMemoryTest {
  private static final Topology SPLIT = topology(primary("db1", 1), primary("db2", 1));

  private final ClusterMemory memory =
      new ClusterMemory(
          Memory.empty(Damping.none()),
          new DecisionSettings(
              new Quorum(1), new ReadOnlyRules(null, false, false), Duration.ofSeconds(7)),
          StateStore.none(),
          () -> 0,
          () -> {});

  /** A leader would take the rivals of a follower for its own, and wait for them. */
  @Test
  void remembersNothingOfAJudgment() {
    Published published = memory.recall(Nodes.nothingPublished());
    Memory before = memory.known();

    Verdict judged = memory.judge(published, SPLIT);
    assertSame(before, memory.known());

    Verdict decided = memory.decide(published, SPLIT);
    assertEquals(judged.rule(), decided.rule());
    assertNotEquals(before, memory.known());
  }
}
