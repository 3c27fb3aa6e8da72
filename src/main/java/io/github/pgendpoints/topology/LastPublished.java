package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * What the objects of both Services store.
 *
 * @param primary the last verified primary
 * @param systemIdentifier the system identifier of the published cluster; null when none is stored
 * @param readWrite the {@code ip:port} of every address behind the read-write Service
 * @param readOnly the same for the read-only Service
 * @param generation how often an operator has overruled what was published; 0 for never
 * @param paused whether an annotation pauses the program
 * @param faults one sentence for each stored value that cannot be read
 */
public record LastPublished(
    PublishedPrimary primary,
    String systemIdentifier,
    Set<String> readWrite,
    Set<String> readOnly,
    long generation,
    boolean paused,
    List<String> faults) {
  public LastPublished {
    readWrite = Set.copyOf(readWrite);
    readOnly = Set.copyOf(readOnly);
    faults = List.copyOf(faults);
  }

  /** The published line; null when there is none. */
  public Line line() {
    return primary.line();
  }

  /** Returns a copy with the remembered primary in place of the stored one. */
  LastPublished with(PublishedPrimary remembered, long itsGeneration) {
    return new LastPublished(
        remembered,
        remembered.systemIdentifier() == null ? systemIdentifier : remembered.systemIdentifier(),
        readWrite,
        readOnly,
        itsGeneration,
        paused,
        faults);
  }

  /** Returns a copy with one more fault. */
  public LastPublished withFault(String fault) {
    List<String> all = new ArrayList<>(faults);
    all.add(fault);
    return new LastPublished(
        primary, systemIdentifier, readWrite, readOnly, generation, paused, all);
  }

  /**
   * Returns the nodes in the order to probe them: published nodes come first. If a thousand nodes
   * are unreachable, each probe holds a thread for a while, and the last node has the least time
   * left.
   */
  public List<Node> servedFirst(List<Node> nodes) {
    return nodes.stream().sorted(Comparator.comparing(this::place)).toList();
  }

  private int place(Node node) {
    String endpoint = node.hostAndPort();
    if (node.name().equals(primary.name()) || primary.entries().contains(endpoint)) {
      return 0;
    }
    return readOnly.contains(endpoint) ? 1 : 2;
  }

  /** Whether the node is behind the read-only Service now. */
  boolean isReadOnly(NodeState node) {
    return node.endpoint() != null && readOnly.contains(node.endpoint());
  }

  /** Whether the node is behind either Service, or is the published primary. */
  boolean names(NodeState node) {
    return node.endpoint() != null
        && (readWrite.contains(node.endpoint()) || isReadOnly(node) || primary.isListedAs(node));
  }

  /** Sorts by: entry of the published primary, entry of the read-only Service, address. */
  Comparator<NodeState> order() {
    List<String> entries = primary.entries();
    return Comparator.comparing(
            (NodeState node) ->
                entries.contains(node.endpoint())
                    ? entries.indexOf(node.endpoint())
                    : entries.size())
        .thenComparing(node -> !isReadOnly(node))
        .thenComparing(NodeState::endpoint, Comparator.nullsLast(Comparator.naturalOrder()))
        .thenComparing(node -> node.node().name());
  }
}
