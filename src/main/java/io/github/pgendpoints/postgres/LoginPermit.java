package io.github.pgendpoints.postgres;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A place among the logins at work, of which there are MAX_WORKERS. Waiting for a silent server is
 * no work: a login that does so goes on without its place, so that no number of hung nodes keeps
 * the others from being asked.
 */
final class LoginPermit implements AutoCloseable {
  /** A server at work on a login answers sooner. */
  private static final int SILENCE_MILLIS = 50;

  /** Gives a permit to whoever is about to log in. */
  @FunctionalInterface
  interface Source<E extends Exception> {
    LoginPermit take() throws E;
  }

  private final Semaphore places;
  private final Deadline longest;
  private final AtomicBoolean held = new AtomicBoolean(true);

  private LoginPermit(Semaphore places, Deadline longest) {
    this.places = places;
    this.longest = longest;
  }

  /**
   * Waits for a place.
   *
   * @param longest how long it may be held, whatever the server sends
   * @throws SQLException when there is none until the deadline
   */
  static LoginPermit take(Semaphore places, Deadline deadline, Duration longest, int maxWorkers)
      throws SQLException {
    try {
      if (!places.tryAcquire(deadline.remainingMillis(), TimeUnit.MILLISECONDS)) {
        throw new SQLException(
            "not asked within %s: other nodes took all of MAX_WORKERS=%d logins"
                .formatted(deadline, maxWorkers),
            null,
            new TimeoutException());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting to log in", e);
    }
    return new LoginPermit(places, Deadline.in(longest));
  }

  /** Gives the place back when it has been held for the longest time. */
  void releaseWhenOver() {
    if (longest.isOver()) {
      close();
    }
  }

  /** For how many milliseconds a read may hold the place; 0 when it is not held any more. */
  int readMillis() {
    // A place that is held limits each read, also when its time ends just now.
    return held.get() ? Math.max(1, Math.min(SILENCE_MILLIS, longest.remainingMillis())) : 0;
  }

  /** Gives the place back, once. */
  @Override
  public void close() {
    if (held.compareAndSet(true, false)) {
      places.release();
    }
  }
}
