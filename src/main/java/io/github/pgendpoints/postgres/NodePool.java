package io.github.pgendpoints.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import org.springframework.jdbc.datasource.AbstractDataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/**
 * The data source of one node: a HikariCP pool of one connection, which {@link #logIn} fills.
 *
 * <p>A pool that connects by itself retries until its timeout and then tells of a time-out,
 * whatever the server said; with a node that is down each cycle would pay that. So we log in, learn
 * the server's own answer at once, and hand the connection to the pool.
 */
public final class NodePool extends DelegatingDataSource implements AutoCloseable {
  static {
    // A connection that stands idle longer than this is tested before each use, which costs a round
    // trip, and a whole timeout when it broke. The probe is that test.
    System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", String.valueOf(Long.MAX_VALUE));
  }

  private final Node node;
  private final Login login;
  private final PostgresSettings settings;
  private final ScheduledExecutorService housekeeper;
  private final AtomicReference<Connection> loggedIn = new AtomicReference<>();
  private HikariDataSource hikari;
  private InetAddress address;

  NodePool(
      Node node, Login login, PostgresSettings settings, ScheduledExecutorService housekeeper) {
    this.node = node;
    this.login = login;
    this.settings = settings;
    this.housekeeper = housekeeper;
  }

  /** The name by which routes find this data source in the registry. */
  public String getName() {
    return "pool-" + node.name().replaceAll("[^A-Za-z0-9.-]", "_");
  }

  /** Where the node is asked. */
  public InetSocketAddress getAddress() {
    return new InetSocketAddress(address, node.port());
  }

  /** Follows the node's name to the address it has now; the connection to another one is closed. */
  void moveTo(InetAddress current) throws SQLException {
    if (current.equals(address)) {
      return;
    }
    close();
    address = current;
    hikari = new HikariDataSource(config());
    setTargetDataSource(hikari);
  }

  private HikariConfig config() {
    HikariConfig config = new HikariConfig();
    config.setPoolName(node.name());
    config.setDataSource(new LoggedIn());
    config.setMaximumPoolSize(1);
    config.setMinimumIdle(0);
    config.setInitializationFailTimeout(-1);
    config.setConnectionTimeout(settings.connectTimeout().toMillis());
    config.setScheduledExecutor(housekeeper);
    // The pool never drops a connection by itself: only a probe learns that one is no good.
    config.setMaxLifetime(0);
    config.setIdleTimeout(0);
    return config;
  }

  /** Whether a connection is open that no probe has found broken. */
  public boolean isConnected() {
    return hikari.getHikariPoolMXBean().getIdleConnections() > 0;
  }

  /** Opens the connection that the next query uses. */
  void logIn() throws SQLException {
    discard(loggedIn.getAndSet(login.to(node, address)));
  }

  @Override
  public void close() throws SQLException {
    if (hikari != null) {
      hikari.close();
    }
    discard(loggedIn.getAndSet(null));
  }

  private static void discard(Connection connection) throws SQLException {
    if (connection != null) {
      connection.close();
    }
  }

  /** Gives the pool the connection we logged in with. */
  private final class LoggedIn extends AbstractDataSource {
    @Override
    public Connection getConnection() throws SQLException {
      Connection connection = loggedIn.getAndSet(null);
      if (connection == null) {
        throw new SQLTransientConnectionException("not logged in");
      }
      return connection;
    }

    /** How long a pool that closes waits for a connection on its way, in seconds. */
    @Override
    public int getLoginTimeout() {
      return 1;
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
      return getConnection();
    }
  }
}
