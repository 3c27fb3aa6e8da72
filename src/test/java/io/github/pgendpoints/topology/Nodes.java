package io.github.pgendpoints.topology;

/** Node states for tests of the rules. */
public final class Nodes {
  public static final int PORT = 5432;
  private static final String CLUSTER = "7000000000000000001";

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

  public static NodeState down(String host) {
    return NodeState.down(node(host), node(host).host(), "Connection refused");
  }

  public static NodeState unknown(String host) {
    return NodeState.unknown(node(host), node(host).host(), "FATAL: too many connections");
  }

  public static Topology topology(NodeState... states) {
    return new Topology(java.util.List.of(states));
  }
}
