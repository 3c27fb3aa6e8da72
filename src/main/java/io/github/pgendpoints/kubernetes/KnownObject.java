package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * An object as the API server last returned it, and whether that still holds.
 *
 * <p>The object comes from answers to requests only. An informer reports that it changed, so a
 * report that is late or comes twice costs one read and never restores an older state.
 *
 * <p>Cycles send the requests, one at a time; the threads of the informer report changes.
 *
 * @param <T> the kind
 */
final class KnownObject<T extends HasMetadata> {
  /** The longest time from one request to the next: an informer can fall silent without an end. */
  static final Duration RESYNC = Duration.ofSeconds(30);

  private final IntSupplier term;
  private final Runnable wake;
  private final LongSupplier nanoTime;

  private T object;
  private boolean holds;
  private long askedAt;
  private int askedIn;

  /** Whether the answer before still held when the last request was sent. */
  private boolean held;

  /** The versions reported during the request under way; null when there is none. */
  private List<String> reported;

  /**
   * @param term which leadership this is; another one when others may have written in between
   * @param wake makes a cycle due at once
   * @param nanoTime as {@link System#nanoTime}
   */
  KnownObject(IntSupplier term, Runnable wake, LongSupplier nanoTime) {
    this.term = term;
    this.wake = wake;
    this.nanoTime = nanoTime;
  }

  /**
   * Whether {@link #object} need not be read.
   *
   * @param watching whether the informer receives changes now
   */
  synchronized boolean isKnown(boolean watching) {
    return watching
        && holds
        && nanoTime.getAsLong() - askedAt < RESYNC.toNanos()
        && askedIn == term.getAsInt();
  }

  /** The object as of the last answer; null when there was none. */
  synchronized T object() {
    return object;
  }

  /**
   * Notes that a request is sent: nothing is known until its answer.
   *
   * @param watching whether the informer receives changes now
   */
  synchronized void ask(boolean watching) {
    held = holds && watching;
    holds = false;
    askedAt = nanoTime.getAsLong();
    askedIn = term.getAsInt();
    reported = new ArrayList<>();
  }

  /** Notes that the request failed; it may have had an effect. */
  synchronized void failed() {
    reported = null;
  }

  /**
   * Takes the answer to a read.
   *
   * @param found null when there is no such object
   * @return whether the informer should have reported a change, and did not
   */
  synchronized boolean read(T found) {
    boolean missed = held && reported.isEmpty() && !Objects.equals(version(found), version(object));
    wrote(found);
    return missed;
  }

  /**
   * Takes the answer to a write.
   *
   * @param now null when the object is deleted
   */
  synchronized void wrote(T now) {
    object = now;
    holds = reported.isEmpty() || Objects.equals(reported.get(reported.size() - 1), version(now));
    reported = null;
    if (!holds) {
      wake.run();
    }
  }

  /**
   * Takes a report of the informer.
   *
   * @param version null when the object is gone
   */
  synchronized void changed(String version) {
    if (reported != null) {
      reported.add(version);
    } else if (!Objects.equals(version, version(object))) {
      holds = false;
      wake.run();
    }
  }

  private static String version(HasMetadata object) {
    return object == null ? null : object.getMetadata().getResourceVersion();
  }
}
