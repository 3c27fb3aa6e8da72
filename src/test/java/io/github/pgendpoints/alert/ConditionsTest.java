package io.github.pgendpoints.alert;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Topology;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConditionsTest {
  private final Conditions conditions = new Conditions(5432);

  @Test
  void saysAnUnchangedTopologyOnce() {
    assertEquals(
        List.of("INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
    assertEquals(List.of(), verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  @Test
  void saysWhatANodeBecame() {
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"));

    assertEquals(
        List.of(
            "WARN 10.0.0.2 is DOWN (Connection refused), was STANDBY",
            "INFO topology verified: primary:10.0.0.1;standbys:"),
        verified(primary("10.0.0.1", 1), down("10.0.0.2")));
    assertEquals(
        List.of("WARN 10.0.0.2 is UNKNOWN (FATAL: too many connections), was DOWN"),
        verified(primary("10.0.0.1", 1), unknown("10.0.0.2")));
    assertEquals(
        List.of(
            "INFO 10.0.0.2 is STANDBY, was UNKNOWN",
            "INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  @Test
  void namesEveryPrimaryOfASplitBrain() {
    Topology split = topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2), standby("10.0.0.3"));
    conditions.multiplePrimaries(split, List.of());

    assertEquals(
        List.of(
            "ERROR multiple primaries, nothing is written:"
                + " 10.0.0.1 at 10.0.0.1 (system identifier 7000000000000000001, timeline 1, LSN 0/3000060),"
                + " 10.0.0.2 at 10.0.0.2 (system identifier 7000000000000000001, timeline 2, LSN 0/3000060)"),
        news());
    conditions.multiplePrimaries(split, List.of());
    assertEquals(List.of(), news());
  }

  @Test
  void namesEveryNodeWhenThereIsNoPrimary() {
    Topology none = topology(down("10.0.0.1"), standby("10.0.0.2"), unknown("10.0.0.3"));
    conditions.noPrimary(none);

    assertEquals(
        List.of(
            "ERROR no primary, nothing is written: 10.0.0.1 is DOWN (Connection refused),"
                + " 10.0.0.2 is STANDBY, 10.0.0.3 is UNKNOWN (FATAL: too many connections)"),
        news());
  }

  @Test
  void doesNotRepeatARefusalWhoseReasonsVary() {
    conditions.noPrimary(topology(NodeState.down(down("db1").node(), null, "refused")));
    news();
    conditions.noPrimary(topology(NodeState.down(down("db1").node(), null, "timed out")));

    assertEquals(List.of(), news());
  }

  @Test
  void saysARefusalAgainWhenItsNodesAreOthers() {
    conditions.noPrimary(topology(down("10.0.0.1"), standby("10.0.0.2")));
    news();
    conditions.noPrimary(topology(down("10.0.0.1"), down("10.0.0.2")));

    assertEquals(1, news().size());
  }

  @Test
  void saysWhenItIsOver() {
    conditions.noPrimary(topology(standby("10.0.0.1")));
    conditions.publishFailed("the Kubernetes API at h:1 said no (403): why");
    news();

    assertEquals(
        List.of(
            "INFO topology verified: primary:10.0.0.1;standbys:",
            "INFO over: no primary, nothing is written: 10.0.0.1 is STANDBY",
            "INFO over: the Kubernetes API at h:1 said no (403): why"),
        verified(primary("10.0.0.1", 2)));
  }

  private List<String> verified(NodeState... states) {
    Topology topology = topology(states);
    conditions.observed(topology);
    conditions.verified(topology, new ReadOnly(topology.standbys(), null, Map.of()));
    return news();
  }

  private List<String> news() {
    return conditions.news().stream()
        .map(alert -> alert.severity() + " " + alert.message())
        .toList();
  }
}
