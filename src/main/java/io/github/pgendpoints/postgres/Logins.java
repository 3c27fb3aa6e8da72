package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * The logins to one node that are in progress.
 *
 * <p>A probe gives up after PGCONNECT_TIMEOUT, but the server does not detect that. A server
 * process that waits for a lock would stay, and the probes would use up all connections. So a login
 * continues after its probe ends, and the next probe waits for the same login. In case only this
 * login hangs, another one starts beside it after {@link #ANOTHER}. There are never more than
 * {@link #MAX}.
 */
final class Logins {
  /** Logins to one node at the same time. */
  static final int MAX = 3;

  /** After this time, another login may start beside this one. */
  static final Duration ANOTHER = Duration.ofSeconds(30);

  /** After this time, a login ends, so that no wait is endless. */
  static final Duration LONGEST = Duration.ofMinutes(10);

  /** The extra wait for a login that ends itself at the deadline, and so reports the reason. */
  private static final Duration GRACE = Duration.ofMillis(50);

  private record UnderWay(
      InetAddress address, CompletableFuture<Login.Session> session, Deadline young) {}

  private final Node node;
  private final Login login;
  private final Executor executor;
  private final List<UnderWay> underWay = new ArrayList<>();

  /**
   * @param executor runs each login
   */
  Logins(Node node, Login login, Executor executor) {
    this.node = node;
    this.login = login;
    this.executor = executor;
  }

  /**
   * Returns a session that has just logged in, by a new login or by that of an earlier probe.
   *
   * @throws SQLException with the SQLState of the server; 08006 if the server does not answer by
   *     the deadline
   */
  Login.Session session(InetAddress address, Deadline deadline) throws SQLException {
    try {
      Login.Session session;
      do {
        CompletableFuture<?> first = join(address, deadline);
        first.get(deadline.remainingMillis() + GRACE.toMillis(), TimeUnit.MILLISECONDS);
        session = take(address);
        // Null if another caller, such as a check of a DOWN node, took the session first.
      } while (session == null && !deadline.isOver());
      if (session == null) {
        throw noAnswer(deadline);
      }
      return session;
    } catch (RejectedExecutionException e) {
      throw Probe.ofThisMachine(e);
    } catch (ExecutionException e) {
      throw asSqlException(e.getCause());
    } catch (TimeoutException e) {
      throw noAnswer(deadline);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while logging in to " + node, e);
    }
  }

  private static SQLException noAnswer(Deadline deadline) {
    String message = "no answer within " + deadline;
    return new SQLException(message, "08006", new SocketTimeoutException(message));
  }

  private static SQLException asSqlException(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof SQLException e ? e : Probe.ofThisMachine(cause);
  }

  /** Starts a login if necessary. Returns the end of the first login in progress that ends. */
  private synchronized CompletableFuture<?> join(InetAddress address, Deadline deadline) {
    // A login that ended before this probe is no evidence for it.
    Predicate<UnderWay> old = login -> login.session().isDone() || !login.address().equals(address);
    underWay.stream().filter(old).forEach(this::abandon);
    underWay.removeIf(old);
    boolean isYoung = underWay.stream().anyMatch(login -> !login.young().isOver());
    if (!isYoung && underWay.size() < MAX) {
      CompletableFuture<Login.Session> session =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return login.to(node, address, deadline, LONGEST);
                } catch (SQLException e) {
                  throw new CompletionException(e);
                }
              },
              executor);
      underWay.add(new UnderWay(address, session, Deadline.in(ANOTHER)));
    }
    return CompletableFuture.anyOf(
        underWay.stream().map(UnderWay::session).toArray(CompletableFuture[]::new));
  }

  /** Takes a session, once, and abandons the other logins; returns null if there is no session. */
  private synchronized Login.Session take(InetAddress address) {
    Login.Session taken = null;
    for (UnderWay login : List.copyOf(underWay)) {
      if (taken == null
          && login.address().equals(address)
          && login.session().isDone()
          && !login.session().isCompletedExceptionally()) {
        taken = login.session().join();
        underWay.removeIf(other -> other == login);
      }
    }
    if (taken != null) {
      underWay.forEach(this::abandon);
      underWay.clear();
    }
    return taken;
  }

  /** Closes the session of a login as soon as it exists. */
  private void abandon(UnderWay login) {
    login.session().thenAccept(Login.Session::close);
  }

  /** Ends all logins. */
  synchronized void close() {
    underWay.forEach(this::abandon);
    underWay.clear();
  }
}
