package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfig;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElector;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.Lock;
import io.github.pgendpoints.logging.ForeignText;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.cluster.CamelClusterEventListener;
import org.apache.camel.cluster.CamelClusterMember;
import org.apache.camel.cluster.CamelClusterService;
import org.apache.camel.cluster.CamelClusterView;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One replica's part in the election for one Lease, by fabric8's elector.
 *
 * <p>Not by AbstractCamelClusterView: that one calls its listeners under a lock which a consumer
 * that is being stopped waits for, while the listener waits for the consumer's.
 */
final class LeaseView extends ServiceSupport implements CamelClusterView {
  /** From a leader's last renewal until another replica takes the Lease. */
  static final Duration LEASE = Duration.ofSeconds(6);

  /** From a leader's last renewal until it stops writing. */
  static final Duration RENEW_DEADLINE = Duration.ofSeconds(4);

  private static final Duration RENEWAL = Duration.ofMillis(1500);

  /** How often a follower looks, fabric8's jitter making up to 2.2 times as much of it. */
  private static final Duration LOOK = Duration.ofMillis(250);

  /** How often to try again what the Role does not grant. */
  private static final Duration FORBIDDEN = Duration.ofSeconds(10);

  /** A Role that is being replaced, or an API server that starts, says no for a while. */
  private static final Duration NO_FOR_A_WHILE = Duration.ofSeconds(10);

  /** What the release of the Lease may take of the time a process has to end. */
  private static final Duration RELEASE = Duration.ofSeconds(1);

  private static final String RULES =
      "; add to the Role: apiGroups [\"coordination.k8s.io\"], resources [leases], resourceNames [%s],"
          + " verbs [get, patch], and a rule of the same without resourceNames for verbs [create]";

  private static final Logger LOG = LoggerFactory.getLogger(LeaseView.class);

  private final CamelClusterService service;
  private final String name;
  private final ObservedLeaseLock observed;
  private final Lock lease;
  private final KubernetesClient client;
  private final Leadership leadership;
  private final KubernetesErrors errors;
  private final List<CamelClusterEventListener.Leadership> listeners = new CopyOnWriteArrayList<>();
  private CamelContext camelContext;
  private ExecutorService thread;
  private CompletableFuture<?> election;
  private volatile String leader = "";
  private volatile boolean leads;

  /** Whether somebody else wrote the Lease, or took it away, since it was read or renewed. */
  private volatile boolean changed;

  private volatile boolean stopping;
  private String lastFailure = "";
  private boolean saidForbidden;

  /** When the Role last granted what is needed; null until it has. */
  private Long grantedAt;

  LeaseView(
      CamelClusterService service,
      String name,
      String kubernetesNamespace,
      String identity,
      KubernetesClient client,
      Leadership leadership,
      KubernetesErrors errors) {
    this.service = service;
    this.name = name;
    this.observed =
        new ObservedLeaseLock(kubernetesNamespace, name, identity, LEASE, System::nanoTime);
    this.lease = new ToldLock(observed);
    this.client = client;
    this.leadership = leadership;
    this.errors = errors;
  }

  // --- the election; all of it runs on the one thread -------------------------------------------

  @Override
  protected void doStart() {
    stopping = false;
    observed.readAgain();
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread created = new Thread(task, "leader-election");
              created.setDaemon(true);
              return created;
            });
    thread.execute(this::elect);
  }

  /** An elector serves until it has lost the Lease. */
  private void elect() {
    if (stopping) {
      return;
    }
    LeaderCallbacks callbacks = new LeaderCallbacks(this::taken, this::lost, this::heldBy);
    LeaderElectionConfig config =
        new LeaderElectionConfig(lease, LEASE, RENEW_DEADLINE, LOOK, callbacks, true, name) {
          @Override
          public Duration getRetryPeriod() {
            return leadership.isAlone() ? FORBIDDEN : leads && !changed ? RENEWAL : LOOK;
          }
        };
    election = new LeaderElector(client, config, thread).start();
    election.whenComplete((nothing, failure) -> elect());
  }

  private void heldBy(String holder) {
    leader = holder == null ? "" : holder;
    if (!leader.isEmpty() && !leader.equals(lease.identity())) {
      LOG.info("stands by: Lease {} is held by {}", name, ForeignText.clean(leader));
    }
  }

  private void taken() {
    LOG.info("leads: holds Lease {} as {}", name, lease.identity());
    leads = true;
    tellListeners();
  }

  private void lost() {
    if (leads) {
      leads = false;
      leadership.end();
      LOG.info("leads no longer: Lease {} is {}", name, stopping ? "released" : "lost");
      tellListeners();
    }
  }

  private void tellListeners() {
    if (!stopping) {
      listeners.forEach(listener -> listener.leadershipChanged(this, getLeader().orElse(null)));
    }
  }

  private void failed(KubernetesClientException failure) {
    changed =
        failure.getCode() == HttpURLConnection.HTTP_CONFLICT
            || leads && failure.getCode() == HttpURLConnection.HTTP_NOT_FOUND;
    if (changed) {
      // Maybe by another replica: until the Lease has been read, nobody knows who leads.
      leadership.end();
    } else if (failure.getCode() == HttpURLConnection.HTTP_FORBIDDEN && !wasGrantedOfLate()) {
      writeAlone();
    } else {
      String said = errors.describe(failure);
      if (!said.equals(lastFailure)) {
        LOG.warn("Lease {} cannot be looked at or renewed, only its holder writes: {}", name, said);
      }
      lastFailure = said;
    }
  }

  private boolean wasGrantedOfLate() {
    return grantedAt != null && System.nanoTime() - grantedAt < NO_FOR_A_WHILE.toNanos();
  }

  private void writeAlone() {
    if (!saidForbidden) {
      LOG.warn(
          "the Role does not grant Lease {}: single-writer mode, each replica writes{}",
          name,
          RULES.formatted(name));
    }
    saidForbidden = true;
    if (!leadership.isAlone()) {
      leadership.alone(true);
      tellListeners();
    }
  }

  private void answered(LeaderElectionRecord found) {
    changed = false;
    leadership.looked();
    if (!lastFailure.isEmpty()) {
      LOG.info("over: Lease {} cannot be looked at or renewed", name);
    }
    lastFailure = "";
    if (found != null && isHeldByAnother(found)) {
      granted();
    }
  }

  private boolean isHeldByAnother(LeaderElectionRecord found) {
    String holder = found.getHolderIdentity();
    return holder != null
        && !holder.isEmpty()
        && !holder.equals(lease.identity())
        && found.getRenewTime().plus(found.getLeaseDuration()).isAfter(ZonedDateTime.now());
  }

  private void granted() {
    grantedAt = System.nanoTime();
    if (leadership.isAlone()) {
      leadership.alone(false);
      tellListeners();
    }
  }

  /**
   * Lets the other replica have the Lease at once; whatever may still be under way writes no more.
   */
  @Override
  protected void doStop() {
    stopping = true;
    leadership.alone(false);
    leadership.end();
    try {
      thread.submit(this::release).get(RELEASE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("Lease {} is not released", name, e);
    } finally {
      thread.shutdownNow();
    }
  }

  private void release() {
    observed.readAgain();
    election.cancel(true);
  }

  /** Keeps leadership, and what is worth saying, in step with what was asked and answered. */
  private final class ToldLock implements Lock {
    private final Lock lock;

    ToldLock(Lock lock) {
      this.lock = lock;
    }

    @Override
    public LeaderElectionRecord get(KubernetesClient ours) {
      return told(
          () -> {
            LeaderElectionRecord found = lock.get(ours);
            answered(found);
            return found;
          });
    }

    @Override
    public void create(KubernetesClient ours, LeaderElectionRecord next) {
      renew(() -> lock.create(ours, next));
    }

    @Override
    public void update(KubernetesClient ours, LeaderElectionRecord next) {
      if (identity().equals(next.getHolderIdentity())) {
        renew(() -> lock.update(ours, next));
      } else {
        lock.update(ours, next);
      }
    }

    private void renew(Runnable request) {
      told(
          () -> {
            leadership.renewBy(request);
            granted();
            return null;
          });
      if (stopping) {
        leadership.end();
      }
    }

    /** The elector goes on after this exception alone; after any other it would be silent. */
    private <T> T told(Supplier<T> request) {
      try {
        return request.get();
      } catch (KubernetesClientException e) {
        failed(e);
        throw e;
      } catch (RuntimeException e) {
        KubernetesClientException failure = new KubernetesClientException(e.toString(), e);
        failed(failure);
        throw failure;
      }
    }

    @Override
    public String identity() {
      return lock.identity();
    }

    @Override
    public String describe() {
      return lock.describe();
    }
  }

  // --- what Camel asks --------------------------------------------------------------------------

  @Override
  public CamelClusterService getClusterService() {
    return service;
  }

  @Override
  public String getNamespace() {
    return name;
  }

  @Override
  public Optional<CamelClusterMember> getLeader() {
    return leader.isEmpty() ? Optional.empty() : Optional.of(new Member(leader));
  }

  @Override
  public CamelClusterMember getLocalMember() {
    return new Member(lease.identity());
  }

  /** The Lease tells of its holder and of nobody else. */
  @Override
  public List<CamelClusterMember> getMembers() {
    return getLeader()
        .filter(other -> !other.isLocal())
        .map(other -> List.of(getLocalMember(), other))
        .orElseGet(() -> List.of(getLocalMember()));
  }

  @Override
  public void addEventListener(CamelClusterEventListener listener) {
    if (listener instanceof CamelClusterEventListener.Leadership ours) {
      listeners.add(ours);
      ours.leadershipChanged(this, getLeader().orElse(null));
    }
  }

  @Override
  public void removeEventListener(CamelClusterEventListener listener) {
    listeners.removeIf(ours -> ours == listener);
  }

  @Override
  public CamelContext getCamelContext() {
    return camelContext;
  }

  @Override
  public void setCamelContext(CamelContext context) {
    camelContext = context;
  }

  private final class Member implements CamelClusterMember {
    private final String id;

    Member(String id) {
      this.id = id;
    }

    @Override
    public String getId() {
      return id;
    }

    @Override
    public boolean isLocal() {
      return id.equals(lease.identity());
    }

    @Override
    public boolean isLeader() {
      return isLocal() ? leads || leadership.isAlone() : id.equals(leader);
    }
  }
}
