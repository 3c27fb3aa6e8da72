package io.github.pgendpoints.topology;

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

  /** Whether the node is in the read-only Endpoints now. */
  boolean isReadOnly(NodeState node) {
    return node.endpoint() != null && readOnly.contains(node.endpoint());
  }
}
