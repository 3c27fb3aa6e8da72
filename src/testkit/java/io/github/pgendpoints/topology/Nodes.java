package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Node states for tests of the rules. */
public final class Nodes {
  public static final int PORT = 5432;
  public static final String CLUSTER = "7000000000000000001";

  /** The time at which the nodes of a topology are probed. */
  public static final Instant AT = Instant.parse("2026-01-01T00:00:00Z");

  private Nodes() {}

  public static Node node(String host) {
    return NodeList.parse(host, PORT, true).nodes().get(0);
  }

  /** Returns a primary on a separate server. */
  public static NodeState primary(String host, long timeline) {
    return primary(
        host, new Server(CLUSTER, startedAt(host), timeline, Lsn.of("0/3000060"), false));
  }

  public static NodeState primary(String host, Server server) {
    Node node = node(host);
    return NodeState.answered(node, State.PRIMARY, node.host(), server);
  }

  /** Returns a standby on a separate server. */
  public static NodeState standby(String host) {
    return standby(host, new Server(CLUSTER, startedAt(host), null, Lsn.of("0/3000000"), true));
  }

  public static NodeState standby(String host, Server server) {
    Node node = node(host);
    return NodeState.answered(node, State.STANDBY, node.host(), server);
  }

  /** Returns a standby that has replayed up to {@code lsn}. */
  public static NodeState standbyAt(String host, String lsn) {
    return standby(host, new Server(CLUSTER, startedAt(host), null, Lsn.of(lsn), true));
  }

  /** Returns a primary that has written up to {@code lsn}. */
  public static NodeState primaryAt(String host, String lsn) {
    return primary(host, new Server(CLUSTER, startedAt(host), 1L, Lsn.of(lsn), false));
  }

  /** Returns a server of another cluster. */
  public static Server foreign(String host) {
    return new Server("7000000000000000009", startedAt(host), 1L, Lsn.of("0/1"), false);
  }

  /** Returns a different start time for each host, in microseconds. */
  public static long startedAt(String host) {
    return 1_700_000_000_000_000L + Integer.toUnsignedLong(host.hashCode());
  }

  /** Returns the published state with a primary and no read-only addresses. */
  public static LastPublished published(long timeline, String primary) {
    return published(timeline, primary, Set.of());
  }

  /** Returns the published state with a primary and these read-only addresses. */
  public static LastPublished published(long timeline, String primary, Set<String> readOnly) {
    String entry = primary + ":" + PORT;
    return new LastPublished(
        new PublishedPrimary(
            new Line(CLUSTER, timeline, null), List.of(entry), primary, startedAt(primary)),
        CLUSTER,
        Set.of(entry),
        readOnly,
        0,
        false,
        List.of());
  }

  /** Returns the state that a first run finds: nothing is published. */
  public static LastPublished nothingPublished() {
    return new LastPublished(
        PublishedPrimary.none(), null, Set.of(), Set.of(), 0, false, List.of());
  }

  /** Returns the verdict of the rules on a topology, with every setting at its default. */
  public static Verdict verdict(Topology topology, LastPublished published) {
    return Decision.decide(
            published,
            Memory.empty(StandbyHysteresis.none()),
            topology,
            new DecisionSettings(
                new Quorum(1), new ReadOnlyRules(null, false, false), Duration.ofSeconds(7)))
        .verdict();
  }

  /** Returns the verdict on a verified topology in which every standby serves reads. */
  public static Verdict everyStandby(Topology topology) {
    return verified(topology, new ReadOnly(topology.standbys(), null, Map.of()));
  }

  /** Returns the verdict on a verified topology with one primary. */
  public static Verdict verified(Topology topology, ReadOnly readOnly) {
    NodeState primary = topology.primaries().get(0);
    Server server = primary.server();
    return new Verdict(
        Rule.VERIFIED,
        primary,
        Map.of(primary.node(), PrimaryClass.FIRST),
        Map.of(),
        new PublishedPrimary(
            server.timeline() == null
                ? null
                : new Line(server.systemIdentifier(), server.timeline(), null),
            List.of(primary.endpoint()),
            primary.node().name(),
            server.startedAt()),
        readOnly,
        null,
        topology.reachable().size(),
        1,
        List.of());
  }

  /**
   * Returns the same topology with the unread histories of its nodes filled in. Each entry of a
   * server gets a separate history.
   */
  public static Topology withHistories(
      Topology topology, Function<NodeState, HistoryAnswer> history) {
    return new Topology(
        topology.nodes().stream()
            .map(
                node ->
                    node.hasAnswered()
                            && node.state() != State.FOREIGN
                            && node.server().hasUnreadHistory()
                        ? node.with(node.server().with(history.apply(node)))
                        : node)
            .toList(),
        topology.at(),
        topology.unconfirmed(),
        topology.unanswered());
  }

  public static NodeState down(String host) {
    return NodeState.down(node(host), node(host).host(), Failure.OTHER, "Connection refused");
  }

  public static NodeState unknown(String host) {
    return NodeState.unknown(node(host), node(host).host(), Failure.OTHER, "FATAL: out of memory");
  }

  public static Topology topology(NodeState... states) {
    return new Topology(List.of(states), AT);
  }
}
