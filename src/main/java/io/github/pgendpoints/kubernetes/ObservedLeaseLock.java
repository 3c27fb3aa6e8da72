package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
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
 */
final class ObservedLeaseLock extends LeaseLock {
  private final Duration leaseDuration;
  private final LongSupplier nanoTime;
  private String seenVersion;
  private long seenAt;

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
