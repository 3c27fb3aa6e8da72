package io.github.pgendpoints.topology;

import java.util.List;
import java.util.Set;

/** Node states for tests of the rules. */
public final class Nodes {
  public static final int PORT = 5432;
  public static final String CLUSTER = "7000000000000000001";

  private Nodes() {}

  public static Node node(String host) {
    return NodeList.parse(host, PORT, true).nodes().get(0);
  }

  /** A primary on a server of its own. */
  public static NodeState primary(String host, long timeline) {
    return primary(
        host, new Server(CLUSTER, "started " + host, timeline, Lsn.of("0/3000060"), false));
  }

  public static NodeState primary(String host, Server server) {
    Node node = node(host);
    return NodeState.answered(node, State.PRIMARY, node.host(), server);
  }

  /** A standby on a server of its own. */
  public static NodeState standby(String host) {
    return standby(host, new Server(CLUSTER, "started " + host, null, Lsn.of("0/3000000"), true));
  }

  public static NodeState standby(String host, Server server) {
    Node node = node(host);
    return NodeState.answered(node, State.STANDBY, node.host(), server);
  }

  /** A standby that has replayed up to {@code lsn}. */
  public static NodeState standbyAt(String host, String lsn) {
    return standby(host, new Server(CLUSTER, "started " + host, null, Lsn.of(lsn), true));
  }

  /** A primary that has written up to {@code lsn}. */
  public static NodeState primaryAt(String host, String lsn) {
    return primary(host, new Server(CLUSTER, "started " + host, 1L, Lsn.of(lsn), false));
  }

  /** A server of another cluster. */
  public static Server foreign(String host) {
    return new Server("7000000000000000009", "started " + host, 1L, Lsn.of("0/1"), false);
  }

  /** What is stored of a primary; nothing is read from. */
  public static Published published(long timeline, String primary) {
    return published(timeline, primary, Set.of());
  }

  /** What is stored of a primary and of the addresses that are read from. */
  public static Published published(long timeline, String primary, Set<String> readOnly) {
    return new Published(
        CLUSTER, timeline, primary, primary + ":" + PORT, readOnly, false, List.of());
  }

  /** What a first run finds: nothing. */
  public static Published nothingPublished() {
    return new Published(null, 0, null, null, Set.of(), false, List.of());
  }

  public static NodeState down(String host) {
    return NodeState.down(node(host), node(host).host(), "Connection refused");
  }

  public static NodeState unknown(String host) {
    return NodeState.unknown(node(host), node(host).host(), "FATAL: too many connections");
  }

  public static Topology topology(NodeState... states) {
    return new Topology(List.of(states));
  }
}
