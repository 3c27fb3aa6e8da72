package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.PORT;
import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.primaryAt;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.standbyAt;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReadOnlyRulesTest {
  private static final ReadOnlyRules DEFAULT = new ReadOnlyRules(null, false, false);
  private static final ReadOnlyRules LAG = new ReadOnlyRules(0x100L, false, false);
  private static final NodeState PRIMARY = primaryAt("10.0.0.1", "0/1000");

  @ParameterizedTest(name = "replayed {0} and {1}, read from {2}: read from {3}")
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        // A member of RO leaves when it is more than 0x100 bytes behind.
        "0/F00 | 0/1000 | 2,3 | 2,3",
        "0/EFF | 0/1000 | 2,3 | 3",
        // A standby enters RO when it is less than 0x80 bytes behind.
        "0/F80 | 0/1000 | 3 | 3",
        "0/F81 | 0/1000 | 3 | 2,3",
        // Lag alone never empties the Service.
        "0/100 | 0/200 | 2,3 | 3",
        "0/100 | 0/200 | -   | 3",
        "0/300 | 0/200 | 3   | 2",
      })
  void leavesOutWhoIsTooFarBehind(String two, String three, String now, String expected) {
    Topology topology = topology(PRIMARY, standbyAt("10.0.0.2", two), standbyAt("10.0.0.3", three));

    assertEquals(addresses(expected), members(LAG, topology, addresses(now)));
  }

  @Test
  void ignoresALeadThatTheTimeBetweenTwoProbesExplains() {
    Server noTimeline = new Server(Nodes.CLUSTER, 5L, null, null, true);

    assertEquals(
        addresses("2"), members(LAG, topology(PRIMARY, standby("10.0.0.2", noTimeline)), Set.of()));
  }

  @Test
  void leavesOutAStandbyOnAnotherHistory() {
    StandbyHysteresis hysteresis = StandbyHysteresis.none();
    Topology ahead = topology(PRIMARY, standbyAt("10.0.0.2", "0/1001"));

    assertEquals(
        Map.of(
            node("10.0.0.2"), "diverged: it replayed 0/1001, and the primary has written 0/1000"),
        pick(DEFAULT, ahead, published(1, "10.0.0.1"), hysteresis).leftOut());
    // The primary's position passes the standby's, which is still on another history.
    assertEquals(
        List.of(),
        pick(
                DEFAULT,
                topology(primaryAt("10.0.0.1", "0/2000"), standbyAt("10.0.0.2", "0/1001")),
                published(1, "10.0.0.1"),
                hysteresis.diverging(ahead.standbys()))
            .members());
  }

  @Test
  void leavesOutAStandbyThatStreamsALowerTimeline() {
    NodeState primary =
        Nodes.primary("10.0.0.1", new Server(Nodes.CLUSTER, 1L, 3L, Lsn.of("0/9"), false));

    assertEquals(Set.of(), members(DEFAULT, topology(primary, streaming(2L)), addresses("2")));
    assertEquals(addresses("2"), members(DEFAULT, topology(primary, streaming(3L)), Set.of()));
    assertEquals(
        addresses("2"),
        members(DEFAULT, topology(primary, streaming(null)), Set.of()),
        "a role without pg_monitor is not told");
  }

  private static NodeState streaming(Long timeline) {
    return standby(
        "10.0.0.2",
        Servers.between(
            "10.0.0.9:5432",
            Set.of(),
            new Server(Nodes.CLUSTER, 2L, timeline, Lsn.of("0/9"), true)));
  }

  @Test
  void keepsAStandbyThatHasNotFollowedANewPrimaryYet() {
    NodeState orphan =
        standby("10.0.0.2", new Server(Nodes.CLUSTER, 2L, null, Lsn.of("0/9"), false));

    assertEquals(addresses("2"), members(DEFAULT, topology(PRIMARY, orphan), addresses("2")));
    assertEquals(
        Set.of(),
        members(new ReadOnlyRules(null, true, false), topology(PRIMARY, orphan), addresses("2")));
  }

  @Test
  void keepsAnUnverifiableStandbyPublished() {
    Topology topology = topology(PRIMARY, unknown("10.0.0.2"), unknown("10.0.0.3"));

    assertEquals(addresses("3"), members(DEFAULT, topology, addresses("3")));
  }

  @Test
  void dropsADownStandbyAtOnceInASingleRunOnly() {
    Topology topology = topology(PRIMARY, down("10.0.0.2"), standbyAt("10.0.0.3", "0/1000"));
    StandbyHysteresis hysteresis = new StandbyHysteresis(2, 1, Duration.ZERO).observing(topology);

    assertEquals(addresses("3"), members(DEFAULT, topology, addresses("2,3")));
    assertEquals(addresses("2,3"), members(topology, addresses("2,3"), hysteresis));
    hysteresis =
        hysteresis.observing(topology(PRIMARY, down("10.0.0.2"), standbyAt("10.0.0.3", "0/1000")));
    assertEquals(addresses("3"), members(topology, addresses("2,3"), hysteresis));
  }

  @Test
  void doesNotTakeTheLastPrimaryForAStandbyThatIsMissedBriefly() {
    Topology topology = topology(down("10.0.0.1"), primaryAt("10.0.0.2", "0/1"));
    StandbyHysteresis hysteresis = new StandbyHysteresis(2, 1, Duration.ZERO).observing(topology);

    assertEquals(Set.of(), members(topology, addresses("1"), hysteresis));
  }

  @Test
  void waitsUntilANewStandbyWasSeenOften() {
    Topology topology =
        topology(PRIMARY, standbyAt("10.0.0.2", "0/1000"), standbyAt("10.0.0.3", "0/1000"));
    StandbyHysteresis hysteresis = new StandbyHysteresis(1, 2, Duration.ZERO).observing(topology);

    assertEquals(addresses("3"), members(topology, addresses("3"), hysteresis));
    hysteresis =
        hysteresis.observing(
            topology(PRIMARY, standbyAt("10.0.0.2", "0/1000"), standbyAt("10.0.0.3", "0/1000")));
    assertEquals(addresses("2,3"), members(topology, addresses("3"), hysteresis));
  }

  @Test
  void fallsBackToThePrimaryOnlyWhenItIsToldTo() {
    Topology alone = topology(PRIMARY, down("10.0.0.2"));
    ReadOnlyRules fallback = new ReadOnlyRules(null, false, true);

    assertEquals(Set.of(), members(DEFAULT, alone, Set.of()));
    assertEquals(addresses("1"), members(fallback, alone, Set.of()));
    assertEquals(
        List.of(),
        pick(fallback, alone, published(1, "10.0.0.1"), observed(alone)).standbys(),
        "it is not stored as a standby");
    Topology two = topology(PRIMARY, standbyAt("10.0.0.2", "0/1000"));
    assertNull(pick(fallback, two, published(1, "10.0.0.1"), observed(two)).fallback());
  }

  private static Set<String> members(ReadOnlyRules rules, Topology topology, Set<String> now) {
    return members(rules, topology, now, observed(topology));
  }

  /** Returns what a run of one cycle has observed. */
  private static StandbyHysteresis observed(Topology topology) {
    return StandbyHysteresis.none().observing(topology);
  }

  private static Set<String> members(
      Topology topology, Set<String> now, StandbyHysteresis hysteresis) {
    return members(DEFAULT, topology, now, hysteresis);
  }

  private static Set<String> members(
      ReadOnlyRules rules, Topology topology, Set<String> now, StandbyHysteresis hysteresis) {
    return pick(rules, topology, published(1, "10.0.0.1", now), hysteresis).members().stream()
        .map(NodeState::endpoint)
        .collect(Collectors.toSet());
  }

  private static ReadOnly pick(
      ReadOnlyRules rules,
      Topology topology,
      LastPublished published,
      StandbyHysteresis hysteresis) {
    NodeState primary = topology.primaries().get(0);
    Map<Node, StandbyClass> classes = new HashMap<>();
    topology
        .standbys()
        .forEach(
            standby ->
                classes.put(
                    standby.node(),
                    TableRow.first(
                        StandbyCase.TABLE, new StandbyCase(standby, primary, topology))));
    return rules.pick(topology, primary, classes, published, hysteresis);
  }

  /** Returns the endpoints with these last numbers; none if the text is null. */
  private static Set<String> addresses(String numbers) {
    return numbers == null
        ? Set.of()
        : Arrays.stream(numbers.split(","))
            .map(number -> "10.0.0." + number + ":" + PORT)
            .collect(Collectors.toSet());
  }
}
