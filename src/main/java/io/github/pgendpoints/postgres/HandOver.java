package io.github.pgendpoints.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;
import org.springframework.jdbc.datasource.AbstractDataSource;

/** Gives a pool of HikariCP the connections that we logged in with. */
final class HandOver extends AbstractDataSource implements AutoCloseable {
  static {
    // A connection that stands idle longer than this is tested before each use, which costs a round
    // trip, and a whole timeout when it broke. The probe is that test.
    System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", String.valueOf(Long.MAX_VALUE));
  }

  /** HikariCP only has to wake a thread for it. */
  private static final Duration TAKEN = Duration.ofSeconds(1);

  /** HikariCP allows no shorter life; a probe renews its session sooner. */
  private static final Duration LONGEST_LIFE = Duration.ofMinutes(5);

  private final String name;
  private final Duration statementTimeout;
  private final ScheduledExecutorService housekeeper;
  private final ThreadFactory threads;
  private final AtomicReference<Login.Session> handedOver = new AtomicReference<>();

  /**
   * @param name of the pool
   * @param threads makes the threads of HikariCP; null for its own
   */
  HandOver(
      String name,
      Duration statementTimeout,
      ScheduledExecutorService housekeeper,
      ThreadFactory threads) {
    this.name = name;
    this.statementTimeout = statementTimeout;
    this.housekeeper = housekeeper;
    this.threads = threads;
  }

  /** A pool of one connection, which gets it from here. */
  HikariDataSource pool() {
    HikariConfig config = new HikariConfig();
    config.setPoolName(name);
    config.setDataSource(this);
    config.setMaximumPoolSize(1);
    config.setMinimumIdle(0);
    config.setInitializationFailTimeout(-1);
    config.setConnectionTimeout(TAKEN.toMillis());
    config.setScheduledExecutor(housekeeper);
    config.setThreadFactory(threads);
    // The session of a node that is not probed any more ends by this.
    config.setMaxLifetime(LONGEST_LIFE.toMillis());
    config.setIdleTimeout(0);
    config.setExceptionOverride(new EndedSessions());
    return new HikariDataSource(config);
  }

  /** Has the pool take a session over, which is idle there after that. */
  void to(HikariDataSource pool, Login.Session session) throws SQLException {
    handedOver.set(session);
    try {
      pool.getConnection().close();
    } finally {
      close();
    }
  }

  @Override
  public Connection getConnection() throws SQLException {
    Login.Session taken = handedOver.getAndSet(null);
    if (taken == null) {
      throw new SQLTransientConnectionException("not logged in");
    }
    Connection connection = taken.connection();
    return GuardedConnection.connection(
        connection,
        SessionSettings.ofSession(connection.getMetaData().getDatabaseMajorVersion()),
        SessionSettings.ofTransaction(statementTimeout));
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

  /** Closes a session that HikariCP has not taken. */
  @Override
  public void close() {
    Login.Session untaken = handedOver.getAndSet(null);
    if (untaken != null) {
      untaken.close();
    }
  }
}
