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

/** Hands connections that have logged in to a HikariCP pool. */
final class SessionDataSource extends AbstractDataSource implements AutoCloseable {
  static {
    // HikariCP tests a connection that was idle longer than this before each use. That costs a
    // round trip, and a whole timeout if the connection is broken. The probe is that test.
    System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", String.valueOf(Long.MAX_VALUE));
  }

  /** The time limit for the pool to take a session: HikariCP only has to wake a thread. */
  private static final Duration TAKEN = Duration.ofSeconds(1);

  /** A fallback: a probe renews its session sooner than HikariCP could, whose minimum is 30 s. */
  private static final Duration LONGEST_LIFE = Duration.ofMinutes(5);

  private final String name;
  private final Duration statementTimeout;
  private final ScheduledExecutorService housekeeper;
  private final ThreadFactory threads;
  private final AtomicReference<Login.Session> handedOver = new AtomicReference<>();

  /**
   * @param name the name of the pool
   * @param threads creates the threads of HikariCP; null for HikariCP's default
   */
  SessionDataSource(
      String name,
      Duration statementTimeout,
      ScheduledExecutorService housekeeper,
      ThreadFactory threads) {
    this.name = name;
    this.statementTimeout = statementTimeout;
    this.housekeeper = housekeeper;
    this.threads = threads;
  }

  /** Creates a pool of one connection, which this data source supplies. */
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
    // This ends the session of a node that is not probed any more.
    config.setMaxLifetime(LONGEST_LIFE.toMillis());
    config.setIdleTimeout(0);
    config.setExceptionOverride(new EvictionOverride());
    return new HikariDataSource(config);
  }

  /** Hands a session to the pool, where it is idle after that. */
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

  /** How long a pool that closes waits for a connection that is being opened, in seconds. */
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
