package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Remembers from one cycle to the next what has been said, so that a thing is said when it begins
 * and when it ends, and not once a cycle. Used by one cycle at a time.
 */
public final class Conditions {
  private static final int MAX_MESSAGE = 4000;

  /** What only a cycle that asked the nodes can find, or find to be over. */
  private static final Set<Kind> FOUND_BY_ASKING =
      EnumSet.of(
          Kind.MULTIPLE_PRIMARIES,
          Kind.NO_PRIMARY,
          Kind.STALE_PRIMARY,
          Kind.FOREIGN_NODE,
          Kind.QUORUM,
          Kind.UNREADABLE_STATE,
          Kind.PAUSED);

  private final int defaultPort;
  private final List<Alert> events = new ArrayList<>();
  private final Map<String, Alert> current = new LinkedHashMap<>();
  private final Set<String> degradations = new HashSet<>();
  private Map<String, Alert> lasting = Map.of();
  private Map<Node, NodeState> lastStates = Map.of();
  private Map<Node, String> lastLeftOut = Map.of();
  private String lastSignature = "";
  private boolean asked;

  /**
   * @param defaultPort PGPORT: the one that signatures leave out
   */
  public Conditions(int defaultPort) {
    this.defaultPort = defaultPort;
  }

  /** Notes what the nodes are; a node in another state than before is news. */
  public void observed(Topology topology) {
    asked = true;
    Map<Node, NodeState> states = new LinkedHashMap<>();
    for (NodeState node : topology.nodes()) {
      NodeState before = lastStates.get(node.node());
      states.put(node.node(), node);
      boolean healthy = node.state() == State.PRIMARY || node.state() == State.STANDBY;
      boolean news = before == null ? !healthy : before.state() != node.state();
      if (news && node.state() != State.FOREIGN) {
        String was = before == null ? "" : ", was " + before.state();
        event(Kind.NODE, healthy ? Severity.INFO : Severity.WARN, node + was);
      }
    }
    lastStates = states;
    for (NodeState node : topology.foreign()) {
      condition(
          Kind.FOREIGN_NODE,
          node.node().name(),
          "foreign node %s at %s is %s: it is put behind neither Service"
              .formatted(node.node(), node.address(), node.reason()));
    }
    topology.reachable().forEach(this::degradedBy);
  }

  private void degradedBy(NodeState node) {
    if (node.server().systemIdentifier() == null) {
      degraded(
          "pg_control_system() is not granted to our role on %s: foreign nodes are not recognised"
              .formatted(node.node()));
    }
    if (node.state() == State.PRIMARY && node.server().timeline() == null) {
      degraded(
          "pg_walfile_name() is not granted to our role on %s: a stale primary is not recognised"
              .formatted(node.node()));
    }
    if (node.server().lsn() == null) {
      degraded(
          "%s does not tell its WAL position: its lag and a diverged standby are not recognised"
              .formatted(node.node()));
    }
  }

  /** Notes that the topology passed the rules of verification, and what is read from. */
  public void verified(Topology topology, ReadOnly readOnly) {
    String signature = Signature.of(topology.primary(), readOnly.standbys(), defaultPort);
    if (!signature.equals(lastSignature)) {
      event(Kind.TOPOLOGY, Severity.INFO, "topology verified: " + signature);
    }
    lastSignature = signature;
    readOnly
        .leftOut()
        .forEach(
            (node, why) -> {
              if (!lastLeftOut.containsKey(node)) {
                String message = "standby %s is not read from: %s".formatted(node, why);
                event(Kind.STANDBY, Severity.WARN, message);
              }
            });
    for (NodeState standby : readOnly.standbys()) {
      if (lastLeftOut.containsKey(standby.node())) {
        event(Kind.STANDBY, Severity.INFO, "standby %s is read from".formatted(standby.node()));
      }
    }
    lastLeftOut = readOnly.leftOut();
  }

  /** Notes a refusal: what the Endpoints remember cannot be read. */
  public void unreadable(Published published) {
    String faults = String.join("; ", published.faults());
    condition(
        Kind.UNREADABLE_STATE, faults, "unreadable annotation, nothing is written: " + faults);
  }

  /** Notes a refusal: the first run found several clusters, none with a majority. */
  public void noMajority(Topology topology) {
    String servers =
        topology.reachable().stream()
            .map(
                node ->
                    "%s is a %s of %s"
                        .formatted(node.node(), node.state(), node.server().systemIdentifier()))
            .collect(Collectors.joining(", "));
    refused(
        Kind.FOREIGN_NODE,
        "no majority of one system identifier, nothing is written: " + servers,
        topology);
  }

  /** Notes a refusal: too few nodes could be verified. */
  public void quorum(Topology topology, int quorum) {
    refused(
        Kind.QUORUM,
        "%d of %d nodes verified, fewer than the %d of MIN_REACHABLE_NODES, nothing is written: %s"
            .formatted(topology.reachable().size(), topology.listed(), quorum, topology),
        topology);
  }

  /**
   * Notes a refusal: more than one primary.
   *
   * @param histories of the primaries, for the point where they parted
   */
  public void multiplePrimaries(Topology topology, List<History> histories) {
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
        Kind.MULTIPLE_PRIMARIES,
        "multiple primaries, nothing is written: " + primaries + parted(histories),
        topology);
  }

  private static String parted(List<History> histories) {
    StringBuilder parted = new StringBuilder();
    for (History other : histories.subList(Math.min(1, histories.size()), histories.size())) {
      History.Segment shared = histories.get(0).partedFrom(other);
      if (shared != null) {
        parted.append(
            "; %s and %s parted on timeline %d at %s"
                .formatted(
                    histories.get(0).primary().node(),
                    other.primary().node(),
                    shared.timeline(),
                    shared.end()));
      }
    }
    return parted.toString();
  }

  /** Notes a refusal: no primary. */
  public void noPrimary(Topology topology) {
    refused(Kind.NO_PRIMARY, "no primary, nothing is written: " + topology, topology);
  }

  /** Notes a refusal: the only primary is on an older timeline than the published one. */
  public void stalePrimary(Topology topology, Published published) {
    refused(
        Kind.STALE_PRIMARY,
        "stale primary, nothing is written: %s is on timeline %d, the published primary%s is on timeline %d; %s"
            .formatted(
                primary(topology),
                topology.primary().server().timeline(),
                published.primary() == null ? "" : " " + published.primary(),
                published.timeline(),
                topology),
        topology);
  }

  /** Notes a refusal: the only primary is on the published timeline, but is another server. */
  public void rivalPrimary(Topology topology, Published published) {
    refused(
        Kind.STALE_PRIMARY,
        "primary promoted apart, nothing is written: %s is on timeline %d, and so is the published primary %s, another server; %s"
            .formatted(
                primary(topology),
                topology.primary().server().timeline(),
                published.primary() == null ? "at an unknown address" : published.primary(),
                topology),
        topology);
  }

  private static String primary(Topology topology) {
    return topology.primary().node() + " at " + topology.primary().address();
  }

  /** Notes that nothing is written because somebody said so. */
  public void paused(String by) {
    condition(Kind.PAUSED, Severity.WARN, by, "paused by %s: nothing is written".formatted(by));
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
    if (degradations.add(message)) {
      event(Kind.DEGRADED, Severity.WARN, message);
    }
  }

  /**
   * Ends the cycle.
   *
   * @return what is new since the last one, in the order it happened
   */
  public List<Alert> news() {
    if (!asked) {
      // The cycle ended before it could tell, such as when the API did not answer.
      lasting.forEach(
          (key, alert) -> {
            if (FOUND_BY_ASKING.contains(alert.kind())) {
              current.putIfAbsent(key, alert);
            }
          });
    }
    asked = false;
    List<Alert> news = new ArrayList<>(events);
    current.forEach(
        (key, alert) -> news.addAll(lasting.containsKey(key) ? List.of() : List.of(alert)));
    lasting.forEach(
        (key, alert) -> {
          if (current.values().stream().noneMatch(now -> now.kind() == alert.kind())) {
            news.add(new Alert(Kind.RECOVERED, Severity.INFO, "over: " + headline(alert)));
          }
        });
    lasting = new LinkedHashMap<>(current);
    current.clear();
    events.clear();
    return news;
  }

  /** What the last cycle that ended found wrong, and is not over. */
  public List<Alert> lasting() {
    return List.copyOf(lasting.values());
  }

  /** What a message is about, without its details. */
  private static String headline(Alert alert) {
    return alert.message().split("(, nothing is written)?: ", 2)[0];
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
    condition(kind, Severity.ERROR, what, message);
  }

  private void condition(Kind kind, Severity severity, String what, String message) {
    current.putIfAbsent(
        kind + " " + what, new Alert(kind, severity, ForeignText.clean(message, MAX_MESSAGE)));
  }

  private void event(Kind kind, Severity severity, String message) {
    events.add(new Alert(kind, severity, ForeignText.clean(message, MAX_MESSAGE)));
  }
}
