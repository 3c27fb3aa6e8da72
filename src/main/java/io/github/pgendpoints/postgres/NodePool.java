package io.github.pgendpoints.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
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

  /** HikariCP only has to wake a thread for it. */
  private static final Duration HAND_OVER = Duration.ofSeconds(1);

  private final Node node;
  private final Login login;
  private final ReadyCheck readyCheck;
  private final Duration keptConnectionTimeout;
  private final ScheduledExecutorService housekeeper;
  private final AtomicReference<Connection> loggedIn = new AtomicReference<>();
  private HikariDataSource hikari;
  private InetAddress address;
  private DeadlineSocket socket;
  private Deadline deadline;
  private Deadline loggedInBy;

  NodePool(
      Node node,
      Login login,
      ReadyCheck readyCheck,
      Duration keptConnectionTimeout,
      ScheduledExecutorService housekeeper) {
    this.node = node;
    this.login = login;
    this.readyCheck = readyCheck;
    this.keptConnectionTimeout = keptConnectionTimeout;
    this.housekeeper = housekeeper;
  }

  /**
   * A probe begins, which ends by this deadline. Follows the node's name to the address it has now;
   * the connection to another one is closed.
   */
  void begin(InetAddress current, Deadline deadline) throws SQLException {
    this.deadline = deadline;
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
    config.setConnectionTimeout(HAND_OVER.toMillis());
    config.setScheduledExecutor(housekeeper);
    // The pool never drops a connection by itself: only a probe learns that one is no good.
    config.setMaxLifetime(0);
    config.setIdleTimeout(0);
    return config;
  }

  /** Whether a connection is open that no probe has found broken. */
  public boolean isConnected() {
    return !hikari.isClosed() && hikari.getHikariPoolMXBean().getIdleConnections() > 0;
  }

  /** Whether the open connection broke since it was used last; never while it is in use. */
  boolean hasBroken() {
    return hikari != null && isConnected() && socket.hasBroken();
  }

  void checkReady() throws SQLException {
    readyCheck.check(new InetSocketAddress(address, node.port()), deadline);
  }

  /** Opens the connection that the queries of this probe use, and those of later ones. */
  void logIn() throws SQLException {
    Login.Session session = login.to(node, address, deadline);
    socket = session.socket();
    loggedInBy = deadline;
    loggedIn.set(session.connection());
    try {
      // HikariCP takes it over, and has it idle after that.
      hikari.getConnection().close();
    } finally {
      closeLoggedIn();
    }
  }

  /**
   * A connection kept from an earlier probe gets only a part of the time to answer: the rest is for
   * a fresh login, since its silence says nothing of the node.
   *
   * @throws IllegalStateException when nobody is logged in: a fault of the caller, not of the node
   */
  @Override
  public Connection getConnection() throws SQLException {
    if (!isConnected()) {
      throw new IllegalStateException("not logged in to " + node);
    }
    socket.limit(deadline == loggedInBy ? deadline : deadline.within(keptConnectionTimeout));
    return hikari.getConnection();
  }

  @Override
  public void close() throws SQLException {
    if (hikari != null) {
      hikari.close();
    }
    closeLoggedIn();
  }

  /** Closes a connection that HikariCP has not taken. */
  private void closeLoggedIn() throws SQLException {
    Connection connection = loggedIn.getAndSet(null);
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
      return Distrusted.connection(connection);
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
