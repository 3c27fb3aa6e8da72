package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.published;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import org.junit.jupiter.api.Test;

class MultiAddressEntriesTest {
  private static final Node DB = node("db");
  private static final Node OTHER = node("10.0.0.9");
  private static final Server ONE = new Server("7001", 10L, 1L, Lsn.of("0/10"), true);
  private static final Server TWO = new Server("7001", 20L, 1L, Lsn.of("0/10"), true);

  private final MultiAddressEntries names = new MultiAddressEntries();
  private LastPublished published = published(1, "10.0.0.1");

  private List<Rival> rivals = List.of();

  @Test
  void anEntryWithOneAddressIsANode() {
    assertEquals(List.of(down("10.0.0.9", OTHER)), joined(List.of(OTHER), down("10.0.0.9", OTHER)));
  }

  @Test
  void theAddressesOfOneServerAreOneNodeWhereItAnswers() {
    assertEquals(
        List.of(standby("2001:db8::1", DB, ONE)),
        joined(List.of(DB), down("10.0.0.1"), standby("2001:db8::1", ONE)));
    assertEquals(
        List.of(standby("10.0.0.2", DB, ONE)),
        joined(List.of(DB), standby("10.0.0.2", ONE), standby("2001:db8::1", ONE)));
  }

  @Test
  void aNodeStaysAtThePublishedAddressWhileItAnswers() {
    published = published(1, "10.0.0.3");

    assertEquals(
        List.of(standby("10.0.0.3", DB, ONE)),
        joined(List.of(DB), standby("10.0.0.2", ONE), standby("10.0.0.3", ONE)));
    assertEquals(
        List.of(standby("10.0.0.2", DB, ONE)),
        joined(List.of(DB), standby("10.0.0.2", ONE), down("10.0.0.3")));
  }

  @Test
  void theAddressesOfSeveralServersAreANodeEach() {
    assertEquals(
        List.of(standby("10.0.0.1", ONE), standby("10.0.0.2", TWO), down("10.0.0.3")),
        joined(List.of(DB), standby("10.0.0.1", ONE), standby("10.0.0.2", TWO), down("10.0.0.3")));
  }

  @Test
  void severalServersStaySeveralNodesWhenOnlyOneAnswers() {
    joined(List.of(DB), standby("10.0.0.1", ONE), standby("10.0.0.2", TWO));

    assertEquals(
        List.of(standby("10.0.0.1", ONE), down("10.0.0.2")),
        joined(List.of(DB), standby("10.0.0.1", ONE), down("10.0.0.2")));
  }

  @Test
  void anAddressThatWasARivalStaysANodeInTheNextProcess() {
    rivals = List.of(new Rival("10.0.0.2:5432", DB.at("10.0.0.2").name(), Nodes.AT, null, false));

    assertEquals(
        List.of(standby("10.0.0.1", ONE), down("10.0.0.2")),
        joined(List.of(DB), standby("10.0.0.1", ONE), down("10.0.0.2")));
  }

  @Test
  void serversThatDoNotTellWhoTheyAreAreSeveral() {
    Server noTimeline = new Server(null, null, 1L, null, true);

    assertEquals(
        List.of(standby("10.0.0.1", noTimeline), standby("10.0.0.2", noTimeline)),
        joined(List.of(DB), standby("10.0.0.1", noTimeline), standby("10.0.0.2", noTimeline)));
  }

  @Test
  void aNodeIsUnknownWhereOneOfItsAddressesIs() {
    NodeState refused =
        NodeState.unknown(DB.at("10.0.0.2"), "10.0.0.2", Failure.LOGIN_REFUSED, "password");

    assertEquals(
        List.of(
            NodeState.unknown(
                DB, "10.0.0.2", Failure.LOGIN_REFUSED, "10.0.0.1: no, 10.0.0.2: password")),
        joined(List.of(DB), down("10.0.0.1"), refused));
    assertEquals(
        "[db is DOWN (10.0.0.1: no, 10.0.0.3: no)]",
        joined(List.of(DB), down("10.0.0.1"), down("10.0.0.3")).toString());
  }

  @Test
  void aNodeIsNewOnlyOnceOneOfItsAddressesWasAskedAgain() {
    NodeState first = down("10.0.0.1");
    NodeState second = down("10.0.0.3");
    NodeState before = joined(List.of(DB), first, second).get(0);

    assertSame(before, joined(List.of(DB), first, second).get(0));
    assertNotSame(before, joined(List.of(DB), first, down("10.0.0.3")).get(0));
  }

  private List<NodeState> joined(List<Node> entries, NodeState... states) {
    return names.joined(entries, List.of(states), published, rivals);
  }

  private static NodeState standby(String address, Server server) {
    return standby(address, DB.at(address), server);
  }

  private static NodeState standby(String address, Node node, Server server) {
    return NodeState.answered(node, State.STANDBY, address, server);
  }

  private static NodeState down(String address) {
    return down(address, DB.at(address));
  }

  private static NodeState down(String address, Node node) {
    return NodeState.down(node, address, Failure.OTHER, "no");
  }
}
