package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The state of every configured node in one cycle, in the order of the node list. There is no
 * topology of some of the nodes: {@link #of} refuses to make one, so that a probe that was lost on
 * the way can never look like a node that is not there.
 *
 * <p>A server that is listed twice counts once, under its first entry.
 *
 * @param nodes one state per node
 */
public record Topology(List<NodeState> nodes) {
  public Topology {
    nodes = List.copyOf(nodes);
  }

  /**
   * Joins the states of one cycle's probes.
   *
   * @param expected the node list
   * @param states what the probes said, in any order
   * @throws IllegalStateException when a node has no state, or more than one
   */
  public static Topology of(List<Node> expected, List<NodeState> states) {
    List<NodeState> inOrder = new ArrayList<>();
    for (Node node : expected) {
      List<NodeState> found = states.stream().filter(state -> state.node().equals(node)).toList();
      if (found.size() != 1) {
        throw new IllegalStateException(
            "%d of %d probes came back, %d of them for %s"
                .formatted(states.size(), expected.size(), found.size(), node));
      }
      inOrder.addAll(found);
    }
    return new Topology(inOrder);
  }

  /**
   * The same topology with the nodes of other clusters marked FOREIGN. The cluster is the published
   * one; on a first run it is the one that the strict majority of the servers that tell their
   * system identifier belong to. Without a majority no node is marked, and {@link
   * #systemIdentifiers} has more than one.
   */
  public Topology identifiedBy(Published published) {
    String own =
        published.systemIdentifier() == null
            ? identifierOfMajority()
            : published.systemIdentifier();
    return own == null
        ? this
        : new Topology(nodes.stream().map(node -> identified(node, own)).toList());
  }

  private static NodeState identified(NodeState node, String own) {
    boolean foreign =
        node.hasAnswered()
            && node.state() != State.FOREIGN
            && node.server().systemIdentifier() != null
            && !node.server().systemIdentifier().equals(own);
    return foreign ? node.foreignTo(own) : node;
  }

  private String identifierOfMajority() {
    List<String> told =
        reachable().stream()
            .map(node -> node.server().systemIdentifier())
            .filter(Objects::nonNull)
            .toList();
    Map<String, Long> votes =
        told.stream().collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    return votes.entrySet().stream()
        .filter(vote -> vote.getValue() * 2 > told.size())
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  /** The system identifiers of the primaries and standbys, sorted, each once. */
  public List<String> systemIdentifiers() {
    return reachable().stream()
        .map(node -> node.server().systemIdentifier())
        .filter(Objects::nonNull)
        .distinct()
        .sorted()
        .toList();
  }

  /** The servers that accept writes. */
  public List<NodeState> primaries() {
    return servers(State.PRIMARY);
  }

  /**
   * The one primary.
   *
   * @throws IllegalStateException unless there is exactly one
   */
  public NodeState primary() {
    if (primaries().size() != 1) {
      throw new IllegalStateException("not one primary: " + this);
    }
    return primaries().get(0);
  }

  /**
   * The servers in recovery. A server that was promoted between two of its probes is a primary and
   * not a standby.
   */
  public List<NodeState> standbys() {
    List<NodeState> primaries = primaries();
    return servers(State.STANDBY).stream()
        .filter(node -> primaries.stream().noneMatch(node::isSameServerAs))
        .toList();
  }

  /** The nodes of other clusters. */
  public List<NodeState> foreign() {
    return servers(State.FOREIGN);
  }

  /** The servers that could be verified: primaries and standbys. */
  public List<NodeState> reachable() {
    List<NodeState> reachable = new ArrayList<>(primaries());
    reachable.addAll(standbys());
    return List.copyOf(reachable);
  }

  /** How many servers are listed, as far as can be told: entries of one server count once. */
  public int listed() {
    long repeated =
        nodes.stream()
            .filter(NodeState::hasAnswered)
            .filter(
                node ->
                    nodes.subList(0, nodes.indexOf(node)).stream().anyMatch(node::isSameServerAs))
            .count();
    return nodes.size() - (int) repeated;
  }

  /**
   * Whether the one primary writes an older timeline than the published one: it was taken for dead,
   * and another was promoted. False when it does not tell its timeline.
   */
  public boolean isPrimaryStale(Published published) {
    Long timeline = primary().server().timeline();
    return timeline != null && timeline < published.timeline();
  }

  /**
   * Whether the one primary writes the published timeline without being the published primary: both
   * were promoted apart from each other.
   */
  public boolean isPrimaryRival(Published published) {
    Long timeline = primary().server().timeline();
    return timeline != null && timeline == published.timeline() && !isPrimaryPublished(published);
  }

  /**
   * The standby that streams a higher timeline than the one primary writes; null when none does. It
   * follows a primary that is out of our reach, and the one in reach is stale.
   */
  public NodeState standbyAheadOfPrimary() {
    Long timeline = primary().server().timeline();
    return timeline == null
        ? null
        : standbys().stream()
            .filter(node -> node.server().streaming() && node.server().timeline() != null)
            .filter(node -> node.server().timeline() > timeline)
            .findFirst()
            .orElse(null);
  }

  /** Whether the one primary is the published one: the same entry, or the same address. */
  private boolean isPrimaryPublished(Published published) {
    NodeState primary = primary();
    return nodes.stream()
        .filter(primary::isSameServerAs)
        .anyMatch(
            node ->
                node.node().name().equals(published.primary())
                    || node.endpoint().equals(published.primaryEndpoint()));
  }

  /**
   * The nodes to ask once more before anything is decided on them, since they were not all asked at
   * the same moment: primaries, when there are several, for the role may just have moved from one
   * to the other; and a primary that a standby seems to be ahead of.
   */
  public List<Node> doubtful() {
    List<NodeState> primaries = primaries();
    boolean doubt =
        primaries.size() > 1
            || primaries.size() == 1
                && standbys().stream().anyMatch(standby -> isAhead(standby, primaries.get(0)));
    return nodes.stream()
        .filter(node -> doubt && node.state() == State.PRIMARY)
        .map(NodeState::node)
        .toList();
  }

  /**
   * The same topology with what the {@link #doubtful} nodes said when they were asked once more.
   * One that did not answer again keeps its role, but not the position that was doubted.
   *
   * @param later the states of the doubtful nodes
   */
  public Topology updatedBy(List<NodeState> later) {
    return new Topology(
        nodes.stream()
            .map(
                node ->
                    later.stream()
                        .filter(again -> again.node().equals(node.node()))
                        .findFirst()
                        .map(again -> again.hasAnswered() ? again : node.withoutPosition())
                        .orElse(node))
            .toList());
  }

  /**
   * Bytes that a standby is behind the one primary, not below 0; null when there is not one primary
   * or one of them does not tell its position.
   */
  public Long lag(NodeState standby) {
    boolean comparable = standby.state() == State.STANDBY && primaries().size() == 1;
    return comparable ? lag(standby, primary()) : null;
  }

  static Long lag(NodeState standby, NodeState primary) {
    Lsn replayed = standby.server().lsn();
    Lsn written = primary.server().lsn();
    return replayed == null || written == null
        ? null
        : Math.max(0, written.bytes() - replayed.bytes());
  }

  /** Whether the standby has replayed WAL that the primary had not written. */
  static boolean isAhead(NodeState standby, NodeState primary) {
    Lsn replayed = standby.server().lsn();
    Lsn written = primary.server().lsn();
    return replayed != null && written != null && replayed.compareTo(written) > 0;
  }

  private List<NodeState> servers(State state) {
    List<NodeState> distinct = new ArrayList<>();
    for (NodeState node : nodes) {
      if (node.state() == state && distinct.stream().noneMatch(node::isSameServerAs)) {
        distinct.add(node);
      }
    }
    return List.copyOf(distinct);
  }

  /** Every node with its state and reason, for one line of a log. */
  @Override
  public String toString() {
    return nodes.stream().map(NodeState::toString).collect(Collectors.joining(", "));
  }
}
