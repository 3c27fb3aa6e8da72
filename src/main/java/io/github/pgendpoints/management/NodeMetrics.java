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

/** What each node is, as gauges with the label {@code node}. */
final class NodeMetrics {
  private final MultiGauge states;
  private final MultiGauge lags;
  private final MultiGauge timelines;
  private final MultiGauge receivers;

  // Written by the cycles, one at a time, and read by those who scrape.
  private volatile Map<Node, NodeState> nodes = Map.of();
  private volatile Map<Node, Long> lagOf = Map.of();

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
    List<Row<?>> stateRows = new ArrayList<>();
    List<Row<?>> lagRows = new ArrayList<>();
    List<Row<?>> timelineRows = new ArrayList<>();
    List<Row<?>> receiverRows = new ArrayList<>();
    for (NodeState state : topology.nodes()) {
      Node node = state.node();
      Tags tags = Tags.of("node", node.name());
      now.put(node, state);
      for (State any : State.values()) {
        stateRows.add(
            Row.of(
                tags.and("state", any.name().toLowerCase(Locale.ROOT)),
                this,
                metrics -> metrics.nodes.get(node).state() == any ? 1 : 0));
      }
      Long lag = verdict == null ? null : verdict.lag(state);
      if (lag != null) {
        lagNow.put(node, lag);
        lagRows.add(Row.of(tags, this, metrics -> value(metrics.lagOf.get(node))));
      }
      if (timeline(state) != null) {
        timelineRows.add(Row.of(tags, this, metrics -> value(timeline(metrics.nodes.get(node)))));
      }
      if (state.state() == State.STANDBY) {
        receiverRows.add(Row.of(tags, this, metrics -> value(receiver(metrics.nodes.get(node)))));
      }
    }
    nodes = now;
    lagOf = lagNow;
    states.register(stateRows);
    lags.register(lagRows);
    timelines.register(timelineRows);
    receivers.register(receiverRows);
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
