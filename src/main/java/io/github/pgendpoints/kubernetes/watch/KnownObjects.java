package io.github.pgendpoints.kubernetes.watch;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * Objects as the API server last returned them, and whether that still holds.
 *
 * <p>The objects come from answers to requests only. An informer reports that one changed, so a
 * report that is late or comes twice costs one read and never restores an older state.
 *
 * <p>Cycles send the requests, one at a time; the threads of the informer report changes. When a
 * route of a user sends a request beside them, the objects are read again.
 *
 * @param <T> the kind
 */
final class KnownObjects<T extends HasMetadata> implements ResourceEventHandler<T> {
  /** The longest time from one read to the next: an informer can fall silent without an end. */
  static final Duration RESYNC = Duration.ofSeconds(30);

  private final Runnable wake;
  private final LongSupplier nanoTime;

  private Map<String, T> objects = Map.of();
  private boolean holds;
  private long readAt;

  /** Whether they were read since {@link #forget}. */
  private boolean isRead;

  /** Whether the answer before still held when the last request was sent. */
  private boolean held;

  /** Whether the informer received changes when the last read was sent. */
  private boolean watched;

  /**
   * The versions last reported during the request under way, by name; null for an object that is
   * gone. The map is null when no request is under way.
   */
  private Map<String, String> reported;

  /** Whether a list of the informer found none, and what it reported later came after that. */
  private boolean foundNone;

  /**
   * @param wake runs when what is known does not hold any more
   * @param nanoTime as {@link System#nanoTime}
   */
  KnownObjects(Runnable wake, LongSupplier nanoTime) {
    this.wake = wake;
    this.nanoTime = nanoTime;
  }

  /**
   * Whether {@link #objects} need not be read.
   *
   * @param watching whether the informer receives changes now
   */
  synchronized boolean isKnown(boolean watching) {
    return watching && holds && isRead && nanoTime.getAsLong() - readAt < RESYNC.toNanos();
  }

  /** The objects as of the last answers. */
  synchronized List<T> objects() {
    return List.copyOf(objects.values());
  }

  /** Has them read again, whatever the informer reports. */
  synchronized void forget() {
    isRead = false;
  }

  /**
   * Notes that a read is sent: nothing is known until its answer.
   *
   * @param watching whether the informer receives changes now
   */
  synchronized void reading(boolean watching) {
    requesting(holds && watching);
    watched = watching;
    readAt = nanoTime.getAsLong();
    isRead = true;
  }

  /** Notes that a write of one object is sent: nothing is known until its answer. */
  synchronized void writing() {
    requesting(holds);
  }

  private void requesting(boolean held) {
    this.held = held;
    holds = false;
    reported = new HashMap<>();
    foundNone = false;
  }

  /** Notes that the request failed; it may have had an effect. */
  synchronized void failed() {
    reported = null;
  }

  /**
   * Takes the answer to a read. An informer that starts later reports all there is then, or that
   * there is nothing, but not that one of several is gone.
   *
   * @return whether the informer should have reported a change, and did not
   */
  synchronized boolean read(List<T> found) {
    Map<String, T> now = new LinkedHashMap<>();
    found.forEach(object -> now.put(object.getMetadata().getName(), object));
    boolean missed =
        held
            && reported != null
            && reported.isEmpty()
            && !foundNone
            && !versions(now).equals(versions(objects));
    held = watched && !missed || now.size() <= 1;
    take(now);
    return missed;
  }

  /** Takes the answer to a write. */
  synchronized void wrote(T now) {
    Map<String, T> changed = new LinkedHashMap<>(objects);
    changed.put(now.getMetadata().getName(), now);
    take(changed);
  }

  /** Notes that an object was deleted. */
  synchronized void deleted(String name) {
    Map<String, T> rest = new LinkedHashMap<>(objects);
    rest.remove(name);
    take(rest);
  }

  private void take(Map<String, T> now) {
    objects = now;
    // A route of a user may have sent another request, whose answer came in between.
    boolean isConsistent =
        reported != null
            && reported.keySet().stream().allMatch(this::isAsReported)
            && (!foundNone || reported.keySet().containsAll(now.keySet()));
    holds = held && isConsistent;
    reported = null;
    if (!isConsistent) {
      wake.run();
    }
  }

  private boolean isAsReported(String name) {
    return Objects.equals(reported.get(name), version(objects.get(name)));
  }

  @Override
  public void onAdd(T added) {
    changed(added.getMetadata().getName(), version(added));
  }

  @Override
  public void onUpdate(T before, T now) {
    changed(now.getMetadata().getName(), version(now));
  }

  @Override
  public void onDelete(T deleted, boolean unknownFinalState) {
    changed(deleted.getMetadata().getName(), null);
  }

  /** A list has found none. */
  @Override
  public synchronized void onNothing() {
    if (reported != null) {
      reported.clear();
      foundNone = true;
    } else if (!objects.isEmpty()) {
      outdated();
    }
  }

  private synchronized void changed(String name, String version) {
    if (reported != null) {
      reported.put(name, version);
    } else if (!Objects.equals(version, version(objects.get(name)))) {
      outdated();
    }
  }

  private void outdated() {
    holds = false;
    wake.run();
  }

  private static Map<String, String> versions(Map<String, ? extends HasMetadata> objects) {
    Map<String, String> versions = new HashMap<>();
    objects.forEach((name, object) -> versions.put(name, version(object)));
    return versions;
  }

  private static String version(HasMetadata object) {
    return object == null ? null : object.getMetadata().getResourceVersion();
  }
}
