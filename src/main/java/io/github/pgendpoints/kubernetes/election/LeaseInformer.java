package io.github.pgendpoints.kubernetes.election;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Objects;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports each change of a Lease at once, where the Role grants list and watch. A follower counts
 * from when it has seen a renewal, so one that it sees late lets a dead leader keep the Lease for
 * longer. Used by one thread.
 */
final class LeaseInformer implements ResourceEventHandler<Lease> {
  private static final Logger LOG = LoggerFactory.getLogger(LeaseInformer.class);

  /** After so long a new informer starts where the last one does not watch. */
  private static final long RETRY = Duration.ofSeconds(30).toNanos();

  private final Resource<Lease> lease;
  private final Runnable changed;
  private SharedIndexInformer<Lease> informer;

  /** As {@link System#nanoTime}; null while it is to start. */
  private Long startedAt;

  private volatile boolean forbidden;

  /**
   * @param lease by name
   * @param changed runs on a thread of the client
   */
  LeaseInformer(Resource<Lease> lease, Runnable changed) {
    this.lease = lease;
    this.changed = changed;
  }

  /** Whether it reports changes now. */
  boolean isWatching() {
    return informer != null && informer.isWatching();
  }

  /** Starts the reports, if there are none and the last start was long ago. */
  void keepWatching() {
    boolean isDue = startedAt == null || System.nanoTime() - startedAt >= RETRY;
    if (isDue && !isWatching()) {
      stop();
      start();
    }
  }

  /** Whether the Role does not grant list and watch. */
  boolean isForbidden() {
    return forbidden;
  }

  private void start() {
    startedAt = System.nanoTime();
    try {
      informer = lease.runnableInformer(0).addEventHandler(this);
      informer.start().whenComplete((started, failure) -> forbidden = isForbidden(failure));
    } catch (RuntimeException e) {
      LOG.debug("the Lease is read without a watch", e);
    }
  }

  private static boolean isForbidden(Throwable failure) {
    return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
        .anyMatch(
            cause ->
                cause instanceof KubernetesClientException refused
                    && refused.getCode() == HttpURLConnection.HTTP_FORBIDDEN);
  }

  /** Stops the reports; {@link #keepWatching} starts them again. */
  void stop() {
    SharedIndexInformer<Lease> last = informer;
    informer = null;
    startedAt = null;
    if (last != null) {
      try {
        last.stop();
      } catch (RuntimeException e) {
        LOG.debug("the informer of the Lease does not stop", e);
      }
    }
  }

  @Override
  public void onAdd(Lease added) {
    changed.run();
  }

  @Override
  public void onUpdate(Lease before, Lease now) {
    changed.run();
  }

  @Override
  public void onDelete(Lease deleted, boolean unknownFinalState) {
    changed.run();
  }
}
