package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Predicate;

/** The data sources of one cluster's nodes, each made when its node is first probed. */
public final class NodePools implements AutoCloseable {
  private static final Duration ONE_MORE_QUESTION = Duration.ofMillis(500);

  private final PostgresSettings settings;
  private final Login login;
  private final ReadyCheck readyCheck;
  private final Resolver resolver;
  private final Map<Node, NodePool> pools = new ConcurrentHashMap<>();
  private final ScheduledExecutorService housekeeper =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "pools");
            thread.setDaemon(true);
            return thread;
          });

  /** The nodes from the one on that is looked at next. */
  private Iterator<Map.Entry<Node, NodePool>> next = Collections.emptyIterator();

  /**
   * @param resolver finds the address of a node
   */
  public NodePools(PostgresSettings settings, Resolver resolver) {
    this.settings = settings;
    this.resolver = resolver;
    this.login = new Login(settings);
    this.readyCheck = new ReadyCheck(settings);
  }

  /**
   * The probes of a cycle begin: when they have to end, with all of their steps and second tries.
   */
  public Deadline deadline() {
    return Deadline.in(settings.connectTimeout());
  }

  /** The deadline of one more question in the same cycle, to nodes that have just answered. */
  public Deadline shortDeadline() {
    return Deadline.in(ONE_MORE_QUESTION);
  }

  /** The pool of a node, for a probe that ends by this deadline. */
  NodePool of(Node node, Deadline deadline) {
    NodePool pool =
        pools.computeIfAbsent(
            node,
            unseen ->
                new NodePool(
                    unseen, resolver, login, readyCheck, keptConnectionTimeout(), housekeeper));
    pool.begin(deadline);
    return pool;
  }

  /** The address that the node was last probed at; null when its name did not resolve. */
  InetAddress addressOf(Node node) {
    NodePool pool = pools.get(node);
    return pool == null ? null : pool.address();
  }

  /**
   * Logs in and out beside the pool of the node.
   *
   * @throws SQLException saying why that is not possible
   */
  void check(Node node) throws SQLException {
    Deadline deadline = deadline();
    InetAddress address = resolver.resolve(node, deadline);
    readyCheck.check(new InetSocketAddress(address, node.port()), deadline);
    login.to(node, address, deadline).connection().close();
  }

  /**
   * A connection to a walsender of a node, for the moment.
   *
   * @throws SQLException with the server's own SQLState
   */
  Walsender walsender(Node node, InetAddress address, Deadline deadline) throws SQLException {
    return new Walsender(login.toWalsender(node, address, deadline), deadline);
  }

  /** The deadline, or that of one more question where so much time is not left. */
  Deadline atLeastShort(Deadline deadline) {
    Deadline shortest = shortDeadline();
    return deadline.remainingMillis() < shortest.remainingMillis() ? shortest : deadline;
  }

  /**
   * Whether a connection has broken between two cycles: the earliest sign of trouble there is. Each
   * is told of once. Looks at the primary's, and at one of the others in turn: a look takes a
   * millisecond, and there may be many nodes.
   *
   * @param primary the node whose end matters most; null when there is none
   * @param excepted the nodes that are asked beside the cycles
   */
  public boolean anyBroken(Node primary, Predicate<Node> excepted) {
    NodePool first = primary == null || excepted.test(primary) ? null : pools.get(primary);
    if (first != null && first.hasBroken()) {
      return true;
    }
    for (int i = 0; i < pools.size(); i++) {
      next = next.hasNext() ? next : pools.entrySet().iterator();
      Map.Entry<Node, NodePool> other = next.next();
      if (other.getValue() != first && !excepted.test(other.getKey())) {
        return other.getValue().hasBroken();
      }
    }
    return false;
  }

  private Duration keptConnectionTimeout() {
    Duration half = settings.connectTimeout().dividedBy(2);
    return settings.tcpConnectTimeout().compareTo(half) < 0 ? settings.tcpConnectTimeout() : half;
  }

  @Override
  public void close() throws SQLException {
    for (NodePool pool : pools.values()) {
      pool.close();
    }
    housekeeper.shutdownNow();
  }
}
