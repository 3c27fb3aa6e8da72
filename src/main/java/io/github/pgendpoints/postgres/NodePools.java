package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * The data sources of the nodes of one cluster. Each is created when its node is first probed, and
 * closed when its node has left.
 */
public final class NodePools implements AutoCloseable {
  /** A probe must find what a new client finds, so it uses no session with an older login. */
  static final Duration MAX_LOGIN_AGE = Duration.ofSeconds(10);

  private static final Duration ONE_MORE_QUERY = Duration.ofMillis(500);

  private final PostgresSettings settings;
  private final Login login;
  private final Executor executor;
  private final LongSupplier nanoTime;
  private final Map<Node, NodePool> pools = new ConcurrentHashMap<>();
  private final List<NodeCache<?>> memories = new CopyOnWriteArrayList<>();
  private volatile Map<Node, Node> asked = Map.of();
  private final ScheduledExecutorService housekeeper =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "pools");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param executor runs each login
   * @param nanoTime as {@link System#nanoTime}
   */
  public NodePools(PostgresSettings settings, Executor executor, LongSupplier nanoTime) {
    this.settings = settings;
    this.login = new Login(settings);
    this.executor = executor;
    this.nanoTime = nanoTime;
  }

  /** Returns the deadline of probes that begin now, including all their steps and retries. */
  public Deadline deadline() {
    return Deadline.in(settings.connectTimeout());
  }

  /** The pool of a node, for a probe that ends by this deadline. */
  NodePool of(Node node, Deadline deadline) {
    return of(node, deadline, nanoTime.getAsLong() - MAX_LOGIN_AGE.toNanos());
  }

  /**
   * The pool of a node, for a probe that ends by this deadline.
   *
   * @param notBefore the session must have logged in at this time or later, as {@link
   *     System#nanoTime}
   */
  NodePool of(Node node, Deadline deadline, long notBefore) {
    NodePool pool = pools.computeIfAbsent(asked(node), this::pool);
    pool.begin(deadline, notBefore);
    return pool;
  }

  /** Whether the node has a session that logged in at that time or later. */
  boolean hasLoggedIn(Node node, long notBefore) {
    NodePool pool = pools.get(asked(node));
    return pool != null && pool.hasLoggedIn(notBefore);
  }

  /** Sets the current address of a node. A session at another address ends. */
  void move(Node node, InetAddress address) {
    pools.computeIfAbsent(node, this::pool).move(address);
  }

  /**
   * Drops the pools and the cached values of nodes that have left. No probe may be running.
   *
   * @param isPresent whether a node is still there
   * @param addresses for each entry with several addresses, the one to query from now on
   */
  void retain(Predicate<Node> isPresent, Map<Node, Node> addresses) {
    asked = Map.copyOf(addresses);
    memories.forEach(memory -> memory.removeIf(isPresent.negate()));
    for (Node node : List.copyOf(pools.keySet())) {
      if (!isPresent.test(node) || addresses.containsKey(node)) {
        closeBesideTheCycle(pools.remove(node));
      }
    }
  }

  private void closeBesideTheCycle(NodePool pool) {
    try {
      housekeeper.execute(pool::close);
    } catch (RejectedExecutionException e) {
      // The pools are closed.
      pool.close();
    }
  }

  /** Creates a cache of values of the nodes. It drops the values of nodes that have left. */
  <V> NodeCache<V> memory() {
    NodeCache<V> memory = new NodeCache<>(nanoTime);
    memories.add(memory);
    return memory;
  }

  /** Returns the node to query: an entry with several addresses is queried at one of them. */
  private Node asked(Node node) {
    return pools.containsKey(node) ? node : asked.getOrDefault(node, node);
  }

  private NodePool pool(Node node) {
    return new NodePool(
        node,
        settings,
        new Logins(node, login, executor),
        housekeeper,
        ProbeThreads.daemons(executor, node.name() + ":connection"),
        nanoTime);
  }

  /** Returns the means to query a server through this sender. */
  ProbeQuery.FollowUps followUps(ProbeQuery.Sender sender, Deadline deadline) {
    return new ProbeQuery.FollowUps(sender, deadline, settings.statementTimeout());
  }

  /** The current address of the node; null before it is resolved. */
  InetAddress addressOf(Node node) {
    NodePool pool = pools.get(asked(node));
    return pool == null ? null : pool.address();
  }

  /**
   * Logs in to the node outside its pool. The next probe of the node uses that session. If the node
   * has left meanwhile, does nothing.
   *
   * @throws SQLException with the reason if the login fails
   */
  void check(Node node) throws SQLException {
    NodePool pool = pools.get(node);
    if (pool != null) {
      pool.check(deadline());
    }
  }

  /** Ends the session of a check, so that no probe uses it. */
  void forgetCheck(Node node) {
    NodePool pool = pools.get(node);
    if (pool != null) {
      pool.forgetCheck();
    }
  }

  /**
   * Opens a connection to a walsender of a node, which the caller closes soon.
   *
   * @throws SQLException with the SQLState of the server
   */
  Walsender walsender(Node node, InetAddress address, Deadline deadline) throws SQLException {
    return new Walsender(login.toWalsender(node, address, deadline), deadline);
  }

  /** Returns the deadline, or one with time for one more query if less time is left. */
  Deadline atLeastShort(Deadline deadline) {
    Deadline shortest = Deadline.in(ONE_MORE_QUERY);
    return deadline.remainingMillis() < shortest.remainingMillis() ? shortest : deadline;
  }

  /**
   * Creates a watch on which servers report changes of their roles.
   *
   * @param changed called when a server reports a change or ends its session
   */
  public RoleWatch roleWatch(Runnable changed) {
    return new RoleWatch(login, settings.connectTimeout(), executor, changed);
  }

  @Override
  public void close() {
    pools.values().forEach(NodePool::close);
    housekeeper.shutdownNow();
  }
}
