package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The last verified primary, as the objects of both Services store it.
 *
 * @param line the line it writes; null when it is not known, as with objects of the Python original
 * @param entries every {@code ip:port} under which that server is listed, the one behind the
 *     read-write Service first; empty when none is known
 * @param name its entry of PG_NODES; null when it is not known
 * @param startedAt when that server started, in microseconds since 1970; null when it is not known
 */
public record PublishedPrimary(Line line, List<String> entries, String name, Long startedAt) {
  public PublishedPrimary {
    // Not List.copyOf, whose contains(null) throws: a node without an address has no endpoint.
    entries = Collections.unmodifiableList(new ArrayList<>(entries));
  }

  /** Returns a primary without any known value: nothing is published. */
  public static PublishedPrimary none() {
    return new PublishedPrimary(null, List.of(), null, null);
  }

  /**
   * Returns a primary that an operator has chosen.
   *
   * @param chosen the entry to publish it under
   * @param entries every node that is this server
   */
  public static PublishedPrimary chosen(NodeState chosen, List<NodeState> entries) {
    Server server = chosen.server();
    Line line =
        server.timeline() == null
            ? null
            : new Line(server.systemIdentifier(), server.timeline(), server.begin());
    return none().followedBy(chosen, entries.stream().map(NodeState::endpoint).toList(), line);
  }

  /**
   * Returns the primary published after this one, which may be the same server. The begin of its
   * line is stored only while histories can be read: else no server could prove to continue it.
   *
   * @param next the entry to publish it under
   * @param itsEntries every {@code ip:port} of this server
   * @param itsLine null when the server does not report its timeline: this line remains
   */
  PublishedPrimary followedBy(NodeState next, Collection<String> itsEntries, Line itsLine) {
    Server server = next.server();
    boolean hasHistory = server.rights().contains(Right.HISTORY);
    List<String> inOrder = new ArrayList<>(new TreeSet<>(itsEntries));
    inOrder.remove(next.endpoint());
    inOrder.add(0, next.endpoint());
    return new PublishedPrimary(
        itsLine == null ? line : hasHistory ? itsLine : itsLine.withoutBegin(),
        inOrder,
        next.node().name(),
        server.startedAt() == null ? startedAt : server.startedAt());
  }

  /** Its system identifier; null when it is not known. */
  public String systemIdentifier() {
    return line == null ? null : line.systemIdentifier();
  }

  /** The {@code ip:port} behind the read-write Service; null when it is not known. */
  public String endpoint() {
    return entries.isEmpty() ? null : entries.get(0);
  }

  /** Whether the other is on a higher timeline of the same cluster, or this line is not known. */
  boolean isBehind(PublishedPrimary other) {
    if (line == null || other.line == null) {
      return line == null;
    }
    return !Line.differ(systemIdentifier(), other.systemIdentifier())
        && line.timeline() < other.line.timeline();
  }

  /** Whether a node is listed as this primary, by its address or its name. */
  boolean isListedAs(NodeState node) {
    return entries.contains(node.endpoint()) || node.node().name().equals(name);
  }

  /** Whether a server has the start time of this primary, which only the same server has. */
  boolean isStartOf(Server server) {
    return startedAt != null
        && startedAt.equals(server.startedAt())
        && !Line.differ(systemIdentifier(), server.systemIdentifier());
  }

  /**
   * The nodes that claim to be this primary under an entry that never belonged to it, although one
   * of its known entries answers.
   */
  List<NodeState> unknownAliases(Topology topology) {
    if (startedAt == null) {
      return List.of();
    }
    List<NodeState> known =
        topology.nodes().stream()
            .filter(NodeState::hasAnswered)
            .filter(node -> entries.contains(node.endpoint()))
            .toList();
    return topology.nodes().stream()
        .filter(node -> !known.isEmpty() && node.hasAnswered())
        .filter(node -> !entries.contains(node.endpoint()))
        .filter(node -> isStartOf(node.server()) || known.stream().anyMatch(node::isSameServerAs))
        .toList();
  }

  /** This primary, if it has no free connection for this program. */
  Optional<NodeState> fullIn(Topology topology) {
    return unansweredIn(topology).filter(NodeState::isFull).findFirst();
  }

  /** This primary, if it refuses our role's login while a standby of its line streams from it. */
  Optional<NodeState> refusingIn(Topology topology) {
    return unansweredIn(topology)
        .filter(node -> node.failure() == Failure.LOGIN_REFUSED)
        .filter(
            node ->
                topology.standbys().stream()
                    .anyMatch(
                        standby ->
                            (line == null || standby.server().isOn(line))
                                && topology.isUpstream(node, standby)))
        .findFirst();
  }

  private Stream<NodeState> unansweredIn(Topology topology) {
    boolean answersElsewhere =
        topology.nodes().stream().anyMatch(node -> node.hasAnswered() && isStartOf(node.server()));
    return topology.nodes().stream()
        .filter(node -> !answersElsewhere && !node.hasAnswered() && isListedAs(node));
  }
}
