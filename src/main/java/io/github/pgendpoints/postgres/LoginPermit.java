package io.github.pgendpoints.postgres;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A permit to log in, of which there are MAX_WORKERS. A login that waits for a silent server
 * releases its permit and continues without it, so that no number of hung nodes keeps the program
 * from probing the others.
 */
final class LoginPermit implements AutoCloseable {
  /** A server that works on a login answers sooner. */
  private static final int SILENCE_MILLIS = 50;

  /** Supplies the permit of a login. */
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
   * Waits for a permit.
   *
   * @param longest how long it may be held, even while the server sends data
   * @throws SQLException if no permit is free by the deadline
   */
  static LoginPermit take(Semaphore places, Deadline deadline, Duration longest, int maxWorkers)
      throws SQLException {
    try {
      if (!places.tryAcquire(deadline.remainingMillis(), TimeUnit.MILLISECONDS)) {
        throw new SQLException(
            "not probed within %s: logins to other nodes used all of MAX_WORKERS=%d"
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

  /** Releases the permit if it has been held for the longest time. */
  void releaseWhenOver() {
    if (longest.isOver()) {
      close();
    }
  }

  /** The time in milliseconds that a read may hold the permit; 0 if it is not held any more. */
  int readMillis() {
    // A permit that is held limits each read, even if its time ends just now.
    return held.get() ? Math.max(1, Math.min(SILENCE_MILLIS, longest.remainingMillis())) : 0;
  }

  /** Releases the permit, once. */
  @Override
  public void close() {
    if (held.compareAndSet(true, false)) {
      places.release();
    }
  }
}
