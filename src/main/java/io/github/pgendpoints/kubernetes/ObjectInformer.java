package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * fabric8's informer of one object, and a new one where that ends or does not come back: it gives
 * up when its first list or watch fails, and waits for up to 32 s after an outage.
 *
 * @param <T> the kind
 */
final class ObjectInformer<T extends HasMetadata> implements ResourceEventHandler<T> {
  /** An informer that does not watch for so long counts as one that fails. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** After so long without a watch, a new informer starts. */
  private static final Duration RETRY = Duration.ofSeconds(30);

  private final Resource<T> resource;
  private final Consumer<String> changed;
  private final LongSupplier nanoTime;
  private SharedIndexInformer<T> informer;
  private long startedAt;

  /** When a cycle first found that it does not watch; null while it watches. */
  private Long idleSince;

  private boolean readFailed;
  private boolean forbidden;
  private boolean stopped;

  /**
   * @param resource the object, by name
   * @param changed takes the version of the object when that changes; null when it is gone
   * @param nanoTime as {@link System#nanoTime}
   */
  ObjectInformer(Resource<T> resource, Consumer<String> changed, LongSupplier nanoTime) {
    this.resource = resource;
    this.changed = changed;
    this.nanoTime = nanoTime;
  }

  /** Whether it receives changes now. */
  synchronized boolean isWatching() {
    return informer != null && informer.isWatching();
  }

  /** Whether the Role does not grant list and watch. */
  synchronized boolean isForbidden() {
    return forbidden;
  }

  /** Whether it cannot watch, though the API server answers reads. */
  synchronized boolean isFailing() {
    return idleSince != null && hasPassed(idleSince, PATIENCE);
  }

  /** Notes in each cycle whether it watches, and returns that. */
  synchronized boolean check() {
    boolean watching = isWatching();
    if (watching) {
      idleSince = null;
    } else if (idleSince == null) {
      idleSince = nanoTime.getAsLong();
    }
    return watching;
  }

  /** Notes that a read failed, which explains why this fails. */
  synchronized void readFailed() {
    readFailed = true;
    idleSince = null;
  }

  /** Notes that a read was answered, and starts a new informer if one is due. */
  synchronized void readAnswered() {
    boolean isDue =
        informer == null
            || readFailed
            || idleSince != null && hasPassed(idleSince, RETRY) && hasPassed(startedAt, RETRY);
    if (isDue && !isWatching()) {
      restart();
    }
    readFailed = false;
  }

  /** Starts a new informer in place of the one there is. */
  synchronized void restart() {
    close();
    if (stopped) {
      return;
    }
    startedAt = nanoTime.getAsLong();
    SharedIndexInformer<T> next = resource.runnableInformer(0).addEventHandler(this);
    informer = next;
    try {
      next.start().whenComplete((started, failure) -> started(next, failure));
    } catch (RuntimeException e) {
      started(next, e);
    }
  }

  /** Stops it for good. */
  synchronized void stop() {
    stopped = true;
    close();
  }

  private void close() {
    if (informer != null) {
      informer.stop();
    }
  }

  private synchronized void started(SharedIndexInformer<T> which, Throwable failure) {
    if (which == informer) {
      forbidden =
          Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
              .anyMatch(ObjectInformer::isForbidden);
    }
  }

  private static boolean isForbidden(Throwable failure) {
    return failure instanceof KubernetesClientException refused
        && refused.getCode() == HttpURLConnection.HTTP_FORBIDDEN;
  }

  private boolean hasPassed(long since, Duration time) {
    return nanoTime.getAsLong() - since >= time.toNanos();
  }

  @Override
  public void onAdd(T added) {
    changed.accept(added.getMetadata().getResourceVersion());
  }

  @Override
  public void onUpdate(T before, T now) {
    changed.accept(now.getMetadata().getResourceVersion());
  }

  @Override
  public void onDelete(T deleted, boolean unknownFinalState) {
    changed.accept(null);
  }

  /** A list has found no such object. */
  @Override
  public void onNothing() {
    changed.accept(null);
  }
}
