package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class RivalsTest {
  private static final Topology SPLIT = topology(primary("db1", 1), primary("db2", 2));

  private final Rivals rivals = new Rivals();

  @Test
  void aNodeThatCannotBeVerifiedIsNoneUnlessItWasAPrimaryBesideAnother() {
    assertEquals(List.of(), rivals.of(topology(primary("db1", 1), unknown("db2"))));
  }

  @Test
  void aPrimaryThatCannotBeVerifiedStaysOne() {
    assertEquals(List.of(), rivals.of(SPLIT));

    Topology unverified = topology(primary("db1", 1), unknown("db2"));
    assertEquals(List.of(unknown("db2")), rivals.of(unverified));
    assertEquals(List.of(unknown("db2")), rivals.of(unverified));
  }

  @Test
  void itEndsWhenTheOtherIsAStandbyOrNobodyIsThere() {
    rivals.of(SPLIT);
    assertEquals(List.of(), rivals.of(topology(standby("db1"), primary("db2", 2))));
    assertEquals(List.of(), rivals.of(topology(unknown("db1"), primary("db2", 2))));

    rivals.of(SPLIT);
    assertEquals(List.of(), rivals.of(topology(down("db1"), primary("db2", 2))));
    assertEquals(List.of(), rivals.of(topology(unknown("db1"), primary("db2", 2))));
  }

  @Test
  void itDoesNotEndWhileNoPrimaryIsInSight() {
    rivals.of(SPLIT);
    rivals.of(topology(down("db1"), down("db2")));
    assertEquals(List.of(unknown("db1")), rivals.of(topology(unknown("db1"), primary("db2", 2))));
  }
}
