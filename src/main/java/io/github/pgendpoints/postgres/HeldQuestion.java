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
 * A session beside those of the probes, on which one server reports a change of its role. A standby
 * answers as soon as it is promoted: see sql/role-question.sql. A primary becomes a standby only by
 * a restart, which ends the session.
 */
final class HeldQuestion implements Runnable {
  /** Where a hold stands. */
  enum Stage {
    /** The session logs in. */
    STARTING,
    /** The server reports a change. */
    HELD,
    /** The server cannot be watched like this. */
    UNSUITABLE,
    /** The role has changed, the session has ended, or nobody wants it any more. */
    ENDED
  }

  /** What a server reports, once. */
  enum Report {
    /** A standby has become a primary. */
    PROMOTED,
    /** The session has ended, so the server is gone, or restarts. */
    GONE
  }

  /** A question takes about so long, and so outlives a manager that is killed by no more. */
  private static final Duration LONGEST = Duration.ofSeconds(1);

  /** After this time another session follows, since the server's settings may have changed. */
  private static final Duration LIFE = Duration.ofMinutes(5);

  /** Shorter ones cost more than the probes that they replace. */
  private static final Duration SHORTEST = Duration.ofMillis(100);

  /** A proxy in between may end a session on which nothing is sent for long. */
  private static final Duration SILENCE = Duration.ofSeconds(3);

  private static final int PAUSES_A_ROUND = 5;
  private static final String SET_UP =
      "SET default_transaction_isolation = 'read committed'; SET statement_timeout = 0";
  private static final String WATCH = Sql.named("role-watch");
  private static final String QUESTION = Sql.named("role-question");

  private final Node node;
  private final InetAddress address;
  private final State role;
  private final Login login;
  private final Duration patience;
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
   * @param patience how long a login or an answer may take longer than expected
   * @param pause the time from one look of the standby at itself to the next
   */
  HeldQuestion(
      Node node,
      InetAddress address,
      State role,
      Login login,
      Duration patience,
      Supplier<Duration> pause,
      Consumer<Report> listener) {
    this.node = node;
    this.address = address;
    this.role = role;
    this.login = login;
    this.patience = patience;
    this.pause = pause;
    this.listener = listener;
  }

  /** Where it stands now. */
  Stage stage() {
    return stage;
  }

  /** What the server was when this began: PRIMARY or STANDBY. */
  State role() {
    return role;
  }

  /** How long ago it ended; of no meaning before. */
  Duration sinceEnd() {
    return Duration.ofNanos(System.nanoTime() - endedAt);
  }

  /** Whether this is about that server in that role. */
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
      session = login.to(node, address, Deadline.in(patience), patience);
      if (!unwanted && isSuitable()) {
        // Nobody else gets this session, and a question is bounded by itself.
        send(SET_UP);
        stage = Stage.HELD;
        last = Stage.ENDED;
        Deadline life = Deadline.in(LIFE);
        while (!unwanted && report == null && !life.isOver()) {
          // Each question is bounded, and the next one follows at once.
          report = isUnchanged() ? null : Report.PROMOTED;
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

  private boolean isSuitable() throws SQLException {
    session.socket().limit(Deadline.in(patience));
    Connection connection =
        GuardedConnection.connection(
            session.connection(),
            SessionSettings.ofSession(session.connection().getMetaData().getDatabaseMajorVersion()),
            SessionSettings.ofTransaction(patience));
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

  /** A question that the server does not log as a slow one. */
  private static Duration longest(Object logged) {
    boolean isLimited = logged instanceof Integer millis && millis >= 0;
    Duration half = isLimited ? Duration.ofMillis((Integer) logged / 2) : LONGEST;
    return half.compareTo(LONGEST) < 0 ? half : LONGEST;
  }

  /** Waits for the answer to one question. */
  private boolean isUnchanged() throws SQLException {
    session.socket().limit(Deadline.in(longest.plus(patience)));
    return role == State.PRIMARY ? isStillThere() : isStillStandby();
  }

  private boolean isStillThere() throws SQLException {
    try {
      session.postgres().getNotifications((int) longest.toMillis());
    } catch (RuntimeException e) {
      throw GuardedConnection.misunderstood(e);
    }
    if (silence.isOver()) {
      silence = Deadline.in(SILENCE);
      send("");
    }
    return true;
  }

  private boolean isStillStandby() throws SQLException {
    Duration sleep = pause.get();
    Duration round = sleep.multipliedBy(PAUSES_A_ROUND);
    long rounds = Math.max(1, longest.dividedBy(round));
    String question =
        QUESTION.formatted(rounds, "%d.%03d".formatted(sleep.toSeconds(), sleep.toMillisPart()));
    long began = System.nanoTime();
    send(question);
    // Only a promotion ends it before its pauses are over.
    return System.nanoTime() - began >= round.multipliedBy(rounds).toNanos();
  }

  private void send(String statement) throws SQLException {
    try (Statement sender = session.connection().createStatement()) {
      sender.execute(statement);
    } catch (RuntimeException | AssertionError e) {
      throw GuardedConnection.misunderstood(e);
    }
  }
}
