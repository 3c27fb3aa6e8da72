package io.github.pgendpoints.postgres;

import java.net.InetAddress;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A session that logged in to a node outside its probes, so that the next probe need not log in. A
 * session that no probe takes is closed. Thread-safe.
 */
final class OfferedSession implements AutoCloseable {
  /**
   * An offered session.
   *
   * @param at when its login began, or later, as {@link System#nanoTime}
   */
  record Offer(InetAddress address, Login.Session session, long at) {}

  private final ScheduledExecutorService housekeeper;
  private final AtomicReference<Offer> offered = new AtomicReference<>();

  /**
   * @param housekeeper closes a session that no probe takes
   */
  OfferedSession(ScheduledExecutorService housekeeper) {
    this.housekeeper = housekeeper;
  }

  /**
   * Offers a session at this address, in place of an earlier one.
   *
   * @param at when its login began, or later, as {@link System#nanoTime}
   */
  void offer(InetAddress address, Login.Session session, long at) {
    Offer offer = new Offer(address, session, at);
    close(offered.getAndSet(offer));
    try {
      housekeeper.schedule(
          () -> withdraw(offer), NodePools.MAX_LOGIN_AGE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The pools are closed.
      withdraw(offer);
    }
  }

  /**
   * Takes the offered session, once.
   *
   * @param notBefore it must have logged in at this time or later, as {@link System#nanoTime}
   * @return null if no session is offered, or if its address is another one or its login too old
   */
  Offer take(InetAddress address, long notBefore) {
    Offer offer = offered.getAndSet(null);
    if (offer == null || offer.address().equals(address) && offer.at() - notBefore >= 0) {
      return offer;
    }
    close(offer);
    return null;
  }

  private void withdraw(Offer offer) {
    if (offered.compareAndSet(offer, null)) {
      close(offer);
    }
  }

  private static void close(Offer unused) {
    if (unused != null) {
      unused.session().close();
    }
  }

  /** Closes the offered session. */
  @Override
  public void close() {
    close(offered.getAndSet(null));
  }
}
