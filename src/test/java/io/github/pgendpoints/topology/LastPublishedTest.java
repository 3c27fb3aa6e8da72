package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.published;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LastPublishedTest {
  private static final List<Node> NODES =
      List.of(node("10.0.0.1"), node("10.0.0.2"), node("10.0.0.3"), node("10.0.0.4"));

  @Test
  void nodesPublishedLastAreProbedFirst() {
    LastPublished published = published(1, "10.0.0.4", Set.of("10.0.0.3:5432"));

    assertEquals(
        List.of(NODES.get(3), NODES.get(2), NODES.get(0), NODES.get(1)),
        published.servedFirst(NODES));
  }

  @Test
  void keepsTheOrderOfTheListWhereNothingIsKnown() {
    assertEquals(NODES, nothingPublished().servedFirst(NODES));
  }
}
