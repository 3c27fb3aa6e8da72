package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.primaryAt;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.standbyAt;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TopologyTest {
  private static final Server SERVER =
      new Server("7000000000000000001", 10L, 1L, Lsn.of("0/1"), false);

  @Test
  void keepsEveryNodeInTheOrderOfTheList() {
    Topology topology =
        Topology.of(
            List.of(node("db1"), node("db2"), node("db3")),
            List.of(standby("db3"), primary("db1", 1), down("db2")),
            Nodes.AT);

    assertEquals(
        "db1 is PRIMARY, db2 is DOWN (Connection refused), db3 is STANDBY", topology.toString());
  }

  @Test
  void isNeverMadeOfHalfTheNodes() {
    List<Node> expected = List.of(node("db1"), node("db2"));

    Exception lost =
        assertThrows(
            IllegalStateException.class,
            () -> Topology.of(expected, List.of(primary("db1", 1)), Nodes.AT));
    assertEquals("1 of 2 probes came back, 0 of them for db2", lost.getMessage());
    assertThrows(
        IllegalStateException.class,
        () ->
            Topology.of(expected, List.of(primary("db1", 1), down("db2"), down("db2")), Nodes.AT));
  }

  @Test
  void countsAServerThatIsListedTwiceOnceUnderItsFirstEntry() {
    Topology topology =
        topology(
            primary("db1", SERVER), primary("10.0.0.1", SERVER), standby("db2"), standby("db3"));

    assertEquals(List.of(primary("db1", SERVER)), topology.primaries());
    assertEquals(List.of(standby("db2"), standby("db3")), topology.standbys());
  }

  @Test
  void keepsServersApartThatDifferInOneOfTheTwoMarks() {
    Server restarted = new Server(SERVER.systemIdentifier(), 11L, 1L, Lsn.of("0/1"), false);
    Server foreign =
        new Server("7000000000000000002", SERVER.startedAt(), 1L, Lsn.of("0/1"), false);

    assertEquals(
        3,
        topology(primary("db1", SERVER), primary("db2", restarted), primary("db3", foreign))
            .primaries()
            .size());
  }

  @Test
  void treatsAServerPromotedBetweenTwoProbesAsAPrimaryOnly() {
    Topology topology = topology(standby("db1", SERVER), primary("10.0.0.1", SERVER));

    assertEquals(List.of(primary("10.0.0.1", SERVER)), topology.primaries());
    assertEquals(List.of(), topology.standbys());
  }

  @Test
  void countsNeitherDownNorUnknownAsAnything() {
    Topology topology = topology(down("db1"), unknown("db2"));

    assertEquals(List.of(), topology.primaries());
    assertEquals(List.of(), topology.standbys());
  }

  @Test
  void marksNodesOfAnotherClusterThanThePublishedOne() {
    Topology topology =
        topology(primary("db1", 1), primary("db2", foreign("db2")), standby("db3"))
            .identifiedBy(published(1, "db1"));

    assertEquals(List.of(primary("db1", 1)), topology.primaries());
    assertEquals(2, topology.reachable().size());
    assertEquals(
        "db2 is FOREIGN (a primary of system identifier 7000000000000000009, not"
            + " 7000000000000000001)",
        topology.foreign().get(0).toString());
    // As after a second probe of other nodes.
    assertEquals(topology, topology.identifiedBy(published(1, "db1")));
  }

  @Test
  void asksTheMajorityWhichClusterIsOursOnAFirstRun() {
    Topology two = topology(primary("db1", 1), standby("db2"), primary("db3", foreign("db3")));
    Topology one = topology(primary("db1", 1), down("db2"), primary("db3", foreign("db3")));

    assertFalse(two.identifiedBy(nothingPublished()).isOfSeveralClusters());
    assertEquals(1, two.identifiedBy(nothingPublished()).foreign().size());
    assertTrue(one.identifiedBy(nothingPublished()).isOfSeveralClusters());
    assertEquals(List.of(), one.identifiedBy(nothingPublished()).foreign());
  }

  @Test
  void countsAServerOnceInTheVoteHoweverOftenItIsListed() {
    Server foreign = foreign("db3");
    Topology topology =
        topology(
            primary("db1", 1), primary("db3", foreign), primary("10.0.0.3", foreign), down("db4"));

    assertTrue(topology.identifiedBy(nothingPublished()).isOfSeveralClusters());
    assertEquals(3, topology.listed(List.of(Set.of("10.0.0.3:5432", "db3:5432"))));
  }

  @Test
  void marksNobodyWhoseIdentifierIsNotTold() {
    Server noTimeline = new Server(null, 10L, 1L, null, false);

    assertEquals(
        List.of(primary("db1", noTimeline)),
        topology(primary("db1", noTimeline)).identifiedBy(published(1, "db1")).primaries());
  }

  @Test
  void looksAgainAtEveryEntryOfSeveralPrimaries() {
    Topology topology =
        topology(
            primary("db1", SERVER), primary("10.0.0.1", SERVER), primary("db2", 2), standby("db3"));

    assertEquals(List.of(node("db1"), node("10.0.0.1"), node("db2")), topology.contested());
    Topology moved =
        topology.updatedBy(
            List.of(
                standby("db1", SERVER),
                standby("10.0.0.1", SERVER),
                NodeState.unknown(node("db2"), "db2", Failure.OTHER, "out of memory")));
    assertEquals("[db2 is PRIMARY]", moved.primaries().toString());
  }

  @Test
  void keepsTheRoleOfAPrimaryThatIsUnknownTheSecondTime() {
    NodeState unknown = NodeState.unknown(node("db1"), "db1", Failure.LOGIN_REFUSED, "password");
    Topology kept =
        topology(primaryAt("db1", "0/10"), standbyAt("db2", "0/11")).updatedBy(List.of(unknown));

    assertEquals(List.of(primaryAt("db1", "0/10")), kept.primaries());
    assertEquals(Set.of(node("db1")), kept.unconfirmed());
  }

  @Test
  void acceptsThatAPrimaryIsGoneAfterTheSecondProbe() {
    NodeState silent = NodeState.down(node("db1"), "db1", Failure.SILENT, "no answer within 5 s");
    for (NodeState again : List.of(down("db1"), silent)) {
      Topology gone = topology(primary("db1", 1), primary("db2", 2)).updatedBy(List.of(again));

      assertEquals(List.of(primary("db2", 2)), gone.primaries());
      assertEquals(Set.of(), gone.unconfirmed());
    }
  }

  @Test
  void looksAgainAtAPrimaryThatAStandbyIsAheadOf() {
    assertEquals(
        List.of(node("db1")),
        topology(primaryAt("db1", "0/10"), standbyAt("db2", "0/11")).contested());
    assertEquals(
        List.of(), topology(primaryAt("db1", "0/10"), standbyAt("db2", "0/10")).contested());
    assertEquals(List.of(), topology(standby("db2"), down("db1")).contested());
  }

  @Test
  void knowsTheStandbysWithoutWhichNobodyIsReadFrom() {
    LastPublished published = published(1, "db1", Set.of("db2:5432", "db3:5432"));

    assertEquals(
        List.of(node("db2"), node("db3")),
        topology(primary("db1", 1), down("db2"), down("db3"), down("db4")).lostStandbys(published));
    assertEquals(
        List.of(),
        topology(primary("db1", 1), down("db2"), standby("db3")).lostStandbys(published));
    assertEquals(List.of(), topology(primary("db1", 1), down("db4")).lostStandbys(published));
  }

  @Test
  void knowsBothServersBetweenWhichWritesMove() {
    LastPublished published = published(1, "db1");

    assertEquals(
        List.of(node("db1"), node("db2")),
        topology(standby("db1"), primary("db2", 2), standby("db3")).moving(published));
    assertEquals(
        List.of(node("db2")),
        topology(down("db1"), primary("db2", 2), standby("db3")).moving(published));
    assertEquals(
        List.of(), topology(primary("10.0.0.9", SERVER), primary("db1", SERVER)).moving(published));
  }
}
