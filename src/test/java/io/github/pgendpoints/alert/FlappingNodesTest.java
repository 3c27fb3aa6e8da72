package io.github.pgendpoints.alert;

import static io.github.pgendpoints.topology.Nodes.CLUSTER;
import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.startedAt;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.StandbyHysteresis;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Nodes that alternate between two states, with ten cycles a second. */
class FlappingNodesTest {
  private static final Set<String> STANDBYS = Set.of("10.0.0.2:5432", "10.0.0.3:5432");

  private Instant now = Nodes.AT;
  private final Conditions conditions =
      TestConditions.create(
          new Clock() {
            @Override
            public Instant instant() {
              return now;
            }

            @Override
            public ZoneId getZone() {
              return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
              return this;
            }
          });

  static Stream<Arguments> pairs() {
    return Stream.of(State.values())
        .flatMap(
            one ->
                Stream.of(State.values())
                    .filter(other -> other.compareTo(one) > 0)
                    .flatMap(
                        other ->
                            Stream.of(Set.of(1), Set.of(2), Set.of(2, 3), Set.of(1, 2, 3))
                                .map(hosts -> Arguments.of(one, other, hosts))));
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void areReportedOnceAsFlapping(State one, State other, Set<Integer> hosts) {
    List<Alert> alerts = new ArrayList<>();
    Memory memory = Memory.empty(new StandbyHysteresis(3, 1, Duration.ofSeconds(1)));
    Set<String> readOnly = STANDBYS;
    for (int cycle = 0; cycle < 1200; cycle++) {
      now = now.plusMillis(100);
      List<NodeState> states = new ArrayList<>();
      for (int host = 1; host <= 3; host++) {
        // Host n changes its state every n cycles.
        boolean first = (cycle / host) % 2 == 0;
        State state =
            hosts.contains(host) ? first ? one : other : host == 1 ? State.PRIMARY : State.STANDBY;
        states.add(node("10.0.0." + host, state));
      }
      LastPublished published = published(1, "10.0.0.1", readOnly);
      Topology topology = new Topology(states, now).identifiedBy(published);
      Decision.Outcome outcome =
          Decision.decide(
              published,
              memory,
              topology,
              new DecisionSettings(
                  new Quorum(2), new ReadOnlyRules(null, false, false), Duration.ofMinutes(1)));
      memory = outcome.memory();
      conditions.recordPublished(published);
      conditions.reportNodes(topology);
      conditions.reportVerdict(outcome.verdict(), "nothing is written");
      if (outcome.verdict().isVerified()) {
        Set<String> members =
            outcome.verdict().readOnly().members().stream()
                .map(NodeState::endpoint)
                .collect(Collectors.toSet());
        if (!members.equals(readOnly)) {
          conditions.reportWrite("pg-ro", "pg-ro now has " + members);
          readOnly = members;
        }
        conditions.recordPublication();
      }
      alerts.addAll(conditions.endCycle());
    }
    List<String> late =
        alerts.stream()
            .filter(alert -> alert.at().isAfter(Nodes.AT.plusSeconds(10)))
            .map(Alert::message)
            .toList();
    assertEquals(List.of(), late);
    assertTrue(alerts.size() <= 70, alerts.size() + " alerts");
    for (int host : hosts) {
      String name = "10.0.0." + host;
      assertTrue(
          alerts.stream()
              .filter(alert -> alert.subject().equals(name))
              .anyMatch(alert -> alert.message().contains("; flapping: 7 changes since ")),
          () -> name + ": " + alerts.stream().map(Alert::message).toList());
    }
  }

  private static NodeState node(String host, State state) {
    return switch (state) {
      case PRIMARY -> primary(host, 1);
      case STANDBY ->
          standby(host, new Server(CLUSTER, startedAt(host), 1L, Lsn.of("0/3000000"), true));
      case DOWN -> down(host);
      case UNKNOWN -> unknown(host);
      case FOREIGN -> standby(host, foreign(host));
    };
  }
}
