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
 * Objects as the API server last returned them, and whether they are still up to date.
 *
 * <p>The objects come only from answers to requests. An informer only reports that an object
 * changed, so a late or repeated report costs one read and never restores an older state.
 *
 * <p>Cycles send the requests, one at a time; the threads of the informer report changes. If a
 * user's route sends a request at the same time, the objects are read again.
 *
 * @param <T> the kind
 */
final class KnownObjects<T extends HasMetadata> implements ResourceEventHandler<T> {
  /** The longest time from one read to the next: an informer can fall silent without ending. */
  static final Duration RESYNC = Duration.ofSeconds(30);

  private final Runnable outdated;
  private final LongSupplier nanoTime;

  private Map<String, T> objects = Map.of();
  private boolean upToDate;
  private long readAt;

  /** Whether the objects were read since {@link #forget}. */
  private boolean isRead;

  /** Whether the objects were still up to date when the last request was sent. */
  private boolean wasUpToDate;

  /** Whether the informer received changes when the last read was sent. */
  private boolean watched;

  /**
   * The last versions that the informer reported during the current request, by name; null for a
   * deleted object. The map is null if no request is in progress.
   */
  private Map<String, String> reported;

  /** Whether a list of the informer found no object. Then {@link #reported} has later reports. */
  private boolean foundNone;

  /**
   * @param outdated runs when the objects are not up to date any more
   * @param nanoTime as {@link System#nanoTime}
   */
  KnownObjects(Runnable outdated, LongSupplier nanoTime) {
    this.outdated = outdated;
    this.nanoTime = nanoTime;
  }

  /**
   * Whether {@link #objects} need not be read.
   *
   * @param watching whether the informer receives changes now
   */
  synchronized boolean isKnown(boolean watching) {
    return watching && upToDate && isRead && nanoTime.getAsLong() - readAt < RESYNC.toNanos();
  }

  /** The objects of the last answers. */
  synchronized List<T> objects() {
    return List.copyOf(objects.values());
  }

  /** Requires a new read, regardless of what the informer reports. */
  synchronized void forget() {
    isRead = false;
  }

  /**
   * Records that a read is sent. Nothing is known until its answer.
   *
   * @param watching whether the informer receives changes now
   */
  synchronized void reading(boolean watching) {
    requesting(upToDate && watching);
    watched = watching;
    readAt = nanoTime.getAsLong();
    isRead = true;
  }

  /** Records that a write of one object is sent. Nothing is known until its answer. */
  synchronized void writing() {
    requesting(upToDate);
  }

  private void requesting(boolean wasUpToDate) {
    this.wasUpToDate = wasUpToDate;
    upToDate = false;
    reported = new HashMap<>();
    foundNone = false;
  }

  /** Records that the request failed. It may have had an effect. */
  synchronized void failed() {
    reported = null;
  }

  /**
   * Takes the answer to a read. An informer that starts later reports all objects that exist then,
   * or that there are none, but not that one of several was deleted.
   *
   * @return whether the informer missed a change that it should have reported
   */
  synchronized boolean read(List<T> found) {
    Map<String, T> now = new LinkedHashMap<>();
    found.forEach(object -> now.put(object.getMetadata().getName(), object));
    boolean missed =
        wasUpToDate
            && reported != null
            && reported.isEmpty()
            && !foundNone
            && !versions(now).equals(versions(objects));
    wasUpToDate = watched && !missed || now.size() <= 1;
    take(now);
    return missed;
  }

  /** Takes the answer to a write. */
  synchronized void wrote(T now) {
    Map<String, T> changed = new LinkedHashMap<>(objects);
    changed.put(now.getMetadata().getName(), now);
    take(changed);
  }

  /** Records that an object was deleted. */
  synchronized void deleted(String name) {
    Map<String, T> rest = new LinkedHashMap<>(objects);
    rest.remove(name);
    take(rest);
  }

  private void take(Map<String, T> now) {
    objects = now;
    // A user's route may have sent another request, whose answer came in between.
    boolean isConsistent =
        reported != null
            && reported.keySet().stream().allMatch(this::isAsReported)
            && (!foundNone || reported.keySet().containsAll(now.keySet()));
    upToDate = wasUpToDate && isConsistent;
    reported = null;
    if (!isConsistent) {
      outdated.run();
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

  /** Records that a list of the informer found no object. */
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
    upToDate = false;
    outdated.run();
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
