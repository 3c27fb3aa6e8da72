package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * A Lease as one replica sees it. fabric8's own measures another replica's renewals by that
 * replica's clock, so that a clock some seconds off takes the Lease from a leader that is well, and
 * its release leaves the holder's name in the Lease.
 *
 * <p>Its holder renews it by one request, as client-go has it: what the last renewal was answered
 * is what the next one goes by, and the API server refuses it when the Lease has changed since.
 */
final class ObservedLeaseLock extends LeaseLock {
  private final Duration leaseDuration;
  private final LongSupplier nanoTime;
  private String seenVersion;
  private long seenAt;

  /** As the last renewal was answered; null when the Lease is to be read. */
  private Lease renewed;

  /**
   * @param leaseDuration of a Lease that names none
   * @param nanoTime as {@link System#nanoTime}
   */
  ObservedLeaseLock(
      String namespace,
      String name,
      String identity,
      Duration leaseDuration,
      LongSupplier nanoTime) {
    super(namespace, name, identity);
    this.leaseDuration = leaseDuration;
    this.nanoTime = nanoTime;
  }

  @Override
  public synchronized LeaderElectionRecord get(KubernetesClient client) {
    Lease known = renewed;
    // Good for one renewal: after one that failed the Lease may be anybody's.
    renewed = null;
    return known == null ? super.get(client) : toRecord(known);
  }

  /** Has the Lease read before the next renewal or release, in case somebody else wrote it. */
  synchronized void readAgain() {
    renewed = null;
  }

  @Override
  public synchronized void update(KubernetesClient client, LeaderElectionRecord next) {
    Lease answer =
        client
            .resource(toResource(next, getObjectMeta(seenVersion)))
            .patch(PatchContext.of(PatchType.JSON_MERGE));
    renewed = identity().equals(next.getHolderIdentity()) ? answer : null;
  }

  /** As client-go has it: a renewal is as old as it is known to us. */
  @Override
  protected LeaderElectionRecord toRecord(Lease lease) {
    long now = nanoTime.getAsLong();
    String version = lease.getMetadata().getResourceVersion();
    if (!version.equals(seenVersion)) {
      seenVersion = version;
      seenAt = now;
    }
    LeaseSpec spec = Objects.requireNonNullElse(lease.getSpec(), new LeaseSpec());
    ZonedDateTime renewed = ZonedDateTime.now(ZoneOffset.UTC).minusNanos(now - seenAt);
    return new LeaderElectionRecord(
        spec.getHolderIdentity(),
        spec.getLeaseDurationSeconds() == null
            ? leaseDuration
            : Duration.ofSeconds(spec.getLeaseDurationSeconds()),
        Objects.requireNonNullElse(spec.getAcquireTime(), renewed),
        renewed,
        Objects.requireNonNullElse(spec.getLeaseTransitions(), 0));
  }

  /** A merge patch without a holder would leave the one there is. */
  @Override
  protected Lease toResource(LeaderElectionRecord leaderElectionRecord, ObjectMetaBuilder meta) {
    return new LeaseBuilder(super.toResource(leaderElectionRecord, meta))
        .editSpec()
        .withHolderIdentity(
            Objects.requireNonNullElse(leaderElectionRecord.getHolderIdentity(), ""))
        .endSpec()
        .build();
  }
}
