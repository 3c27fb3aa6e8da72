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
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** What each node is, as gauges with the label {@code node}. */
final class NodeMetrics {
  private final MultiGauge states;
  private final MultiGauge lags;
  private final MultiGauge timelines;
  private final MultiGauge receivers;

  private Shown shown = new Shown(Set.of(), Set.of(), Set.of(), Set.of());

  // Written by the cycles, one at a time, and read by those who scrape.
  private volatile Map<Node, NodeState> nodes = Map.of();
  private volatile Map<Node, Long> lagOf = Map.of();

  /** The nodes of each gauge. */
  private record Shown(Set<Node> nodes, Set<Node> lags, Set<Node> timelines, Set<Node> receivers) {}

  NodeMetrics(MeterRegistry registry) {
    states = gauge(registry, "state", null, "1 for the state that the node is in");
    lags = gauge(registry, "lag", "bytes", "WAL of the primary that the standby has yet to replay");
    timelines = gauge(registry, "timeline", null, "Timeline that the node writes or streams");
    receivers = gauge(registry, "receiver", null, "1 while the standby has a WAL receiver");
  }

  private static MultiGauge gauge(MeterRegistry registry, String name, String unit, String help) {
    return MultiGauge.builder("pgendpoints.node." + name)
        .description(help)
        .baseUnit(unit)
        .register(registry);
  }

  /**
   * Shows another cycle.
   *
   * @param verdict null when the cycle decided nothing
   */
  void update(Topology topology, Verdict verdict) {
    Map<Node, NodeState> now = new HashMap<>();
    Map<Node, Long> lagNow = new HashMap<>();
    for (NodeState state : topology.nodes()) {
      now.put(state.node(), state);
      Long lag = verdict == null ? null : verdict.lag(state);
      if (lag != null) {
        lagNow.put(state.node(), lag);
      }
    }
    nodes = now;
    lagOf = lagNow;
    Shown wanted =
        new Shown(
            Set.copyOf(now.keySet()),
            Set.copyOf(lagNow.keySet()),
            of(topology, state -> timeline(state) != null),
            of(topology, state -> state.state() == State.STANDBY));
    // The gauges look into the maps: they are made anew only where there are others.
    if (!wanted.equals(shown)) {
      show(wanted);
      shown = wanted;
    }
  }

  private static Set<Node> of(Topology topology, Predicate<NodeState> condition) {
    return topology.nodes().stream()
        .filter(condition)
        .map(NodeState::node)
        .collect(Collectors.toSet());
  }

  private void show(Shown wanted) {
    List<Row<?>> rows = new ArrayList<>();
    for (Node node : wanted.nodes()) {
      for (State any : State.values()) {
        rows.add(
            Row.of(
                tags(node).and("state", any.name().toLowerCase(Locale.ROOT)),
                this,
                metrics -> metrics.nodes.get(node).state() == any ? 1 : 0));
      }
    }
    states.register(rows);
    show(lags, wanted.lags(), node -> lagOf.get(node));
    show(timelines, wanted.timelines(), node -> timeline(nodes.get(node)));
    show(receivers, wanted.receivers(), node -> receiver(nodes.get(node)));
  }

  private void show(MultiGauge gauge, Set<Node> of, Function<Node, Long> value) {
    gauge.register(
        of.stream()
            .<Row<?>>map(node -> Row.of(tags(node), this, metrics -> value(value.apply(node))))
            .toList());
  }

  private static Tags tags(Node node) {
    return Tags.of("node", node.name());
  }

  private static Long timeline(NodeState state) {
    return state.server() == null ? null : state.server().timeline();
  }

  private static Long receiver(NodeState state) {
    return state.server() == null ? null : state.server().streaming() ? 1L : 0L;
  }

  private static double value(Long number) {
    return number == null ? Double.NaN : number;
  }
}
