package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.net.InetAddress;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.function.LongSupplier;

/**
 * Probes the nodes of one cluster: makes the probes of a cycle, and turns what each of them found
 * into the state of its node. Where SQL does not give a server's timeline, its history, or an
 * answer at all, a walsender may.
 */
public final class Prober {
  private final NodePools pools;
  private final DownNodes downNodes;
  private final Timelines timelines;
  private final FullNodes fullNodes;
  private final Histories histories;
  private final Knock knock;
  private final LongSupplier nanoTime;

  /**
   * @param executor runs what waits for the network
   * @param nanoTime as {@link System#nanoTime}
   */
  public Prober(
      PostgresSettings settings,
      NodePools pools,
      DownNodes downNodes,
      ExecutorService executor,
      LongSupplier nanoTime) {
    this.pools = pools;
    this.downNodes = downNodes;
    this.timelines = new Timelines(pools, nanoTime);
    this.fullNodes = new FullNodes(pools, nanoTime);
    this.histories = new Histories(pools, nanoTime);
    this.knock = new Knock(executor, pools, settings.tcpConnectTimeout());
    this.nanoTime = nanoTime;
  }

  /** The nodes that are DOWN. */
  public DownNodes downNodes() {
    return downNodes;
  }

  /** The deadline of probes that begin now. */
  public Deadline deadline() {
    return pools.deadline();
  }

  /** The probes of a cycle, all with one deadline, in the order of the nodes. */
  public List<NodeProbe> probes(List<Node> nodes) {
    return probes(nodes, pools.deadline());
  }

  /** Probes of nodes that have just answered: a second look takes 500 ms at most. */
  public List<NodeProbe> secondLooks(List<Node> nodes) {
    return probes(nodes, pools.shortDeadline());
  }

  private List<NodeProbe> probes(List<Node> nodes, Deadline deadline) {
    long now = nanoTime.getAsLong();
    return nodes.stream()
        .map(node -> new NodeProbe(node, pools.of(node, deadline), deadline, now))
        .toList();
  }

  /**
   * The state of a node that answered.
   *
   * @param row of probe.sql, a Map; null when there was none, and a bare value when it had one
   *     column
   */
  public NodeState answered(NodeProbe probe, Object row) {
    NodeState state = Probe.answered(probe.node(), probe.pool().address(), row);
    if (state.server() != null && Probe.hidesTimeline(row)) {
      state = timelines.completed(state, row, probe.deadline());
    }
    return withHistory(state, probe.deadline());
  }

  private NodeState withHistory(NodeState state, Deadline deadline) {
    return state.server() != null && state.server().hasUnreadHistory()
        ? histories.read(state, deadline)
        : state;
  }

  /** The state of a node that did not answer; a server that is full is asked as a walsender. */
  public NodeState failed(NodeProbe probe, Throwable failure) {
    InetAddress address = probe.pool().address();
    NodeState state = Probe.failed(probe.node(), address, failure);
    return state.failure() == Failure.FULL
        ? withHistory(fullNodes.asked(state, address, probe.deadline()), probe.deadline())
        : state;
  }

  /**
   * Whether a query that failed is worth another try: the connection was kept from an earlier probe
   * and broke, which says nothing about the node.
   */
  public static boolean isWorthATry(NodeProbe probe, Throwable failure) {
    return probe.pool().isKept() && Probe.connectionBroke(failure);
  }

  /**
   * The same topology with what is known of a published primary that is no longer listed.
   *
   * @param deadline of the cycle's probes
   */
  public Topology withUnlisted(Topology topology, Published published, Deadline deadline) {
    return topology.unlistedEntries(published).isEmpty()
        ? topology
        : knock.at(topology, published, deadline);
  }

  /** Checks one node that is DOWN; {@link DownNodes#startChecks} has started it. */
  public void check(Node node) {
    try {
      pools.check(node);
      downNodes.isBack(node);
    } catch (SQLException e) {
      NodeState state = Probe.failed(node, pools.addressOf(node), e);
      if (state.state() == State.DOWN) {
        downNodes.stillDown(state);
      } else {
        downNodes.isBack(node);
      }
    } catch (RuntimeException | Error e) {
      // The next cycle probes the node itself, and meets the same.
      downNodes.isBack(node);
      throw e;
    } finally {
      downNodes.ended(node);
    }
  }
}
