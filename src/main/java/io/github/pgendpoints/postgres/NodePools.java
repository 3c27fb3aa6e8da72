package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BiConsumer;
import javax.sql.DataSource;

/** The data sources of one cluster's nodes, made when a node is first asked. */
public final class NodePools implements AutoCloseable {
  private final PostgresSettings settings;
  private final BiConsumer<String, DataSource> registry;
  private final Login login;
  private final ReadyCheck readyCheck;
  private final Map<Node, NodePool> pools = new ConcurrentHashMap<>();
  private final ScheduledExecutorService housekeeper =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "pools");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param registry where routes find the data sources, by name
   */
  public NodePools(PostgresSettings settings, BiConsumer<String, DataSource> registry) {
    this.settings = settings;
    this.registry = registry;
    this.login = new Login(settings);
    this.readyCheck = new ReadyCheck(settings);
  }

  /** A probe begins: when it has to end, with all of its steps and a second try. */
  public Deadline deadline() {
    return Deadline.in(settings.connectTimeout());
  }

  /** The pool of a node, for a probe that asks it at this address and ends by this deadline. */
  public NodePool of(Node node, InetAddress address, Deadline deadline) throws SQLException {
    NodePool pool =
        pools.computeIfAbsent(
            node,
            unseen -> {
              NodePool made =
                  new NodePool(unseen, login, readyCheck, keptConnectionTimeout(), housekeeper);
              registry.accept(made.getName(), made);
              return made;
            });
    pool.begin(address, deadline);
    return pool;
  }

  /** The pool of a node that was asked before; else null. */
  public NodePool of(Node node) {
    return pools.get(node);
  }

  private Duration keptConnectionTimeout() {
    Duration half = settings.connectTimeout().dividedBy(2);
    return settings.tcpConnectTimeout().compareTo(half) < 0 ? settings.tcpConnectTimeout() : half;
  }

  /**
   * Returns when anybody is there, as pg_isready would say.
   *
   * @throws SQLException with SQLState 08001 when nobody answers, 57P03 when the server rejects all
   */
  public void checkReady(NodePool pool) throws SQLException {
    pool.checkReady();
  }

  /**
   * Opens the connection that the pool's next queries use.
   *
   * @throws SQLException with the server's own SQLState
   */
  public void logIn(NodePool pool) throws SQLException {
    pool.logIn();
  }

  @Override
  public void close() throws SQLException {
    for (NodePool pool : pools.values()) {
      pool.close();
    }
    housekeeper.shutdownNow();
  }
}
