package io.github.pgendpoints.cycle;

import io.github.pgendpoints.postgres.DownNodes;
import io.github.pgendpoints.postgres.NodeAddresses;
import io.github.pgendpoints.postgres.NodeProbe;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Topology;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Variable;

/** The steps that probe: they turn the node list into a topology. */
public final class ProbeSteps {
  private final BiConsumer<NodeProbe, NodeState> listener;

  /**
   * @param listener receives the result of each probe
   */
  public ProbeSteps(BiConsumer<NodeProbe, NodeState> listener) {
    this.listener = listener;
  }

  /**
   * Starts the probes of a cycle: resolves the names, and leaves out nodes that are known to be
   * DOWN. If a server has changed, a write may follow, and the data for it is read meanwhile.
   *
   * @return one probe per node, the published nodes first
   */
  public List<NodeProbe> startProbes(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("published") LastPublished published,
      @Variable("nodes") List<Node> nodes) {
    boolean mayWrite = cycle.isLeading() && cluster.prober().hasChanges();
    cluster.services().readAhead(mayWrite ? List.of(cluster.publisher().rwService()) : List.of());
    cluster.budget().pause();
    NodeAddresses places = cluster.prober().locate(published.servedFirst(nodes));
    DownNodes.Split split = cluster.prober().downNodes().begin(places.nodes());
    List<NodeProbe> probes = cluster.prober().startProbes(split.toProbe());
    cycle.probe(
        places,
        split.down(),
        cluster.clock().instant(),
        probes.isEmpty() ? cluster.prober().deadline() : probes.get(0).deadline());
    return probes;
  }

  public DataSource dataSource(@Body NodeProbe probe) {
    return probe.pool();
  }

  /** Returns the SQL query of a probe: the columns that our role may read on the node. */
  public String query(@Body NodeProbe probe) {
    return probe.query();
  }

  /** Returns the state of a node that answered. */
  public NodeState completeAnswer(
      @Variable("cluster") Cluster cluster, @Variable("probe") NodeProbe probe, @Body Object row) {
    return report(probe, cluster.prober().completeAnswer(probe, row));
  }

  /** Returns the state of a node that did not answer. */
  public NodeState probeOtherwise(
      @Variable("cluster") Cluster cluster, @Variable("probe") NodeProbe probe, Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    return report(probe, cluster.prober().probeOtherwise(probe, failure));
  }

  private NodeState report(NodeProbe probe, NodeState state) {
    listener.accept(probe, state);
    return state;
  }

  /** Whether to retry a failed query; there is only one retry. */
  public boolean shouldRetry(
      @Variable("probe") NodeProbe probe,
      @Header(Exchange.REDELIVERY_COUNTER) int tries,
      Exchange exchange) {
    // The whole chain: @ExchangeException passes the innermost cause, which has no SQLState.
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    // Camel already counts the attempt in question.
    return tries == 1 && probe.shouldRetry(failure);
  }

  public Topology collectTopology(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("published") LastPublished published,
      @Variable("nodes") List<Node> nodes,
      @Body List<NodeState> probed) {
    List<NodeState> states = probed == null ? List.of() : probed;
    cluster.prober().downNodes().record(states);
    List<NodeState> all = Stream.concat(states.stream(), cycle.unprobed().stream()).toList();
    Topology whole = Topology.of(cycle.expected(), all, cycle.probedAt());
    List<NodeState> joined =
        cluster.prober().joinAddresses(nodes, whole.nodes(), published, cluster.memory().rivals());
    return complete(
        cluster, cycle, published, new Topology(joined, whole.at()).identifiedBy(published));
  }

  private static Topology complete(
      Cluster cluster, Cycle cycle, LastPublished published, Topology topology) {
    if (!cluster.prober().nodesToRecheck(topology, published).isEmpty()) {
      return topology;
    }
    cluster.budget().resume();
    return cluster
        .prober()
        .checkUnlisted(topology, published, cluster.memory().rivals(), cycle.deadline());
  }

  /** Whether some nodes must be probed once more. */
  public boolean needsRecheck(
      @Variable("cluster") Cluster cluster,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology) {
    return !cluster.prober().nodesToRecheck(topology, published).isEmpty();
  }

  /** How long to wait before the second probes, in milliseconds. */
  public long recheckDelay(
      @Variable("cluster") Cluster cluster,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology) {
    return cluster.prober().recheckDelay(topology, published).toMillis();
  }

  /** Starts the second probes of the nodes in doubt. */
  public List<NodeProbe> startRechecks(
      @Variable("cluster") Cluster cluster,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology) {
    return cluster
        .prober()
        .startRechecks(topology, cluster.prober().nodesToRecheck(topology, published));
  }

  /** Returns the topology with the results of the second probes. */
  public Topology updateTopology(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology,
      @Body List<NodeState> rechecked) {
    Topology updated = topology.updatedBy(rechecked).identifiedBy(published);
    cluster.budget().resume();
    return cluster
        .prober()
        .checkUnlisted(updated, published, cluster.memory().rivals(), cycle.deadline());
  }

  /** Starts the checks of nodes that are DOWN. */
  public List<Node> startChecks(@Variable("cluster") Cluster cluster) {
    return cluster.prober().downNodes().startChecks();
  }

  /** Checks one of the nodes that are DOWN. */
  public void checkDown(@Variable("cluster") Cluster cluster, @Body Node node) {
    cluster.prober().check(node, cluster.schedule()::isUrgent);
  }
}
