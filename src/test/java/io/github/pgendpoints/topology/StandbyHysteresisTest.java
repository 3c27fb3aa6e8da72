package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.primaryAt;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.standbyAt;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class StandbyHysteresisTest {
  private long millis;
  private StandbyHysteresis hysteresis = new StandbyHysteresis(2, 3, Duration.ofSeconds(1));

  @Test
  void missesAStandbyBrieflyUntilEnoughProbesInARowFailed() {
    see(standby("db2"));
    see(down("db2"));
    assertTrue(hysteresis.isMissedBriefly(down("db2")));
    see(down("db2"));
    assertFalse(hysteresis.isMissedBriefly(down("db2")));
  }

  @Test
  void countsOnlyFailuresInARow() {
    see(down("db2"));
    see(standby("db2"));
    see(down("db2"));
    assertTrue(hysteresis.isMissedBriefly(down("db2")));
  }

  @Test
  void countsProbesThatFollowEachOtherSoonOnce() {
    see(down("db2"));
    millis -= 900;
    see(down("db2"));
    assertTrue(hysteresis.isMissedBriefly(down("db2")));
    millis -= 50;
    see(down("db2"));
    assertFalse(hysteresis.isMissedBriefly(down("db2")), "a tick may come 5 % early");
  }

  /** A cycle that does not wait for a node's next probe uses the last one again. */
  @Test
  void countsAProbeOnceHoweverManyCyclesUseIt() {
    NodeState silent = down("db2");
    see(silent);
    see(silent);
    see(silent);
    assertTrue(hysteresis.isMissedBriefly(silent));
    see(down("db2"));
    assertFalse(hysteresis.isMissedBriefly(down("db2")));
  }

  /** With ten cycles a second, failures within one second count once. */
  @Test
  void doesNotCountFasterWhenNodesAreAskedMoreOften() {
    for (int tick = 0; tick < 10; tick++) {
      see(down("db2"));
      millis -= 900;
      assertTrue(hysteresis.isMissedBriefly(down("db2")), "after " + tick + " ticks");
    }
    see(down("db2"));
    assertFalse(hysteresis.isMissedBriefly(down("db2")));
  }

  @Test
  void countsNothingForANodeNobodyCanVerify() {
    see(down("db2"));
    see(unknown("db2"));
    see(unknown("db2"));
    assertTrue(hysteresis.isMissedBriefly(down("db2")));
  }

  @Test
  void seesAStandbyBrieflyUntilEnoughProbesInARowSucceeded() {
    see(standby("db2"));
    see(standby("db2"));
    assertTrue(hysteresis.isSeenBriefly(standby("db2")));
    see(standby("db2"));
    assertFalse(hysteresis.isSeenBriefly(standby("db2")));
  }

  @Test
  void knowsWhereANodeWasWhoseNameNoLongerResolves() {
    see(standby("10.0.0.2"));
    NodeState lost =
        NodeState.down(node("10.0.0.2"), null, Failure.OTHER, "the name does not resolve");

    assertEquals("10.0.0.2", hysteresis.located(lost).address());
    assertEquals(State.DOWN, hysteresis.located(lost).state());
  }

  @Test
  void remembersADivergedStandbyUntilItRestarts() {
    hysteresis = hysteresis.diverging(List.of(standbyAt("db2", "0/20")));
    assertTrue(hysteresis.isDiverged(standbyAt("db2", "0/20")));

    Server restarted = new Server(Nodes.CLUSTER, 7L, null, Lsn.of("0/20"), true);
    assertFalse(hysteresis.isDiverged(standby("db2", restarted)));
    assertFalse(hysteresis.isDiverged(standby("db3")));
  }

  /** The old primary came back alone, was refused, and stopped again. */
  @Test
  void acceptsAStandbyAheadOfAnUnverifiedPrimary() {
    hysteresis = hysteresis.observing(topology(primaryAt("db1", "0/10"), standbyAt("db2", "0/20")));
    assertFalse(hysteresis.isDiverged(standbyAt("db2", "0/20")));
  }

  @Test
  void forgetsNodesThatAreNoLongerListed() {
    see(down("db2"));
    see(standby("db3"));
    see(down("db2"));
    assertTrue(hysteresis.isMissedBriefly(down("db2")), "the first miss was of another list");
  }

  @Test
  void reportsHowLongANodeRefusesOurLoginAlone() {
    NodeState refusing = NodeState.unknown(node("db2"), "db2", Failure.LOGIN_REFUSED, "28P01");
    see(refusing);
    assertEquals(Duration.ZERO, hysteresis.refusedFor(refusing, Nodes.AT), "all of them refuse");
    for (int i = 0; i < 3; i++) {
      hysteresis =
          hysteresis.observing(
              new Topology(
                  List.of(standby("db3"), refusing), Nodes.AT.plus(Duration.ofMinutes(i))));
    }
    assertEquals(
        Duration.ofMinutes(2),
        hysteresis.refusedFor(refusing, Nodes.AT.plus(Duration.ofMinutes(2))));
  }

  @Test
  void isOffForOneCycle() {
    StandbyHysteresis none =
        StandbyHysteresis.none().observing(topology(down("db2"), standby("db3")));
    assertFalse(none.isMissedBriefly(down("db2")));
    assertFalse(none.isSeenBriefly(standby("db3")));
  }

  private void see(NodeState node) {
    hysteresis =
        hysteresis.observing(new Topology(List.of(node), Nodes.AT.plus(Duration.ofMillis(millis))));
    millis += 1000;
  }
}
