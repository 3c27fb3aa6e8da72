package io.github.pgendpoints.management;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Publishes the state of each node as gauges with the label {@code node}. */
final class NodeMetrics {
  private final MeterRegistry registry;
  private final List<NodeGauge> gauges = new ArrayList<>();

  // Written by one cycle at a time, and read by scrapes.
  private volatile Cycle last = new Cycle(Map.of(), null);

  /** What a cycle found; the verdict is null if it decided nothing. */
  private record Cycle(Map<Node, NodeState> nodes, Verdict verdict) {}

  /** The value of a gauge for a node. */
  @FunctionalInterface
  private interface Value {
    /** Returns null if there is no such value. */
    Long of(NodeState state, Verdict verdict);
  }

  NodeMetrics(MeterRegistry registry) {
    this.registry = registry;
    for (State any : State.values()) {
      gauge(
          "state",
          null,
          "1 for the state that the node is in",
          Tags.of("state", any.name().toLowerCase(Locale.ROOT)),
          (state, verdict) -> state.state() == any ? 1L : 0L);
    }
    gauge(
        "lag",
        "bytes",
        "WAL of the primary that the standby has yet to replay",
        Tags.empty(),
        (state, verdict) -> verdict == null ? null : verdict.lag(state));
    gauge(
        "timeline",
        null,
        "Timeline that the node writes or streams",
        Tags.empty(),
        (state, verdict) -> state.server() == null ? null : state.server().timeline());
    gauge(
        "receiver",
        null,
        "1 while the standby has a WAL receiver",
        Tags.empty(),
        (state, verdict) ->
            state.state() != State.STANDBY ? null : state.server().streaming() ? 1L : 0L);
  }

  private void gauge(String name, String unit, String help, Tags tags, Value value) {
    MultiGauge gauge =
        MultiGauge.builder("pgendpoints.node." + name)
            .description(help)
            .baseUnit(unit)
            .tags(tags)
            .register(registry);
    gauges.add(new NodeGauge(gauge, value));
  }

  /**
   * Updates the gauges after a cycle.
   *
   * @param verdict null when the cycle decided nothing
   */
  void update(Topology topology, Verdict verdict) {
    Map<Node, NodeState> nodes = new HashMap<>();
    topology.nodes().forEach(state -> nodes.put(state.node(), state));
    last = new Cycle(nodes, verdict);
    gauges.forEach(NodeGauge::update);
  }

  private final class NodeGauge {
    private final MultiGauge gauge;
    private final Value value;
    private Set<Node> shown = Set.of();

    NodeGauge(MultiGauge gauge, Value value) {
      this.gauge = gauge;
      this.value = value;
    }

    /** Replaces the rows if the nodes have changed; a row reads its value itself. */
    void update() {
      Set<Node> nodes =
          last.nodes().keySet().stream()
              .filter(node -> value(node) != null)
              .collect(Collectors.toSet());
      if (!nodes.equals(shown)) {
        gauge.register(nodes.stream().<Row<?>>map(this::row).toList());
        shown = nodes;
      }
    }

    private Row<?> row(Node node) {
      return Row.of(
          Tags.of("node", node.name()),
          NodeMetrics.this,
          metrics -> {
            Long number = value(node);
            return number == null ? Double.NaN : number;
          });
    }

    /** Null also for a node that is no longer listed: its row is in use until it is replaced. */
    private Long value(Node node) {
      Cycle now = last;
      NodeState state = now.nodes().get(node);
      return state == null ? null : value.of(state, now.verdict());
    }
  }
}
