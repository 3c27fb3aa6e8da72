package io.github.pgendpoints.postgres;

import com.zaxxer.hikari.HikariDataSource;
import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/**
 * The data source of one node: a HikariCP pool of one connection, which we fill ourselves.
 *
 * <p>A pool that connects by itself retries until its timeout and then tells of a time-out,
 * whatever the server said; with a node that is down each cycle would pay that. So we log in, learn
 * the server's own answer at once, and hand the connection to the pool.
 */
public final class NodePool extends DelegatingDataSource implements AutoCloseable {
  /** A server needs a moment to end a session, and its role may be allowed only one. */
  private static final Duration LOGOUT = Duration.ofMillis(500);

  private static final Duration LOGOUT_POLL = Duration.ofMillis(20);
  private static final String FULL = "53300";

  private final PostgresSettings settings;
  private final Logins logins;
  private final LongSupplier nanoTime;
  private final ProbeQuery query;
  private final OfferedSession offered;
  private final HandOver handOver;
  private HikariDataSource hikari;
  private volatile InetAddress address;
  private Login.Session session;
  private long loggedInAt;
  private long notBefore;
  private Deadline deadline;
  private Deadline loggedInBy;
  private boolean kept;
  private boolean direct;

  /**
   * @param threads makes the threads of HikariCP; null for its own
   * @param nanoTime as {@link System#nanoTime}
   */
  NodePool(
      Node node,
      PostgresSettings settings,
      Logins logins,
      ScheduledExecutorService housekeeper,
      ThreadFactory threads,
      LongSupplier nanoTime) {
    this.settings = settings;
    this.logins = logins;
    this.nanoTime = nanoTime;
    this.query = new ProbeQuery(nanoTime);
    this.offered = new OfferedSession(housekeeper);
    this.handOver = new HandOver(node.name(), settings.statementTimeout(), housekeeper, threads);
  }

  /**
   * Begins a probe.
   *
   * @param deadline by which it ends
   * @param notBefore the session must have logged in at this time or later, as {@link
   *     System#nanoTime}
   */
  void begin(Deadline deadline, long notBefore) {
    this.deadline = deadline;
    this.notBefore = notBefore;
  }

  /** The address that the node has; null before it was located. */
  InetAddress address() {
    return address;
  }

  /** The query of this probe. */
  ProbeQuery query() {
    return query;
  }

  /**
   * Has the server keep the statements of this session and the next ones prepared, which saves it
   * most of the work of a probe. A pooler may pass the next statement to a session that does not
   * know them.
   *
   * @param backend the process ID that the server told; null if it did not
   */
  void answeredBy(Object backend) {
    direct = session.isDirect(backend);
    session.keepStatements(direct);
  }

  /** A way to ask more on the open connection. */
  ProbeQuery.Question question() {
    return question(this::row);
  }

  private ProbeQuery.Question question(ProbeQuery.Sender sender) {
    return new ProbeQuery.Question(sender, deadline, settings.statementTimeout());
  }

  private Map<String, Object> row(String sql) throws SQLException {
    try (Connection connection = open();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      return Sql.onlyRow(statement);
    }
  }

  /**
   * Asks for each column alone. The error may be one of the settings that were sent along, so only
   * those are sent that cannot be denied.
   *
   * @throws SQLException if the server does not tell its role
   */
  ProbeQuery.Answer askOneByOne() throws SQLException {
    return query.oneByOne(question(this::rowAlone));
  }

  private Map<String, Object> rowAlone(String sql) throws SQLException {
    try (Connection connection = open();
        Statement statement = connection.createStatement()) {
      return Sql.lastRow(statement, SessionSettings.undeniable(settings.statementTimeout()) + sql);
    }
  }

  /** Follows the node to the address it has now; the session at another one ends. */
  void move(InetAddress to) {
    if (address != null && !address.equals(to)) {
      logOut();
    }
    address = to;
  }

  /** Whether a connection is open that no probe has found broken. */
  boolean isConnected() {
    return hikari != null
        && !hikari.isClosed()
        && hikari.getHikariPoolMXBean().getIdleConnections() > 0;
  }

  /** Whether such a connection logged in at that time, as {@link System#nanoTime}, or later. */
  boolean hasLoggedIn(long notBefore) {
    return isConnected() && loggedInAt - notBefore >= 0;
  }

  /** Whether the connection of this probe was open before: it may have broken since. */
  boolean isKept() {
    return kept;
  }

  /** Logs in beside the probes. The next probe uses that session. */
  void check(Deadline by) throws SQLException {
    InetAddress checked = address;
    // Not when the login ends: a cycle may begin between that and this thread's next step.
    long at = nanoTime.getAsLong();
    offered.offer(checked, logins.session(checked, by), at);
  }

  /** Ends the session of a check that no probe is to use. */
  void forgetCheck() {
    offered.close();
  }

  /** Opens the connection that the queries of this probe use, and those of later ones. */
  private void logIn(boolean afterLogout) throws SQLException {
    OfferedSession.Offer offer = offered.take(address, notBefore);
    kept = offer != null;
    if (kept) {
      use(offer.session(), offer.at());
    } else {
      loggedInBy = deadline;
      use(newSession(afterLogout), nanoTime.getAsLong());
    }
  }

  private Login.Session newSession(boolean afterLogout) throws SQLException {
    Deadline logout = Deadline.in(LOGOUT);
    while (true) {
      try {
        return logins.session(address, deadline);
      } catch (SQLException e) {
        if (!afterLogout || !FULL.equals(e.getSQLState()) || logout.isOver()) {
          throw e;
        }
        LockSupport.parkNanos(LOGOUT_POLL.toNanos());
      }
    }
  }

  private void use(Login.Session opened, long at) throws SQLException {
    session = opened;
    session.keepStatements(direct);
    loggedInAt = at;
    if (hikari == null) {
      hikari = handOver.pool();
      setTargetDataSource(hikari);
    }
    handOver.to(hikari, opened);
  }

  /** Ends the session, if there is one. */
  private void logOut() {
    if (hikari != null) {
      session.close();
      hikari.getHikariPoolMXBean().softEvictConnections();
    }
  }

  /**
   * The connection of a probe: the one kept from an earlier probe while its login is young enough,
   * for a node is what a new client finds there; else a new one.
   *
   * @throws SQLException with SQLState 08001 or 08006 when nobody answers, 57P03 when the server
   *     starts up or shuts down, else with the server's own
   */
  @Override
  public Connection getConnection() throws SQLException {
    try {
      boolean expired = isConnected() && !hasLoggedIn(notBefore);
      if (expired) {
        logOut();
      }
      kept = !expired && isConnected();
      if (!kept) {
        logIn(expired);
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
    session.socket().limit(deadline == loggedInBy ? deadline : deadline.within(keptTimeout()));
    return hikari.getConnection();
  }

  private Duration keptTimeout() {
    Duration half = settings.connectTimeout().dividedBy(2);
    return settings.tcpConnectTimeout().compareTo(half) < 0 ? settings.tcpConnectTimeout() : half;
  }

  @Override
  public void close() {
    if (hikari != null) {
      hikari.close();
    }
    handOver.close();
    offered.close();
    logins.close();
  }
}
