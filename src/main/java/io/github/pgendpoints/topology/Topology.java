package io.github.pgendpoints.topology;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The state of every listed node in one cycle. A topology is never partial: {@link #of} throws an
 * exception if a node has no state, so that a lost probe can never look like a missing node.
 *
 * <p>Entries of one server count once, under the first of them.
 *
 * @param nodes one state per node
 * @param at when the nodes were probed, by a clock that does not follow changes of the system time
 * @param unconfirmed the primaries that answered only the first of two probes: their role counts,
 *     but their position is too old to prove that a standby is ahead
 * @param unanswered entries outside the node list at which no server accepts a TCP connection
 */
public record Topology(
    List<NodeState> nodes, Instant at, Set<Node> unconfirmed, Set<String> unanswered) {
  public Topology {
    nodes = List.copyOf(nodes);
    unconfirmed = Set.copyOf(unconfirmed);
    unanswered = Set.copyOf(unanswered);
  }

  /** Creates a topology whose nodes were probed once. */
  public Topology(List<NodeState> nodes, Instant at) {
    this(nodes, at, Set.of(), Set.of());
  }

  /**
   * Combines the probe results of one cycle.
   *
   * @param expected the node list
   * @param states the probe results, in any order
   * @param at when the nodes were probed
   * @throws IllegalStateException when a node has no state, or more than one
   */
  public static Topology of(List<Node> expected, List<NodeState> states, Instant at) {
    Map<Node, List<NodeState>> byNode =
        states.stream().collect(Collectors.groupingBy(NodeState::node));
    List<NodeState> inOrder = new ArrayList<>();
    for (Node node : expected) {
      List<NodeState> found = byNode.getOrDefault(node, List.of());
      if (found.size() != 1) {
        throw new IllegalStateException(
            "%d of %d probes came back, %d of them for %s"
                .formatted(states.size(), expected.size(), found.size(), node));
      }
      inOrder.addAll(found);
    }
    return new Topology(inOrder, at);
  }

  private Topology with(List<NodeState> others) {
    return new Topology(others, at, unconfirmed, unanswered);
  }

  /**
   * Returns this topology with the nodes of other clusters marked FOREIGN. Our cluster is the
   * published one; on a first run, it is the cluster of the strict majority of the servers that
   * report a system identifier. Without a majority, no node is marked, and {@link
   * #isOfSeveralClusters} stays true.
   */
  public Topology identifiedBy(LastPublished published) {
    String own =
        published.systemIdentifier() == null
            ? identifierOfMajority()
            : published.systemIdentifier();
    return own == null ? this : with(nodes.stream().map(node -> identified(node, own)).toList());
  }

  private static NodeState identified(NodeState node, String own) {
    boolean foreign =
        node.hasAnswered()
            && node.state() != State.FOREIGN
            && Line.differ(node.server().systemIdentifier(), own);
    return foreign ? node.foreignTo(own) : node;
  }

  private String identifierOfMajority() {
    List<String> identifiers =
        reachable().stream()
            .map(node -> node.server().systemIdentifier())
            .filter(Objects::nonNull)
            .toList();
    Map<String, Long> votes =
        identifiers.stream()
            .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    return votes.entrySet().stream()
        .filter(vote -> vote.getValue() * 2 > identifiers.size())
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  /** Whether the primaries and standbys report more than one system identifier. */
  public boolean isOfSeveralClusters() {
    return reachable().stream()
            .map(node -> node.server().systemIdentifier())
            .filter(Objects::nonNull)
            .distinct()
            .count()
        > 1;
  }

  /** The servers that accept writes. */
  public List<NodeState> primaries() {
    return servers(State.PRIMARY);
  }

  /** The servers that claim to be a primary, of any cluster, for an operator to choose from. */
  public List<NodeState> claimants() {
    return NodeState.distinct(nodes.stream().filter(NodeState::claimsToBePrimary));
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

  /**
   * Counts the listed servers, as far as is known: entries that are or were one server count once.
   *
   * @param aliases the {@link Memory#aliases} of earlier cycles
   */
  int listed(List<Set<String>> aliases) {
    int listed = 0;
    Set<String> seen = new HashSet<>();
    for (NodeState node : nodes) {
      if (node.endpoint() == null || seen.add(node.endpoint())) {
        listed++;
        aliases.stream()
            .filter(entries -> node.endpoint() != null && entries.contains(node.endpoint()))
            .forEach(seen::addAll);
      }
    }
    return listed;
  }

  /** Returns every node under which a server is listed and answered. */
  public List<NodeState> entriesOf(NodeState server) {
    return nodes.stream().filter(node -> node == server || node.isSameServerAs(server)).toList();
  }

  /**
   * The nodes to probe once more before a decision, because the probes of a cycle are not
   * simultaneous: all primaries if there are several, since the role may just have moved from one
   * to the other; and a primary that a standby seems to be ahead of.
   */
  public List<Node> contested() {
    List<NodeState> primaries = primaries();
    boolean ahead =
        primaries.size() == 1
            && standbys().stream().anyMatch(standby -> isAhead(standby, primaries.get(0)));
    boolean doubt = primaries.size() > 1 || ahead;
    return nodes.stream()
        .filter(node -> doubt && node.state() == State.PRIMARY)
        .map(NodeState::node)
        .toList();
  }

  /**
   * The nodes whose role a new login must confirm before writes move: a primary that the read-write
   * Service would move to, and the server it would leave.
   */
  public List<Node> moving(LastPublished published) {
    List<NodeState> primaries = primaries();
    boolean moves =
        primaries.size() == 1
            && published.primary().endpoint() != null
            && entriesOf(primaries.get(0)).stream()
                .noneMatch(entry -> published.readWrite().contains(entry.endpoint()));
    return nodes.stream()
        .filter(
            node ->
                moves
                    && (node.state() == State.PRIMARY
                        || node.hasAnswered() && published.primary().isListedAs(node)))
        .map(NodeState::node)
        .toList();
  }

  /**
   * The standbys that are DOWN, if they are behind the read-only Service and it would have no
   * server without them. A run of one cycle has no other probe to rely on.
   */
  public List<Node> lostStandbys(LastPublished published) {
    boolean serves =
        nodes.stream()
            .anyMatch(
                node ->
                    node.state() == State.STANDBY
                        || node.state() == State.UNKNOWN && published.isReadOnly(node));
    return nodes.stream()
        .filter(node -> !serves && node.state() == State.DOWN && published.isReadOnly(node))
        .map(NodeState::node)
        .toList();
  }

  /**
   * Returns this topology with the second probe results of the {@link #contested} nodes. A server
   * that answered the first time and is only UNKNOWN the second time keeps its role. Nodes that a
   * majority marked FOREIGN lose the mark: call {@link #identifiedBy} on the result.
   *
   * @param later the states of the contested nodes
   */
  public Topology updatedBy(List<NodeState> later) {
    List<NodeState> updated = new ArrayList<>();
    Set<Node> silent = new HashSet<>(unconfirmed);
    for (NodeState node : nodes) {
      NodeState again =
          later.stream().filter(state -> state.node().equals(node.node())).findFirst().orElse(node);
      boolean counts = again.state() != State.UNKNOWN;
      updated.add((counts ? again : node).withItsRole());
      if (!counts) {
        silent.add(node.node());
      }
    }
    return new Topology(updated, at, silent, unanswered);
  }

  /**
   * The entries to try on TCP, because no node has them: those of the published primary, and of
   * rivals whose name has lost their address.
   */
  public List<String> unlistedEntries(LastPublished published, List<Rival> rivals) {
    return Stream.concat(
            unlistedEntries(published).stream(),
            rivals.stream().filter(rival -> rival.isUnlisted(this)).map(Rival::entry))
        .distinct()
        .toList();
  }

  /**
   * The entries of the published primary: all of them, if none is listed any more or if its name
   * resolves to another address. In that case, the server has moved, or another server has taken
   * its place.
   */
  private List<String> unlistedEntries(LastPublished published) {
    PublishedPrimary primary = published.primary();
    boolean isListed =
        nodes.stream()
            .filter(primary::isListedAs)
            .anyMatch(node -> !node.hasAnswered() || primary.entries().contains(node.endpoint()));
    return primary.line() == null || isListed ? List.of() : primary.entries();
  }

  /** Whether no server is at any of these {@code ip:port}, listed or not. */
  boolean isDeserted(List<String> entries) {
    Set<String> deserted = new HashSet<>(unanswered);
    nodes.stream()
        .filter(node -> node.state() == State.DOWN)
        .forEach(node -> deserted.add(node.endpoint()));
    return deserted.containsAll(entries);
  }

  /** Whether a standby streams from a server, under any of its entries, as far as it reports. */
  boolean isUpstream(NodeState server, NodeState standby) {
    String source = standby.server().source();
    return source != null
        && entriesOf(server).stream()
            .anyMatch(
                entry ->
                    source.equals(entry.endpoint()) || source.equals(entry.node().hostAndPort()));
  }

  /** Returns this topology with the entries outside the list at which no server answers. */
  public Topology withUnanswered(Collection<String> entries) {
    return new Topology(nodes, at, unconfirmed, Set.copyOf(entries));
  }

  /** Returns this topology in another order, and without some of the nodes. */
  Topology arranged(Set<Node> without, Comparator<NodeState> order) {
    return with(
        nodes.stream().filter(node -> !without.contains(node.node())).sorted(order).toList());
  }

  /**
   * Bytes that a standby is behind a primary, at least 0; null when the first one is not a STANDBY,
   * or one position is not known.
   */
  public static Long lag(NodeState standby, NodeState primary) {
    if (standby.state() != State.STANDBY || primary == null || primary.server() == null) {
      return null;
    }
    Lsn replayed = standby.server().lsn();
    Lsn written = primary.server().lsn();
    return replayed == null || written == null
        ? null
        : Math.max(0, written.bytes() - replayed.bytes());
  }

  /** Whether the standby has replayed WAL that the primary had not written. */
  static boolean isAhead(NodeState standby, NodeState primary) {
    Lsn replayed = standby.server().lsn();
    Lsn written = primary.server() == null ? null : primary.server().lsn();
    return replayed != null && written != null && replayed.compareTo(written) > 0;
  }

  private List<NodeState> servers(State state) {
    return NodeState.distinct(nodes.stream().filter(node -> node.state() == state));
  }

  /** Returns every node with its state and reason, on one line for the log. */
  @Override
  public String toString() {
    return nodes.stream().map(NodeState::toString).collect(Collectors.joining(", "));
  }
}
