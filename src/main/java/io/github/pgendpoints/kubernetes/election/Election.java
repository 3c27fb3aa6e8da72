package io.github.pgendpoints.kubernetes.election;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.NamespacedKubernetesClient;
import io.fabric8.kubernetes.client.RequestConfigBuilder;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.github.pgendpoints.kubernetes.watch.RestartingInformer;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes part in the election of one leader among several processes by a Lease, while it is started.
 * It keeps {@link Leadership} up to date.
 *
 * <p>Every process runs, whether it leads or not, and checks {@link Leadership} before each action
 * that only the leader may take. So nothing must be started or stopped when leadership changes.
 */
public final class Election extends ServiceSupport {
  private static final Logger LOG = LoggerFactory.getLogger(Election.class);

  /** The time from a leader's last renewal until another process takes the Lease. */
  static final Duration LEASE = Duration.ofSeconds(4);

  /** The time from a leader's last renewal until it stops writing. */
  static final Duration RENEW_DEADLINE = Duration.ofSeconds(3);

  /** How often the holder renews the Lease, and every other process reads it. */
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** The same for a read while an informer reports each renewal, in case the informer fails. */
  private static final Duration WATCHED_INTERVAL = Duration.ofMillis(1500);

  /** The shortest time between two reads, however often the Lease changes. */
  private static final Duration LEAST = Duration.ofMillis(100);

  /** How soon the holder tries again after a failure, while it still leads. */
  private static final Duration RETRY = Duration.ofMillis(250);

  /** How often to repeat a request that the Role does not grant. */
  private static final Duration FORBIDDEN = Duration.ofSeconds(10);

  /**
   * While a RoleBinding is replaced, or an API server starts, the answer may be 403 for a moment. A
   * right that was granted is treated as revoked only after this time.
   */
  private static final Duration REVOKED = Duration.ofSeconds(10);

  /** The longest time of a request: a later answer comes too late for the renewal. */
  public static final Duration MAX_REQUEST = Duration.ofSeconds(1);

  /** The time limit of the release when the process ends: its request and one in progress. */
  private static final Duration RELEASE = MAX_REQUEST.multipliedBy(2);

  private final Candidate candidate;
  private final Leadership leadership;
  private final ElectionListener listener;
  private final Runnable gained;
  private final ObservedLease lease;
  private final Informable<Lease> watched;

  /**
   * Reports each renewal to a follower: a renewal that it sees late lets a dead leader keep the
   * Lease.
   */
  private RestartingInformer<Lease> informer;

  /** Has a permit when the next attempt need not wait. */
  private final Semaphore due = new Semaphore(0);

  private Thread thread;
  private volatile boolean stopping;
  private volatile String holder;

  // Only the thread of the election sets these.
  private volatile boolean leads;
  private String follows;
  private boolean failed;
  private Long grantedAt;
  private boolean reportedMissingWatch;

  /**
   * @param client for the Kubernetes API; the requests of the election have a shorter timeout
   * @param namespace of the Lease
   * @param name of the Lease, which is created if it does not exist
   * @param serves what the holder may write, in words that all replicas of an installation share
   * @param leadership the leadership to keep up to date
   * @param listener receives the events
   * @param gained runs when this process begins to lead
   */
  public Election(
      KubernetesClient client,
      String namespace,
      String name,
      Candidate candidate,
      String serves,
      Leadership leadership,
      ElectionListener listener,
      Runnable gained) {
    this.candidate = candidate;
    this.leadership = leadership;
    this.listener = listener;
    this.gained = gained;
    this.watched = client.leases().inNamespace(namespace).withName(name);
    this.informer = informer();
    this.lease =
        new ObservedLease(
            bounded(client), namespace, name, candidate, serves, LEASE, System::nanoTime);
  }

  private static KubernetesClient bounded(KubernetesClient client) {
    return client
        .adapt(NamespacedKubernetesClient.class)
        .withRequestConfig(
            new RequestConfigBuilder()
                .withRequestTimeout(
                    Math.min(
                        client.getConfiguration().getRequestTimeout(),
                        (int) MAX_REQUEST.toMillis()))
                .withRequestRetryBackoffLimit(0)
                .build())
        .call(bounded -> bounded);
  }

  @Override
  protected void doStart() {
    stopping = false;
    thread = new Thread(this::run, "leader-election");
    thread.setDaemon(true);
    thread.start();
  }

  /** Stops leading at once, and releases the Lease for another process. */
  @Override
  protected void doStop() throws InterruptedException {
    stopping = true;
    due.release();
    leadership.end();
    thread.join(RELEASE.toMillis());
    thread.interrupt();
  }

  /** Runs on a thread of the client. */
  private record Changes(Runnable changed) implements ResourceEventHandler<Lease> {
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

  /** A leader ignores changes, since it knows what it has written. */
  private void changed() {
    if (!leads) {
      due.release();
    }
  }

  // --- all of this runs on the one thread -------------------------------------------------------

  private void run() {
    try {
      while (!stopping) {
        awaitNext(attempt());
      }
      leadership.end();
      release();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      stopWatching();
    }
  }

  /** Waits for this time, or until the Lease changes or the election stops. */
  private void awaitNext(Duration pause) throws InterruptedException {
    long began = System.nanoTime();
    if (due.tryAcquire(pause.toNanos(), TimeUnit.NANOSECONDS) && !stopping) {
      TimeUnit.NANOSECONDS.sleep(LEAST.toNanos() - (System.nanoTime() - began));
    }
    due.drainPermits();
  }

  /**
   * Reads the Lease, and takes or renews it if it is free.
   *
   * @return how long to wait until the next attempt
   */
  private Duration attempt() {
    long began = System.nanoTime();
    try {
      if (!lease.isRenewed()) {
        lease.read();
        leadership.recordObservation();
      }
      if (!lease.isFree()) {
        granted();
        follow(lease.holder());
        Duration interval = informer.check() ? WATCHED_INTERVAL : INTERVAL;
        informer.readAnswered();
        warnOfMissingWatch();
        return lease.remaining().compareTo(interval) < 0 ? lease.remaining() : interval;
      }
      leadership.renewBy(lease::take, !lease.isHeld());
      granted();
      lead();
      // From request to request, however long an answer takes: leadership starts at the request.
      Duration left = INTERVAL.minusNanos(System.nanoTime() - began);
      return left.isNegative() ? Duration.ZERO : left;
    } catch (KubernetesClientException e) {
      return failed(e);
    } catch (RuntimeException e) {
      return failed(new KubernetesClientException(e.toString(), e));
    }
  }

  private RestartingInformer<Lease> informer() {
    return new RestartingInformer<>(watched, new Changes(this::changed), System::nanoTime);
  }

  private void stopWatching() {
    informer.stop();
    informer = informer();
  }

  private void warnOfMissingWatch() {
    if (informer.isForbidden() && !reportedMissingWatch) {
      reportedMissingWatch = true;
      listener.notWatched();
    }
  }

  private void granted() {
    grantedAt = System.nanoTime();
    leadership.alone(false);
    if (failed) {
      failed = false;
      listener.recovered();
    }
  }

  /** The name of the process that holds the Lease, as last read; null if it is not known. */
  public String holder() {
    return candidate.identity().equals(holder) && !leadership.isHeld() ? null : holder;
  }

  private void lead() {
    holder = candidate.identity();
    leadership.sharedWith(null);
    if (!leads) {
      leads = true;
      stopWatching();
      follows = null;
      listener.leads(candidate.identity());
      gained.run();
    }
  }

  private void follow(String holder) {
    this.holder = holder;
    end(false);
    String other = lease.otherService();
    leadership.sharedWith(other);
    String followed = holder + other;
    if (!followed.equals(follows)) {
      follows = followed;
      if (other != null) {
        listener.shares(holder, other);
      } else if (lease.isForeign()) {
        listener.waitsFor(holder, lease.duration());
      } else {
        listener.follows(holder);
      }
    }
  }

  private void end(boolean isReleased) {
    leadership.end();
    if (leads) {
      leads = false;
      listener.ended(isReleased);
    }
  }

  private Duration failed(KubernetesClientException failure) {
    int code = failure.getCode();
    lease.forget();
    if (code == HttpURLConnection.HTTP_CONFLICT
        || code == HttpURLConnection.HTTP_NOT_FOUND && lease.exists()) {
      // Another process may have the Lease. The leader is unknown until the Lease has been read.
      leadership.end();
      return RETRY;
    }
    if (code == HttpURLConnection.HTTP_FORBIDDEN && !wasGrantedOfLate()) {
      if (!leadership.isAlone()) {
        leadership.alone(true);
        follows = null;
        stopWatching();
        listener.notGranted(failure);
      }
      return FORBIDDEN;
    }
    failed = true;
    informer.readFailed();
    listener.failed(failure);
    if (!leadership.isHeld()) {
      end(false);
      return INTERVAL;
    }
    return RETRY;
  }

  private boolean wasGrantedOfLate() {
    return grantedAt != null && System.nanoTime() - grantedAt < REVOKED.toNanos();
  }

  private void release() {
    leadership.alone(false);
    boolean isReleased = false;
    try {
      isReleased = leads && lease.release();
    } catch (RuntimeException e) {
      LOG.debug("the Lease is not released: it runs out by itself", e);
    }
    end(isReleased);
  }
}
