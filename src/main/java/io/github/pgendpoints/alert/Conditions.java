package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Remembers from one cycle to the next what has been said, so that a thing is said when it begins
 * and when it ends, and not once a cycle. Used by one cycle at a time.
 */
public final class Conditions {
  private final int defaultPort;
  private final List<Alert> events = new ArrayList<>();
  private final Map<String, Alert> current = new LinkedHashMap<>();
  private Map<String, Alert> lasting = Map.of();
  private Map<String, NodeState> lastStates = Map.of();
  private String lastSignature = "";

  /**
   * @param defaultPort PGPORT: the one that signatures leave out
   */
  public Conditions(int defaultPort) {
    this.defaultPort = defaultPort;
  }

  /** Notes what the nodes are; a node in another state than before is news. */
  public void observed(Topology topology) {
    Map<String, NodeState> states = new LinkedHashMap<>();
    for (NodeState node : topology.nodes()) {
      NodeState before = lastStates.get(node.node().name());
      states.put(node.node().name(), node);
      boolean healthy = node.state() == State.PRIMARY || node.state() == State.STANDBY;
      if (before == null ? !healthy : before.state() != node.state()) {
        String was = before == null ? "" : ", was " + before.state();
        event(Kind.NODE, healthy ? Severity.INFO : Severity.WARN, node + was);
      }
    }
    lastStates = states;
  }

  /** Notes that the topology passed the rules of verification. */
  public void verified(Topology topology) {
    String signature = Signature.of(topology, defaultPort);
    if (!signature.equals(lastSignature)) {
      event(Kind.TOPOLOGY, Severity.INFO, "topology verified: " + signature);
    }
    lastSignature = signature;
  }

  /** Notes a refusal: more than one primary. */
  public void multiplePrimaries(Topology topology) {
    String primaries =
        topology.primaries().stream()
            .map(
                primary ->
                    "%s at %s (system identifier %s, timeline %s, LSN %s)"
                        .formatted(
                            primary.node(),
                            primary.address(),
                            primary.server().systemIdentifier(),
                            primary.server().timeline(),
                            primary.server().lsn()))
            .collect(Collectors.joining(", "));
    refused(
        Kind.MULTIPLE_PRIMARIES, "multiple primaries, nothing is written: " + primaries, topology);
  }

  /** Notes a refusal: no primary. */
  public void noPrimary(Topology topology) {
    refused(Kind.NO_PRIMARY, "no primary, nothing is written: " + topology, topology);
  }

  /** Notes that Endpoints were written. */
  public void written(String summary) {
    event(Kind.WRITTEN, Severity.INFO, summary);
  }

  /** Notes that something about one object could not be done, or the API could not be asked. */
  public void publishFailed(String message) {
    condition(Kind.PUBLISH_FAILED, message, message);
  }

  /** Notes that no node is known. */
  public void noNodes(String message) {
    condition(Kind.NO_NODES, message, message);
  }

  /** Notes an error of the program itself. */
  public void cycleFailed(Throwable failure) {
    String message = "cycle failed, nothing is decided: " + failure;
    condition(Kind.CYCLE_FAILED, message, message);
  }

  /** Notes that a check is off or a setting odd; said once in the life of the process. */
  public void degraded(String message) {
    event(Kind.DEGRADED, Severity.WARN, message);
  }

  /**
   * Ends the cycle.
   *
   * @return what is new since the last one, in the order it happened
   */
  public List<Alert> news() {
    List<Alert> news = new ArrayList<>(events);
    current.forEach(
        (key, alert) -> news.addAll(lasting.containsKey(key) ? List.of() : List.of(alert)));
    lasting.forEach(
        (key, alert) -> {
          if (current.values().stream().noneMatch(now -> now.kind() == alert.kind())) {
            news.add(new Alert(Kind.RECOVERED, Severity.INFO, "over: " + alert.message()));
          }
        });
    lasting = new LinkedHashMap<>(current);
    current.clear();
    events.clear();
    return news;
  }

  private void refused(Kind kind, String message, Topology topology) {
    // The reasons of a node that is down change with the moment of the probe: not news by itself.
    String states =
        topology.nodes().stream()
            .map(node -> node.node() + "=" + node.state())
            .collect(Collectors.joining(","));
    condition(kind, states, message);
    lastSignature = "";
  }

  private void condition(Kind kind, String what, String message) {
    current.putIfAbsent(kind + " " + what, new Alert(kind, Severity.ERROR, message));
  }

  private void event(Kind kind, Severity severity, String message) {
    events.add(new Alert(kind, severity, Objects.requireNonNull(message)));
  }
}
