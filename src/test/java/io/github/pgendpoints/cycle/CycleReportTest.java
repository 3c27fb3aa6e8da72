package io.github.pgendpoints.cycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.publish.ClientCheck.Observation;
import io.github.pgendpoints.publish.Mismatch;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Topology;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CycleReportTest {
  private final Conditions conditions = TestConditions.create();
  private final Cluster cluster = TestCluster.probing(null, null, conditions);

  /** After a restart or in a new term, the first comparison may be seconds away. */
  @Test
  void aMismatchIsNotOverUntilClientsAreCompared() {
    messages(new Mismatch("pg-rw", Set.of("10.0.0.9:5432"), List.of("slice x adds 10.0.0.9")));

    assertEquals(List.of(), messages());

    ObservedService nothing = new ObservedService(null, List.of());
    cluster.clients().compare(List.of(new Observation("pg-rw", nothing)));
    assertEquals(
        List.of("over: clients of pg-rw see other addresses than those written"), messages());
  }

  private List<String> messages(Mismatch... mismatches) {
    Topology topology = Nodes.topology(Nodes.primary("10.0.0.1", 1));
    Result result =
        new Result(
            Outcome.VERIFIED,
            true,
            false,
            Duration.ZERO,
            null,
            null,
            null,
            topology,
            Nodes.verdict(topology, Nodes.nothingPublished()),
            List.of(mismatches));
    return new CycleReport(cluster, new Cycle(null, true, 0), result)
        .alerts().stream().map(Alert::message).toList();
  }
}
