package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.SQLException;
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

  /** The pool of a node, which asks it at this address. */
  public NodePool of(Node node, InetAddress address) throws SQLException {
    NodePool pool =
        pools.computeIfAbsent(
            node,
            unseen -> {
              NodePool made = new NodePool(unseen, login, settings, housekeeper);
              registry.accept(made.getName(), made);
              return made;
            });
    pool.moveTo(address);
    return pool;
  }

  /** The pool of a node that was asked before; else null. */
  public NodePool of(Node node) {
    return pools.get(node);
  }

  /**
   * Returns when anybody is there, as pg_isready would say.
   *
   * @throws SQLException with SQLState 08001 when nobody answers, 57P03 when the server rejects all
   */
  public void checkReady(InetSocketAddress address) throws SQLException {
    readyCheck.check(address);
  }

  /**
   * Opens the connection that the pool's next query uses.
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
