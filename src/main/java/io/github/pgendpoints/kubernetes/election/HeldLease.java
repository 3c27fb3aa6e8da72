package io.github.pgendpoints.kubernetes.election;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.Optional;

/**
 * Detects whether another process leads, for a process that takes part in no election.
 *
 * @param name LEASE_NAME
 */
public record HeldLease(KubernetesClient client, String namespace, String name) {
  private static final Duration POLL = Duration.ofMillis(250);

  /** The longest time to observe a Lease, even if its duration is longer. */
  private static final Duration MAX_DURATION = Duration.ofSeconds(15);

  /**
   * Returns the process that holds the Lease, as untrusted text. It is unknown which clock dated
   * the renewal, so a Lease that seems old is held if it is renewed while this method waits.
   *
   * @return empty if no process holds the Lease, or if its holder does not renew it
   * @throws io.fabric8.kubernetes.client.KubernetesClientException if the Lease cannot be read
   */
  public Optional<String> holder() {
    Lease first = get();
    String holder = holderOf(first);
    if (holder == null || isFresh(first)) {
      return Optional.ofNullable(holder);
    }
    long end = System.nanoTime() + durationOf(first).toNanos();
    while (System.nanoTime() - end < 0) {
      try {
        Thread.sleep(POLL.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Optional.of(holder);
      }
      Lease next = get();
      if (next == null || !ObservedLease.version(next).equals(ObservedLease.version(first))) {
        return Optional.ofNullable(holderOf(next));
      }
    }
    return Optional.empty();
  }

  private Lease get() {
    return client.leases().inNamespace(namespace).withName(name).get();
  }

  private static String holderOf(Lease lease) {
    String holder =
        lease == null || lease.getSpec() == null ? null : lease.getSpec().getHolderIdentity();
    return holder == null || holder.isEmpty() ? null : holder;
  }

  private static boolean isFresh(Lease lease) {
    ZonedDateTime renewed = lease.getSpec().getRenewTime();
    Duration age = renewed == null ? null : Duration.between(renewed, ZonedDateTime.now());
    return age != null && age.abs().compareTo(durationOf(lease)) < 0;
  }

  private static Duration durationOf(Lease lease) {
    Integer seconds = lease.getSpec().getLeaseDurationSeconds();
    Duration duration = seconds == null ? Election.LEASE : Duration.ofSeconds(seconds);
    return duration.compareTo(MAX_DURATION) > 0 ? MAX_DURATION : duration;
  }
}
