package io.github.pgendpoints.kubernetes.watch;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An informer of fabric8, and a new one if it ends or does not recover: it gives up if its first
 * list or watch fails, and waits for up to 32 s after an outage.
 *
 * @param <T> the kind of the objects
 */
public final class RestartingInformer<T extends HasMetadata> {
  private static final Logger LOG = LoggerFactory.getLogger(RestartingInformer.class);

  /** An informer that does not watch for this time is treated as failing. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** After this time without a watch, a new informer starts. */
  private static final Duration RETRY = Duration.ofSeconds(30);

  /** The shortest time between two starts while reads fail again and again. */
  private static final Duration LEAST = Duration.ofSeconds(5);

  private final Informable<T> objects;
  private final ResourceEventHandler<T> handler;
  private final LongSupplier nanoTime;
  private SharedIndexInformer<T> informer;
  private long startedAt;

  /** When a check first found that the informer does not watch; null while it watches. */
  private Long idleSince;

  private boolean readFailed;
  private boolean forbidden;
  private boolean stopped;

  /**
   * @param objects what to watch: one object by name, or several by label
   * @param handler receives the changes, on a thread of the client
   * @param nanoTime as {@link System#nanoTime}
   */
  public RestartingInformer(
      Informable<T> objects, ResourceEventHandler<T> handler, LongSupplier nanoTime) {
    this.objects = objects;
    this.handler = handler;
    this.nanoTime = nanoTime;
  }

  /** Whether the informer receives changes now. */
  public synchronized boolean isWatching() {
    return informer != null && informer.isWatching();
  }

  /** Whether the Role does not grant list and watch. */
  public synchronized boolean isForbidden() {
    return forbidden;
  }

  /** Whether the informer cannot watch, although the API server answers reads. */
  synchronized boolean isFailing() {
    return idleSince != null && hasPassed(idleSince, TIMEOUT);
  }

  /** Records and returns whether the informer watches. Call it before each use. */
  public synchronized boolean check() {
    boolean watching = isWatching();
    if (watching) {
      idleSince = null;
    } else if (idleSince == null) {
      idleSince = nanoTime.getAsLong();
    }
    return watching;
  }

  /** Records that a read failed, which explains why the informer fails. */
  public synchronized void readFailed() {
    readFailed = true;
    idleSince = null;
  }

  /** Records that a read was answered, and starts a new informer if one is due. */
  public synchronized void readAnswered() {
    if (isWatching()) {
      readFailed = false;
      return;
    }
    boolean isDue =
        informer == null
            || readFailed && hasPassed(startedAt, LEAST)
            || idleSince != null && hasPassed(idleSince, RETRY) && hasPassed(startedAt, RETRY);
    if (isDue) {
      readFailed = false;
      restart();
    }
  }

  /** Replaces the informer with a new one. */
  synchronized void restart() {
    close();
    if (stopped) {
      return;
    }
    startedAt = nanoTime.getAsLong();
    try {
      SharedIndexInformer<T> next = objects.runnableInformer(0).addEventHandler(handler);
      informer = next;
      next.start().whenComplete((started, failure) -> started(next, failure));
    } catch (RuntimeException e) {
      started(informer, e);
    }
  }

  /** Stops the informer permanently. */
  public synchronized void stop() {
    stopped = true;
    close();
  }

  private void close() {
    if (informer != null) {
      try {
        informer.stop();
      } catch (RuntimeException e) {
        LOG.debug("the informer does not stop", e);
      }
    }
  }

  private synchronized void started(SharedIndexInformer<T> which, Throwable failure) {
    if (which == informer) {
      forbidden =
          Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
              .limit(20)
              .anyMatch(RestartingInformer::isForbidden);
    }
  }

  private static boolean isForbidden(Throwable failure) {
    return failure instanceof KubernetesClientException refused
        && refused.getCode() == HttpURLConnection.HTTP_FORBIDDEN;
  }

  private boolean hasPassed(long since, Duration time) {
    return nanoTime.getAsLong() - since >= time.toNanos();
  }
}
