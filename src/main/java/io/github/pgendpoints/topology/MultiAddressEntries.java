package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Handles entries of the node list whose name has several addresses. If the addresses belong to one
 * server, they are one node, at the address that answers. As soon as two servers have answered,
 * each server is a separate node.
 */
public final class MultiAddressEntries {
  /**
   * The addresses of one server, combined.
   *
   * @param parts the states of its addresses
   */
  private record Joined(List<NodeState> parts, NodeState state) {
    private boolean isOf(List<NodeState> others) {
      return parts.size() == others.size()
          && IntStream.range(0, parts.size()).allMatch(i -> parts.get(i) == others.get(i));
    }
  }

  private final Set<Node> severalServers = new HashSet<>();
  private final Map<Node, Joined> oneServer = new HashMap<>();

  /**
   * Combines the states of addresses into states of nodes.
   *
   * @param states one for each entry, or one for each address of an entry
   * @param published its addresses are preferred, so that a node does not move without a reason
   * @param rivals an address that was one of them stays a separate node
   * @return one state for each node, in the order of the entries
   */
  public List<NodeState> joined(
      List<Node> entries, List<NodeState> states, LastPublished published, List<Rival> rivals) {
    severalServers.retainAll(entries);
    oneServer.keySet().retainAll(entries);
    Map<Node, List<NodeState>> byEntry =
        states.stream().collect(Collectors.groupingBy(state -> state.node().entry()));
    List<NodeState> joined = new ArrayList<>();
    for (Node entry : entries) {
      List<NodeState> parts =
          byEntry.getOrDefault(entry, List.of()).stream()
              .sorted((a, b) -> Boolean.compare(isServing(b, published), isServing(a, published)))
              .toList();
      List<NodeState> servers = NodeState.distinct(parts.stream().filter(NodeState::hasAnswered));
      if (servers.size() > 1 || parts.stream().anyMatch(part -> isSeparate(part, rivals))) {
        severalServers.add(entry);
      }
      if (severalServers.contains(entry)) {
        joined.addAll(servers);
        parts.stream().filter(part -> !part.hasAnswered()).forEach(joined::add);
      } else if (parts.size() > 1) {
        joined.add(oneServer(entry, parts));
      } else {
        joined.addAll(parts);
      }
    }
    return joined;
  }

  /**
   * Returns the same object until an address is probed again, so that {@link StandbyHysteresis}
   * counts each probe once.
   */
  private NodeState oneServer(Node entry, List<NodeState> parts) {
    Joined last = oneServer.get(entry);
    if (last != null && last.isOf(parts)) {
      return last.state();
    }
    NodeState state =
        parts.stream()
            .filter(NodeState::hasAnswered)
            .findFirst()
            .map(part -> part.of(entry))
            .orElseGet(() -> unanswered(entry, parts));
    oneServer.put(entry, new Joined(parts, state));
    return state;
  }

  private static boolean isSeparate(NodeState part, List<Rival> rivals) {
    return part.node().address() != null
        && rivals.stream().anyMatch(rival -> rival.name().equals(part.node().name()));
  }

  private static boolean isServing(NodeState state, LastPublished published) {
    return published.primary().entries().contains(state.endpoint())
        || published.readWrite().contains(state.endpoint())
        || published.isReadOnly(state);
  }

  /** The state if no address answers: UNKNOWN if any address is, because a server is there. */
  private static NodeState unanswered(Node entry, List<NodeState> parts) {
    NodeState first =
        parts.stream()
            .filter(part -> part.state() == State.UNKNOWN)
            .findFirst()
            .orElse(parts.get(0));
    String reason =
        parts.stream()
            .map(part -> part.address() + ": " + part.reason())
            .collect(Collectors.joining(", "));
    return new NodeState(
        entry, first.state(), first.address(), reason, first.failure(), /* server= */ null);
  }
}
