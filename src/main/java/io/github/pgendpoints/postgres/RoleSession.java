package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.State;
import java.net.InetAddress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A session, separate from those of the probes, on which one server reports a change of its role. A
 * standby answers the query in sql/role-query.sql as soon as it is promoted. A primary becomes a
 * standby only by a restart, which ends the session.
 */
final class RoleSession implements Runnable {
  /** The stage of the session. */
  enum Stage {
    /** The session logs in. */
    STARTING,
    /** The session is open, and the server reports a change. */
    HELD,
    /** The server cannot be watched by a session. */
    UNSUITABLE,
    /** The role has changed, or the session has ended or was closed. */
    ENDED
  }

  /** What a server reports, once. */
  enum Report {
    /** A standby has become a primary. */
    PROMOTED,
    /** The session has ended, so the server is gone or restarts. */
    GONE
  }

  /** The longest time of a query, and so the longest that one outlives a killed process. */
  private static final Duration LONGEST = Duration.ofSeconds(1);

  /** After this time, a new session replaces this one: the server's settings may have changed. */
  private static final Duration LIFE = Duration.ofMinutes(5);

  /** Shorter queries cost more than the probes that they replace. */
  private static final Duration SHORTEST = Duration.ofMillis(100);

  /** After this time without traffic, an empty query is sent: a proxy may end an idle session. */
  private static final Duration SILENCE = Duration.ofSeconds(3);

  private static final int PAUSES_A_ROUND = 5;
  private static final String SET_UP =
      "SET default_transaction_isolation = 'read committed'; SET statement_timeout = 0";
  private static final String WATCH = Sql.named("role-watch");
  private static final String QUERY = Sql.named("role-query");

  private final Node node;
  private final InetAddress address;
  private final State role;
  private final Login login;
  private final Duration timeout;
  private final Supplier<Duration> pause;
  private final Consumer<Report> listener;
  private volatile Stage stage = Stage.STARTING;
  private volatile boolean unwanted;
  private volatile Login.Session session;
  private volatile long endedAt;
  private Duration longest;
  private Deadline silence = Deadline.in(SILENCE);

  /**
   * @param role PRIMARY or STANDBY
   * @param timeout how much longer than expected a login or an answer may take
   * @param pause the time from one check of its role by the standby to the next
   */
  RoleSession(
      Node node,
      InetAddress address,
      State role,
      Login login,
      Duration timeout,
      Supplier<Duration> pause,
      Consumer<Report> listener) {
    this.node = node;
    this.address = address;
    this.role = role;
    this.login = login;
    this.timeout = timeout;
    this.pause = pause;
    this.listener = listener;
  }

  /** The current stage. */
  Stage stage() {
    return stage;
  }

  /** The role of the server when this session began: PRIMARY or STANDBY. */
  State role() {
    return role;
  }

  /** The time since the session ended; meaningless before that. */
  Duration sinceEnd() {
    return Duration.ofNanos(System.nanoTime() - endedAt);
  }

  /** Whether this session watches that server in that role. */
  boolean isAbout(InetAddress address, State role) {
    return this.address.equals(address) && this.role == role;
  }

  /** Ends the session, without a report. */
  void close() {
    unwanted = true;
    Login.Session open = session;
    if (open != null) {
      open.abort();
    }
  }

  @Override
  public void run() {
    Stage last = Stage.UNSUITABLE;
    Report report = null;
    try {
      session = login.to(node, address, Deadline.in(timeout), timeout);
      if (!unwanted && checkSuitability()) {
        // No other client gets this session, and each query has its own bound.
        send(SET_UP);
        stage = Stage.HELD;
        last = Stage.ENDED;
        Deadline life = Deadline.in(LIFE);
        while (!unwanted && report == null && !life.isOver()) {
          // Each query is bounded, and the next one follows at once.
          report = awaitReport();
        }
      }
    } catch (SQLException | RuntimeException e) {
      report = stage == Stage.HELD && Probe.sessionEnded(e) ? Report.GONE : null;
      last = report == null ? Stage.UNSUITABLE : Stage.ENDED;
    } finally {
      endedAt = System.nanoTime();
      stage = last;
      if (session != null) {
        session.close();
      }
    }
    if (report != null && !unwanted) {
      listener.accept(report);
    }
  }

  private boolean checkSuitability() throws SQLException {
    session.socket().limit(Deadline.in(timeout));
    Connection connection =
        GuardedConnection.connection(
            session.connection(),
            SessionSettings.ofSession(session.connection().getMetaData().getDatabaseMajorVersion()),
            SessionSettings.ofTransaction(timeout));
    Map<String, Object> row;
    try (PreparedStatement statement = connection.prepareStatement(WATCH)) {
      row = Sql.onlyRow(statement);
    }
    longest = longest(row.get("longest"));
    return session.isDirect(row.get("pid"))
        && Boolean.TRUE.equals(row.get("connections"))
        && Boolean.TRUE.equals(row.get("language"))
        && (role == State.PRIMARY || Boolean.TRUE.equals(row.get("patient")))
        && longest.compareTo(SHORTEST) >= 0;
  }

  /** Returns the longest time of a query that the server does not log as slow. */
  private static Duration longest(Object logged) {
    boolean isLimited = logged instanceof Integer millis && millis >= 0;
    Duration half = isLimited ? Duration.ofMillis((Integer) logged / 2) : LONGEST;
    return half.compareTo(LONGEST) < 0 ? half : LONGEST;
  }

  /** Waits for the answer to one query; returns null if the role has not changed. */
  private Report awaitReport() throws SQLException {
    session.socket().limit(Deadline.in(longest.plus(timeout)));
    if (role == State.PRIMARY) {
      awaitEndOfSession();
      return null;
    }
    return awaitPromotion() ? Report.PROMOTED : null;
  }

  /** Returns after the time of one query. If the session ends, throws the connection error. */
  private void awaitEndOfSession() throws SQLException {
    try {
      session.postgres().getNotifications((int) longest.toMillis());
    } catch (RuntimeException e) {
      throw GuardedConnection.misunderstood(e);
    }
    if (silence.isOver()) {
      silence = Deadline.in(SILENCE);
      send("");
    }
  }

  private boolean awaitPromotion() throws SQLException {
    Duration sleep = pause.get();
    Duration round = sleep.multipliedBy(PAUSES_A_ROUND);
    long rounds = Math.max(1, longest.dividedBy(round));
    String query =
        QUERY.formatted(rounds, "%d.%03d".formatted(sleep.toSeconds(), sleep.toMillisPart()));
    long began = System.nanoTime();
    send(query);
    // Only a promotion ends the query before its pauses are over.
    return System.nanoTime() - began < round.multipliedBy(rounds).toNanos();
  }

  private void send(String statement) throws SQLException {
    try (Statement sender = session.connection().createStatement()) {
      sender.execute(statement);
    } catch (RuntimeException | AssertionError e) {
      throw GuardedConnection.misunderstood(e);
    }
  }
}
