package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * Lets servers report a change of their role, instead of querying them again and again. Each server
 * has one {@link RoleSession}. A report is no evidence. It only requests a cycle, which probes the
 * nodes as a new client does. Thread-safe.
 */
public final class RoleWatch implements AutoCloseable {
  /** The most sessions. Each takes a connection of its server and a thread of this process. */
  static final int MAX = 16;

  /** The time from one check of its role by a standby to the next. */
  private static final Duration PAUSE = Duration.ofMillis(25);

  /** The same while a failover is possible. */
  private static final Duration SHORT_PAUSE = Duration.ofMillis(5);

  /** The pause from the end of a session that worked to the next, so that a loop costs little. */
  private static final Duration AGAIN = Duration.ofSeconds(1);

  /** The time until the next attempt to watch a server that could not be watched. */
  private static final Duration LATER = Duration.ofMinutes(1);

  private final Login login;
  private final Duration timeout;
  private final Executor executor;
  private final Runnable changed;
  private final Map<Node, RoleSession> holds = new HashMap<>();
  private final Map<Node, RoleSession.Report> reports = new HashMap<>();
  private volatile Duration pause = PAUSE;
  private Set<Node> wanted = Set.of();
  private boolean all;

  /**
   * @param timeout PGCONNECT_TIMEOUT
   * @param executor runs each session
   * @param changed called when a server reports a change or ends its session
   */
  RoleWatch(Login login, Duration timeout, Executor executor, Runnable changed) {
    this.login = login;
    this.timeout = timeout;
    this.executor = executor;
    this.changed = changed;
  }

  /**
   * Watches the servers that answered, and no others.
   *
   * @param topology the result of the last cycle
   * @param pools the source of the addresses of the nodes
   * @param urgent whether a failover is possible
   */
  synchronized void follow(Topology topology, NodePools pools, boolean urgent) {
    pause = urgent ? SHORT_PAUSE : PAUSE;
    List<NodeState> servers = new ArrayList<>();
    boolean known = true;
    for (NodeState node : topology.nodes()) {
      if (node.state() == State.PRIMARY || node.state() == State.STANDBY) {
        servers.add(node);
      } else {
        known = known && node.state() == State.DOWN;
      }
    }
    servers.sort(Comparator.comparing(node -> node.state() != State.PRIMARY));
    all = known && servers.size() <= MAX;
    Set<Node> followed = new HashSet<>();
    for (NodeState server : servers.subList(0, Math.min(servers.size(), MAX))) {
      if (pools.addressOf(server.node()) != null) {
        followed.add(server.node());
        follow(server, pools);
      }
    }
    wanted = followed;
    List.copyOf(holds.keySet()).stream()
        .filter(node -> !followed.contains(node))
        .forEach(node -> holds.remove(node).close());
  }

  private void follow(NodeState server, NodePools pools) {
    Node node = server.node();
    RoleSession last = holds.get(node);
    boolean isSame = last != null && last.isAbout(pools.addressOf(node), server.state());
    if (isSame && !isOver(last)) {
      return;
    }
    if (last != null) {
      last.close();
    }
    RoleSession session =
        new RoleSession(
            node,
            pools.addressOf(node),
            server.state(),
            login,
            timeout,
            () -> pause,
            report -> take(node, report));
    holds.put(node, session);
    try {
      executor.execute(session);
    } catch (RejectedExecutionException e) {
      // No thread is available. The probes of the cycles detect changes of this node.
      holds.remove(node);
    }
  }

  /** Whether a new session may replace this one. */
  private static boolean isOver(RoleSession session) {
    return switch (session.stage()) {
      case STARTING, HELD -> false;
      case UNSUITABLE -> session.sinceEnd().compareTo(LATER) >= 0;
      case ENDED -> session.sinceEnd().compareTo(AGAIN) >= 0;
    };
  }

  private void take(Node node, RoleSession.Report report) {
    synchronized (reports) {
      reports.put(node, report);
    }
    changed.run();
  }

  /** Whether all servers that answered the last cycle report changes, and all others are DOWN. */
  public synchronized boolean isComplete() {
    return all
        && !wanted.isEmpty()
        && wanted.stream()
            .map(holds::get)
            .allMatch(hold -> hold != null && hold.stage() == RoleSession.Stage.HELD);
  }

  /** Whether the node has, or is about to get, a separate session here. */
  synchronized boolean follows(Node node) {
    return wanted.contains(node);
  }

  /** The nodes that were primaries in the last cycle and whose sessions are still open. */
  synchronized Set<Node> primaries() {
    Set<Node> primaries = new HashSet<>();
    holds.forEach(
        (node, hold) -> {
          if (hold.role() == State.PRIMARY && hold.stage() == RoleSession.Stage.HELD) {
            primaries.add(node);
          }
        });
    return primaries;
  }

  /** Whether any node has reported a change since the last call of {@link #takeReports}. */
  boolean hasReports() {
    synchronized (reports) {
      return !reports.isEmpty();
    }
  }

  /** Returns and clears the reports since the last call. */
  Map<Node, RoleSession.Report> takeReports() {
    synchronized (reports) {
      Map<Node, RoleSession.Report> taken = Map.copyOf(reports);
      reports.clear();
      return taken;
    }
  }

  /** Ends all sessions; {@link #follow} may start new ones. */
  @Override
  public synchronized void close() {
    holds.values().forEach(RoleSession::close);
    holds.clear();
    wanted = Set.of();
  }
}
