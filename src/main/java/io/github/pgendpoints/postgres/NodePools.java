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
 * The data sources of one cluster's nodes, each made when its node is first probed, and closed when
 * its node has left.
 */
public final class NodePools implements AutoCloseable {
  /** A node is what a new client finds: no session counts longer than this after its login. */
  static final Duration MAX_LOGIN_AGE = Duration.ofSeconds(10);

  private static final Duration ONE_MORE_QUESTION = Duration.ofMillis(500);

  private final PostgresSettings settings;
  private final Login login;
  private final Executor executor;
  private final LongSupplier nanoTime;
  private final Map<Node, NodePool> pools = new ConcurrentHashMap<>();
  private final List<Remembered<?>> memories = new CopyOnWriteArrayList<>();
  private volatile Map<Node, Node> asked = Map.of();
  private final ScheduledExecutorService housekeeper =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "pools");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param executor runs a login each
   * @param nanoTime as {@link System#nanoTime}
   */
  public NodePools(PostgresSettings settings, Executor executor, LongSupplier nanoTime) {
    this.settings = settings;
    this.login = new Login(settings);
    this.executor = executor;
    this.nanoTime = nanoTime;
  }

  /**
   * The probes of a cycle begin: when they have to end, with all of their steps and second tries.
   */
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

  /** Follows a node to the address that it has now. */
  void move(Node node, InetAddress address) {
    pools.computeIfAbsent(node, this::pool).move(address);
  }

  /**
   * Forgets the nodes that have left, once no probe asks them.
   *
   * @param isPresent whether a node is still there
   * @param addresses of each entry that has several, the one to ask it at from now on
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

  /** A memory of the nodes, which forgets those that have left. */
  <V> Remembered<V> memory() {
    Remembered<V> memory = new Remembered<>(nanoTime);
    memories.add(memory);
    return memory;
  }

  /** The node to ask: an entry with several addresses is asked at one of them. */
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

  /** A way to ask a server by this sender. */
  ProbeQuery.Question question(ProbeQuery.Sender sender, Deadline deadline) {
    return new ProbeQuery.Question(sender, deadline, settings.statementTimeout());
  }

  /** The address that the node has; null before it was located. */
  InetAddress addressOf(Node node) {
    NodePool pool = pools.get(asked(node));
    return pool == null ? null : pool.address();
  }

  /**
   * Logs in beside the pool of the node. Its next probe uses that session. A node that has left
   * meanwhile is not checked.
   *
   * @throws SQLException saying why that is not possible
   */
  void check(Node node) throws SQLException {
    NodePool pool = pools.get(node);
    if (pool != null) {
      pool.check(deadline());
    }
  }

  /** Ends the session of a check that no probe is to use. */
  void forgetCheck(Node node) {
    NodePool pool = pools.get(node);
    if (pool != null) {
      pool.forgetCheck();
    }
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
    Deadline shortest = Deadline.in(ONE_MORE_QUESTION);
    return deadline.remainingMillis() < shortest.remainingMillis() ? shortest : deadline;
  }

  /**
   * Has servers report changes of their roles.
   *
   * @param changed is called when one does, or hangs up
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
