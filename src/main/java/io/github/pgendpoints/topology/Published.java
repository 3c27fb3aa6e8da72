package io.github.pgendpoints.topology;

import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * What the Endpoints of both Services say of the last verified topology.
 *
 * @param systemIdentifier of the published cluster; null when none is stored
 * @param timeline of the published primary; 0 when none is stored
 * @param primary the PG_NODES entry of the published primary; null when none is stored
 * @param primaryEndpoint its {@code ip:port}, from the stored topology; null when none is stored
 * @param readOnly the {@code ip:port} of every address in the read-only Endpoints
 * @param paused whether an annotation says so
 * @param faults what is stored and cannot be read: one sentence each
 */
public record Published(
    String systemIdentifier,
    long timeline,
    String primary,
    String primaryEndpoint,
    Set<String> readOnly,
    boolean paused,
    List<String> faults) {
  public Published {
    readOnly = Set.copyOf(readOnly);
    faults = List.copyOf(faults);
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
    if (node.name().equals(primary)) {
      return 0;
    }
    return readOnly.contains(Addresses.withPort(node.host(), node.port(), -1)) ? 1 : 2;
  }

  /** Whether the node is in the read-only Endpoints now. */
  boolean isReadOnly(NodeState node) {
    return node.endpoint() != null && readOnly.contains(node.endpoint());
  }
}
