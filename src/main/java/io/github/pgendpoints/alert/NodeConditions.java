package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.alert.Conditions.Stage;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Reports when a node changes its state, and when it leaves or enters the read-only Service. */
final class NodeConditions {
  private final ConditionTracker tracker;
  private final OpenConditions troubles = new OpenConditions("node ", Stage.ASKED);
  private final OpenConditions leftOut = new OpenConditions("read from ", Stage.PUBLISHED);
  private Map<String, State> lastStates = Map.of();

  NodeConditions(ConditionTracker tracker) {
    this.tracker = tracker;
  }

  ConditionsSnapshot snapshot(
      String signature,
      String verified,
      Map<String, OpenCondition> lasting,
      Set<String> degradations) {
    return new ConditionsSnapshot(
        signature, verified, lastStates, lasting, troubles.open, leftOut.open, degradations);
  }

  /** Continues where another process ended. */
  void restore(ConditionsSnapshot snapshot) {
    lastStates = snapshot.states();
    troubles.restore(snapshot.troubles());
    leftOut.restore(snapshot.leftOut());
  }

  /** Reports each node whose state has changed. */
  void report(Topology topology) {
    Map<String, State> states = new LinkedHashMap<>();
    for (NodeState node : topology.nodes()) {
      String name = node.node().name();
      State before = lastStates.get(name);
      states.put(name, node.state());
      if (node.state() == before) {
        troubles.repeat(name, node.toString());
      } else if (node.state() == State.FOREIGN) {
        troubles.end(name);
      } else if (before != null || node.server() == null) {
        String was = before == null ? "" : ", was " + before;
        State state = node.state();
        troubles.change(kind(node, before), name, name + " is " + state, node + was, state.name());
      }
    }
    troubles.retain(states.keySet());
    lastStates = states;
  }

  private Kind kind(NodeState node, State before) {
    return switch (node.state()) {
      case DOWN -> before == State.STANDBY ? Kind.STANDBY_LOST : Kind.NODE_DOWN;
      case UNKNOWN -> Kind.NODE_UNKNOWN;
      case STANDBY ->
          troubles.open.containsKey(node.node().name()) ? Kind.STANDBY_BACK : Kind.NODE_CHANGED;
      case PRIMARY, FOREIGN -> Kind.NODE_CHANGED;
    };
  }

  /** Reports each standby that leaves the read-only Service, or returns to it. */
  void report(ReadOnly readOnly) {
    readOnly
        .leftOut()
        .forEach(
            (node, why) -> {
              String headline = "standby %s is not read from".formatted(node);
              String message = headline + ": " + why;
              if (leftOut.open.containsKey(node.name())) {
                leftOut.repeat(node.name(), message);
              } else {
                leftOut.change(Kind.STANDBY_LEFT_OUT, node.name(), headline, message, "left out");
              }
            });
    for (NodeState standby : readOnly.standbys()) {
      String name = standby.node().name();
      if (leftOut.open.containsKey(name)) {
        String message = "standby %s is read from".formatted(name);
        leftOut.change(Kind.STANDBY_BACK, name, message, message, "back");
      }
    }
    leftOut.retain(
        readOnly.leftOut().keySet().stream().map(Node::name).collect(Collectors.toSet()));
  }

  /** Open conditions of one kind, at most one per node, by the name of the node. */
  private final class OpenConditions {
    private final Map<String, OpenCondition> open = new LinkedHashMap<>();
    private final String topic;
    private final Stage provenBy;

    OpenConditions(String topic, Stage provenBy) {
      this.topic = topic;
      this.provenBy = provenBy;
    }

    void restore(Map<String, OpenCondition> stored) {
      open.clear();
      open.putAll(stored);
    }

    /** Reports a change of a node, which ends its open condition. */
    void change(Kind kind, String name, String headline, String message, String change) {
      Instant now = tracker.now();
      OpenCondition ended = open.remove(name);
      boolean begins =
          switch (kind) {
            case STANDBY_LOST, NODE_DOWN, NODE_UNKNOWN, STANDBY_LEFT_OUT -> true;
            default -> false;
          };
      Phase phase = begins ? Phase.BEGAN : ended == null ? Phase.HAPPENED : Phase.OVER;
      tracker
          .drafts()
          .add(
              new AlertDraft(
                  kind,
                  begins ? Severity.WARN : Severity.INFO,
                  phase,
                  ended == null ? null : ended.kind(),
                  name,
                  message,
                  now,
                  topic + name,
                  change));
      if (begins) {
        open.put(name, new OpenCondition(kind, name, headline, message, provenBy, now, now));
      }
    }

    void repeat(String name, String message) {
      open.computeIfPresent(
          name, (key, last) -> tracker.repeat(last, Severity.WARN, message, topic + name));
    }

    void end(String name) {
      OpenCondition ended = open.remove(name);
      if (ended != null) {
        tracker.end(ended, topic + name);
      }
    }

    /** Ends the open conditions of all other nodes. */
    void retain(Set<String> names) {
      List.copyOf(open.keySet()).stream().filter(name -> !names.contains(name)).forEach(this::end);
    }
  }
}
