package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * What the objects of both Services say.
 *
 * @param primary the primary verified last
 * @param systemIdentifier of the published cluster; null when none is stored
 * @param readWrite the {@code ip:port} of every address behind the read-write Service
 * @param readOnly the same of the read-only Service
 * @param generation how often a person has overruled what was published; 0 for never
 * @param paused whether an annotation says so
 * @param faults what is stored and cannot be read: one sentence each
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

  /** The line that is published; null when there is none. */
  public Line line() {
    return primary.line();
  }

  /** The same with another primary, which is remembered better elsewhere. */
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

  /** The same with something more that cannot be read. */
  public LastPublished withFault(String fault) {
    List<String> all = new ArrayList<>(faults);
    all.add(fault);
    return new LastPublished(
        primary, systemIdentifier, readWrite, readOnly, generation, paused, all);
  }

  /**
   * The nodes in the order to ask them in: those that served last come first. Of a thousand that
   * are not there, each takes a thread and a little time, and the last one asked has the least of
   * it.
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

  /** The published entries first, then those that are read from, then by address. */
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
