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
 * The data source of one node: a HikariCP pool of one connection, which we fill ourselves.
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
  private final Resolver resolver;
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
  private boolean kept;

  NodePool(
      Node node,
      Resolver resolver,
      Login login,
      ReadyCheck readyCheck,
      Duration keptConnectionTimeout,
      ScheduledExecutorService housekeeper) {
    this.node = node;
    this.resolver = resolver;
    this.login = login;
    this.readyCheck = readyCheck;
    this.keptConnectionTimeout = keptConnectionTimeout;
    this.housekeeper = housekeeper;
  }

  /** Begins a probe, which ends by this deadline. */
  void begin(Deadline deadline) {
    this.deadline = deadline;
  }

  /** The address that the node was last probed at; null when its name did not resolve. */
  InetAddress address() {
    return address;
  }

  /** Follows the node's name to the address it has now; the connection to another one is closed. */
  private void follow() throws SQLException {
    InetAddress before = address;
    address = null;
    InetAddress current = resolver.resolve(node, deadline);
    if (!current.equals(before)) {
      close();
      hikari = new HikariDataSource(config());
      setTargetDataSource(hikari);
    }
    address = current;
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
  boolean isConnected() {
    return hikari != null
        && !hikari.isClosed()
        && hikari.getHikariPoolMXBean().getIdleConnections() > 0;
  }

  /** Whether the open connection broke since it was used last; never while it is in use. */
  boolean hasBroken() {
    return isConnected() && socket.hasBroken();
  }

  /** Whether the connection of this probe was kept from an earlier one. */
  boolean isKept() {
    return kept;
  }

  /** Opens the connection that the queries of this probe use, and those of later ones. */
  private void logIn() throws SQLException {
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
   * The connection of a probe: the one kept from an earlier probe; or a new one, when a server is
   * there and lets us log in.
   *
   * @throws SQLException with SQLState 08001 when nobody answers, 57P03 when the server starts up
   *     or shuts down, else with the server's own
   */
  @Override
  public Connection getConnection() throws SQLException {
    try {
      follow();
      kept = isConnected();
      if (!kept) {
        readyCheck.check(new InetSocketAddress(address, node.port()), deadline);
        logIn();
      }
      return open();
    } catch (Error e) {
      // Camel catches none from a producer: it ends the thread, and the cycle waits forever.
      throw Probe.ofThisMachine(e);
    }
  }

  /**
   * The open connection. One that was kept from an earlier probe gets only a part of the time to
   * answer: the rest is for a fresh login, since its silence says nothing about the node.
   */
  Connection open() throws SQLException {
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
