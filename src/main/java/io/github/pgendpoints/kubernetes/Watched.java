package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What the API server last said of some objects, and whether that still holds.
 *
 * <p>What they are comes from answers alone. A watch only says that something changed: whatever it
 * tells late, twice or in no order then costs a read, and never brings an older state back.
 *
 * <p>Asked by cycles, one at a time; told by the watch's own threads.
 *
 * @param <T> their kind
 */
final class Watched<T extends HasMetadata> {
  /** So old may an answer get: a watch can fall silent without an end. */
  static final Duration RESYNC = Duration.ofSeconds(30);

  private final LongSupplier nanoTime;
  private final Supplier<Object> term;
  private final Runnable wake;

  private List<T> objects = List.of();
  private boolean holds;
  private Moment asked = new Moment(0, null, 0, false);

  /**
   * Of the request under way: the last version that the watch told, by name. Null: there is none.
   */
  private Map<String, String> told;

  /** Counts the times that the watch was opened. */
  private int openings;

  private boolean open;

  /**
   * When a request was sent.
   *
   * @param opening of the watch that was open then; 0 when none was
   * @param held whether the answer before still held, but for its age
   */
  private record Moment(long nanos, Object term, int opening, boolean held) {}

  /**
   * @param nanoTime as {@link System#nanoTime}
   * @param term what changes when others may have written meanwhile: which leadership this is
   * @param wake lets a cycle look at once
   */
  Watched(LongSupplier nanoTime, Supplier<Object> term, Runnable wake) {
    this.nanoTime = nanoTime;
    this.term = term;
    this.wake = wake;
  }

  /** Whether {@link #objects} need not be read. */
  synchronized boolean isKnown() {
    return holds
        && nanoTime.getAsLong() - asked.nanos() < RESYNC.toNanos()
        && asked.term().equals(term.get());
  }

  /** As last answered. */
  synchronized List<T> objects() {
    return objects;
  }

  // --- requests ---------------------------------------------------------------------------------

  /** A request is sent: until it is answered nothing is known. */
  synchronized void ask() {
    asked = new Moment(nanoTime.getAsLong(), term.get(), open ? openings : 0, holds);
    holds = false;
    told = new HashMap<>();
  }

  /** It failed, and may have had an effect. */
  synchronized void unanswered() {
    told = null;
  }

  /**
   * A read was answered.
   *
   * @return false when there is a change that the watch has not told
   */
  synchronized boolean read(Collection<T> found) {
    boolean unchanged = versions(found).equals(versions(objects));
    boolean quiet = told.isEmpty();
    answered(found);
    return unchanged || !quiet || !asked.held();
  }

  /** A write was answered, which leaves these and no others. */
  synchronized void wrote(Collection<T> now) {
    answered(now);
  }

  private void answered(Collection<T> now) {
    objects = List.copyOf(now);
    boolean changedSince =
        told.entrySet().stream()
            .anyMatch(event -> !Objects.equals(event.getValue(), version(event.getKey())));
    holds = open && openings == asked.opening() && !changedSince;
    told = null;
    if (changedSince) {
      wake.run();
    }
  }

  // --- the watch --------------------------------------------------------------------------------

  /** It is open: what is asked from now on is told when it changes, and what came before is not. */
  synchronized void opened() {
    open = true;
    openings++;
    wake.run();
  }

  /**
   * An object has another version, or is as it was when the watch was opened.
   *
   * @param version null when it is gone
   */
  synchronized void changed(String name, String version) {
    if (told != null) {
      told.put(name, version);
    } else if (!Objects.equals(version, version(name))) {
      holds = false;
      wake.run();
    }
  }

  /** It tells nothing any more. */
  synchronized void closed() {
    open = false;
    holds = false;
  }

  private String version(String name) {
    return versions(objects).get(name);
  }

  private static Map<String, String> versions(Collection<? extends HasMetadata> objects) {
    Map<String, String> versions = new HashMap<>();
    objects.forEach(
        object ->
            versions.put(
                object.getMetadata().getName(), object.getMetadata().getResourceVersion()));
    return versions;
  }
}
