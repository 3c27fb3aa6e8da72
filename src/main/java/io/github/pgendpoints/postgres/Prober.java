package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.MultiAddressEntries;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Rival;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Probes the nodes of one cluster: creates the probes of a cycle, and converts the result of each
 * probe to the state of its node. If SQL does not return a server's timeline, its history, or any
 * answer at all, a walsender may.
 */
public final class Prober {
  private static final Duration MOMENT = Duration.ofSeconds(1);
  private static final long MAX_LOGIN_AGE = NodePools.MAX_LOGIN_AGE.toNanos();

  /** Writes move only between nodes whose logins are no older than this. */
  private static final long RECENT = Duration.ofSeconds(3).toNanos();

  /** While a failover is possible, logins are renewed at this age, so that moves wait for none. */
  private static final long RENEWED = Duration.ofSeconds(2).toNanos();

  /**
   * The states of the nodes when some of them needed a second probe.
   *
   * @param since when the probes of that cycle began, as {@link System#nanoTime}
   */
  private record Recheck(Map<Node, State> states, long since) {}

  private final Resolver resolver;
  private final MultiAddressEntries names = new MultiAddressEntries();
  private final NodePools pools;
  private final DownNodes downNodes;
  private final Timelines timelines;
  private final FullNodes fullNodes;
  private final Histories histories;
  private final TcpCheck tcpCheck;
  private final RoleWatch roles;
  private final LongSupplier nanoTime;
  private volatile boolean urgent;
  private long probesBegan;
  private Recheck recheck;

  /**
   * @param resolver finds the addresses of nodes
   * @param roles requests a cycle when a server changes its role
   * @param executor runs the tasks that wait for the network
   * @param nanoTime as {@link System#nanoTime}
   */
  public Prober(
      PostgresSettings settings,
      Resolver resolver,
      NodePools pools,
      DownNodes downNodes,
      RoleWatch roles,
      ExecutorService executor,
      LongSupplier nanoTime) {
    this.resolver = resolver;
    this.pools = pools;
    this.downNodes = downNodes;
    this.roles = roles;
    this.timelines = new Timelines(pools);
    this.fullNodes = new FullNodes(pools, nanoTime);
    this.histories = new Histories(pools);
    this.tcpCheck = new TcpCheck(executor, pools, settings.tcpConnectTimeout());
    this.nanoTime = nanoTime;
  }

  /** The nodes that are DOWN. */
  public DownNodes downNodes() {
    return downNodes;
  }

  /** Whether a server changed its role, ended its session, or came back since the last probes. */
  public boolean hasChanges() {
    return roles.hasReports() || downNodes.hasOneBack();
  }

  /** The deadline of probes that begin now. */
  public Deadline deadline() {
    return pools.deadline();
  }

  /** Resolves the names of the entries, and sets the current address of each node. */
  public NodeAddresses locate(List<Node> entries) {
    NodeAddresses places = resolver.places(entries, pools.deadline());
    places.addresses().forEach(pools::move);
    return places;
  }

  /**
   * Joins the states of addresses to states of nodes, and drops the data of nodes that have left.
   * All probes of the cycle must have ended.
   *
   * @param entries the node list
   * @param states one for each entry, or one for each of its addresses
   */
  public List<NodeState> joinAddresses(
      List<Node> entries, List<NodeState> states, LastPublished published, List<Rival> rivals) {
    List<NodeState> joined = names.joined(entries, states, published, rivals);
    Map<Node, Node> asked = new HashMap<>();
    states.stream()
        .filter(state -> state.node().address() != null)
        .forEach(
            part ->
                joined.stream()
                    .filter(part::isPartOf)
                    .findFirst()
                    .ifPresent(node -> asked.putIfAbsent(node.node(), part.node())));
    Set<Node> present =
        Stream.concat(states.stream(), joined.stream())
            .map(NodeState::node)
            .collect(Collectors.toSet());
    Set<Node> unresolved =
        states.stream()
            .filter(state -> state.address() == null)
            .map(NodeState::node)
            .collect(Collectors.toSet());
    pools.retain(node -> present.contains(node) || unresolved.contains(node.entry()), asked);
    return joined;
  }

  /**
   * Creates the probes of a cycle, all with one deadline, in the order of the nodes. If the session
   * of a server has ended, the probes of all watched servers log in again, so that a promotion that
   * follows need not wait for a login. So do those of several primaries, which need second probes.
   */
  public List<NodeProbe> startProbes(List<Node> nodes) {
    probesBegan = nanoTime.getAsLong();
    Map<Node, RoleSession.Report> reports = roles.takeReports();
    return probes(nodes, node -> probesBegan - maxLoginAge(reports, node));
  }

  private long maxLoginAge(Map<Node, RoleSession.Report> reports, Node node) {
    // One session watches all addresses of a server.
    Node watched = roles.follows(node) ? node : node.entry();
    if (!roles.follows(watched)) {
      return MAX_LOGIN_AGE;
    }
    if (reports.containsValue(RoleSession.Report.GONE) || isRival(reports, watched)) {
      return 0;
    }
    if (reports.containsKey(watched)) {
      return RECENT;
    }
    return urgent ? RENEWED : MAX_LOGIN_AGE;
  }

  /** Whether a standby was promoted beside a primary, and the node is one of them. */
  private boolean isRival(Map<Node, RoleSession.Report> reports, Node node) {
    Set<Node> primaries = roles.primaries();
    return reports.containsValue(RoleSession.Report.PROMOTED)
        && !primaries.isEmpty()
        && (reports.containsKey(node) || primaries.contains(node));
  }

  /**
   * Lets servers report role changes from now on, if this replica leads and other cycles follow.
   *
   * @param leading whether this replica leads, and so acts on the reports
   * @param topology the result of the last cycle; may be null if this replica does not lead
   * @param urgent whether a failover is possible
   */
  public void watchRoles(boolean leading, Topology topology, boolean urgent) {
    this.urgent = leading && urgent;
    if (!leading) {
      roles.close();
    } else if (downNodes.isContinuous()) {
      roles.follow(topology, pools, urgent);
    }
  }

  /**
   * Returns the nodes to probe once more: contested nodes; nodes between which writes would move,
   * unless their logins are recent; and, in a run of one cycle, the standbys without which the
   * read-only Service would be empty.
   */
  public List<Node> nodesToRecheck(Topology topology, LastPublished published) {
    Stream<Node> moving =
        topology.moving(published).stream()
            .filter(node -> !pools.hasLoggedIn(node, probesBegan - RECENT));
    return Stream.of(topology.contested().stream(), moving, lost(topology, published).stream())
        .flatMap(nodes -> nodes)
        .distinct()
        .toList();
  }

  private List<Node> lost(Topology topology, LastPublished published) {
    return downNodes.isContinuous() ? List.of() : topology.lostStandbys(published);
  }

  /** The wait before second probes, so that a short outage does not empty the read-only Service. */
  public Duration recheckDelay(Topology topology, LastPublished published) {
    return lost(topology, published).isEmpty() ? Duration.ZERO : MOMENT;
  }

  /**
   * Creates second probes, which must find what a new client finds: none uses a session that logged
   * in before the cycle began. While the next cycles find all nodes in the same states, their
   * second probes may use the logins of this cycle.
   */
  public List<NodeProbe> startRechecks(Topology topology, List<Node> nodes) {
    Map<Node, State> states = new HashMap<>();
    topology.nodes().forEach(node -> states.put(node.node(), node.state()));
    if (recheck == null || !recheck.states().equals(states)) {
      recheck = new Recheck(states, probesBegan);
    }
    long notBefore = Math.max(recheck.since(), probesBegan - RECENT);
    return probes(nodes, node -> notBefore);
  }

  private List<NodeProbe> probes(List<Node> nodes, ToLongFunction<Node> notBefore) {
    Deadline deadline = pools.deadline();
    long now = nanoTime.getAsLong();
    return nodes.stream()
        .map(
            node ->
                new NodeProbe(
                    node, pools.of(node, deadline, notBefore.applyAsLong(node)), deadline, now))
        .toList();
  }

  /**
   * Returns the state of a node that answered.
   *
   * @param row of the query, a Map; null if there is no row, and a bare value if it has one column
   */
  public NodeState completeAnswer(NodeProbe probe, Object row) {
    NodePool pool = probe.pool();
    Map<String, Object> columns = new HashMap<>();
    if (row instanceof Map<?, ?> map) {
      map.forEach((name, value) -> columns.put(String.valueOf(name), value));
    }
    pool.recordBackend(columns.get(ProbeColumn.BACKEND));
    boolean isRole = columns.get(ProbeColumn.IN_RECOVERY) instanceof Boolean;
    return state(
        probe,
        isRole
            ? pool.query().completed(columns, pool.followUps())
            : new ProbeQuery.Answer(columns, Map.of(), Set.of()));
  }

  private NodeState state(NodeProbe probe, ProbeQuery.Answer answer) {
    NodeState state = Probe.answered(probe.node(), probe.pool().address(), answer);
    if (state.server() != null && Probe.hidesTimeline(answer)) {
      state = timelines.completed(state, answer, probe.deadline());
    }
    return withHistory(state, probe.deadline());
  }

  private NodeState withHistory(NodeState state, Deadline deadline) {
    return state.server() != null && state.server().hasUnreadHistory()
        ? histories.read(state, deadline)
        : state;
  }

  /**
   * Returns the state of a node whose query failed. If the server answered with an error, each
   * column is queried alone. If the server has no free connection, a walsender is queried.
   */
  public NodeState probeOtherwise(NodeProbe probe, Throwable failure) {
    NodePool pool = probe.pool();
    Throwable last = failure;
    if (pool.isConnected() && !Probe.sessionEnded(failure)) {
      try {
        return state(probe, pool.queryOneByOne());
      } catch (SQLException e) {
        last = e;
      }
    }
    InetAddress address = pool.address();
    NodeState state = Probe.failed(probe.node(), address, last);
    return state.failure() == Failure.FULL
        ? withHistory(fullNodes.probed(state, address, probe.deadline()), probe.deadline())
        : state;
  }

  /**
   * Returns the topology with the TCP check of a published primary that is no longer listed, and of
   * rivals whose name has lost their address.
   *
   * @param deadline of the cycle's probes
   */
  public Topology checkUnlisted(
      Topology topology, LastPublished published, List<Rival> rivals, Deadline deadline) {
    List<String> entries = topology.unlistedEntries(published, rivals);
    return entries.isEmpty() ? topology : tcpCheck.markUnanswered(topology, entries, deadline);
  }

  /**
   * Checks one node that is DOWN, after {@link DownNodes#startChecks} returned it. While a failover
   * is possible and few nodes are DOWN, repeats the attempt for half of PGCONNECT_TIMEOUT.
   *
   * @param urgent whether a failover is possible, and this replica acts on it
   */
  public void check(Node node, BooleanSupplier urgent) {
    try {
      while (isStillDown(node) && urgent.getAsBoolean() && downNodes.hasTimeForAnotherTry(node)) {
        Thread.sleep(DownNodes.RETRY_PAUSE.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      // The next cycle probes the node itself, and gets the same error.
      downNodes.reportBack(node);
      throw e;
    } finally {
      downNodes.endCheck(node);
    }
  }

  private boolean isStillDown(Node node) {
    try {
      pools.check(node);
    } catch (SQLException e) {
      NodeState state = Probe.failed(node, pools.addressOf(node), e);
      if (state.state() == State.DOWN) {
        downNodes.recordDown(state);
        return true;
      }
    }
    if (!downNodes.reportBack(node)) {
      pools.forgetCheck(node);
    }
    return false;
  }
}
