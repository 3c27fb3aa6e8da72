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
 * The data source of one node: a HikariCP pool of one connection, which this class fills.
 *
 * <p>A pool that connects by itself retries until its timeout and then reports a timeout instead of
 * the server's error. With a node that is down, each cycle would lose that time. So this class logs
 * in, gets the server's error at once, and hands the connection to the pool.
 */
public final class NodePool extends DelegatingDataSource implements AutoCloseable {
  /** A server needs a moment to end a session, and our role may be limited to one session. */
  private static final Duration LOGOUT = Duration.ofMillis(500);

  private static final Duration LOGOUT_POLL = Duration.ofMillis(20);
  private static final String FULL = "53300";

  private final PostgresSettings settings;
  private final Logins logins;
  private final LongSupplier nanoTime;
  private final ProbeQuery query;
  private final OfferedSession offered;
  private final SessionDataSource handOver;
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
   * @param threads creates the threads of HikariCP; null for HikariCP's default
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
    this.handOver =
        new SessionDataSource(node.name(), settings.statementTimeout(), housekeeper, threads);
  }

  /**
   * Begins a probe.
   *
   * @param deadline by when the probe ends
   * @param notBefore the session must have logged in at this time or later, as {@link
   *     System#nanoTime}
   */
  void begin(Deadline deadline, long notBefore) {
    this.deadline = deadline;
    this.notBefore = notBefore;
  }

  /** The current address of the node; null before it is resolved. */
  InetAddress address() {
    return address;
  }

  /** The query of this probe. */
  ProbeQuery query() {
    return query;
  }

  /**
   * Lets the server keep the statements of this session and later ones prepared, which saves it the
   * most work of a probe. Does not do so behind a pooler, which may pass the next statement to a
   * session that does not have them.
   *
   * @param backend the process ID that the server returned; null if it returned none
   */
  void recordBackend(Object backend) {
    direct = session.isDirect(backend);
    session.keepStatements(direct);
  }

  /** Returns the means to send more queries on the open connection. */
  ProbeQuery.FollowUps followUps() {
    return followUps(this::row);
  }

  private ProbeQuery.FollowUps followUps(ProbeQuery.Sender sender) {
    return new ProbeQuery.FollowUps(sender, deadline, settings.statementTimeout());
  }

  private Map<String, Object> row(String sql) throws SQLException {
    try (Connection connection = open();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      return Sql.onlyRow(statement);
    }
  }

  /**
   * Queries each column alone. The settings that were sent along may have caused the error, so only
   * those are sent that no role can be denied.
   *
   * @throws SQLException if the server does not return its role
   */
  ProbeQuery.Answer queryOneByOne() throws SQLException {
    return query.oneByOne(followUps(this::rowAlone));
  }

  private Map<String, Object> rowAlone(String sql) throws SQLException {
    try (Connection connection = open();
        Statement statement = connection.createStatement()) {
      return Sql.lastRow(statement, SessionSettings.undeniable(settings.statementTimeout()) + sql);
    }
  }

  /** Sets the current address of the node. A session at another address ends. */
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

  /** Whether the open connection logged in at that time, as {@link System#nanoTime}, or later. */
  boolean hasLoggedIn(long notBefore) {
    return isConnected() && loggedInAt - notBefore >= 0;
  }

  /** Whether the connection of this probe was open before the probe. It may have broken since. */
  boolean isKept() {
    return kept;
  }

  /** Logs in outside the probes. The next probe uses that session. */
  void check(Deadline by) throws SQLException {
    InetAddress checked = address;
    // Not the end of the login: a cycle may begin between that and this thread's next step.
    long at = nanoTime.getAsLong();
    offered.offer(checked, logins.session(checked, by), at);
  }

  /** Ends the session of a check, so that no probe uses it. */
  void forgetCheck() {
    offered.close();
  }

  /** Opens the connection for the queries of this probe and of later ones. */
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
   * Returns the connection of a probe: the one kept from an earlier probe if its login is recent
   * enough, otherwise a new one. A probe must find what a new client finds.
   *
   * @throws SQLException with SQLState 08001 or 08006 if no server answers, 57P03 if the server
   *     starts up or shuts down, otherwise with the SQLState of the server
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
      // Camel catches no Error of a producer: the thread would end, and the cycle wait forever.
      throw Probe.ofThisMachine(e);
    }
  }

  /**
   * Returns the open connection. A connection kept from an earlier probe has only part of the time
   * to answer. The rest is for a new login, since its silence proves nothing about the node.
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
