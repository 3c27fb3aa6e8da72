package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.logging.ForeignText;
import java.time.Duration;
import java.time.ZonedDateTime;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether another process leads, for one that takes part in no election. */
public final class HeldLease {
  private static final Logger LOG = LoggerFactory.getLogger(HeldLease.class);
  private static final Duration LOOK = Duration.ofMillis(250);

  /** What a Lease may ask for is waited for up to this. */
  private static final Duration MAX_DURATION = Duration.ofSeconds(15);

  private static final int FORBIDDEN = 403;

  private final KubernetesClient client;
  private final String namespace;
  private final String name;
  private final KubernetesErrors errors;

  /**
   * @param name LEASE_NAME
   * @param errors for the words of a failure
   */
  public HeldLease(
      KubernetesClient client, String namespace, String name, KubernetesErrors errors) {
    this.client = client;
    this.namespace = namespace;
    this.name = name;
    this.errors = errors;
  }

  /**
   * Why this process may not write, and what ends it: one sentence.
   *
   * @return null when nobody holds the Lease, or its holder does not renew it
   */
  public String refusal() {
    String holder;
    try {
      holder = holder();
    } catch (KubernetesClientException e) {
      if (e.getCode() == FORBIDDEN) {
        LOG.warn("whether another process holds the Lease is not known: {}", errors.describe(e));
        return null;
      }
      return "Lease %s cannot be looked at, so that nothing is written: %s; --force writes all the same"
          .formatted(name, errors.describe(e));
    }
    return holder == null
        ? null
        : "Lease %s is held by %s, which writes: --once writes nothing until that process has ended; --force writes all the same"
            .formatted(name, ForeignText.clean(holder));
  }

  /**
   * Whose clock a Lease was renewed by is not known: one that looks old counts as held when it is
   * renewed while we look.
   */
  private String holder() {
    Lease first = get();
    String holder = holderOf(first);
    if (holder == null || isFresh(first)) {
      return holder;
    }
    long end = System.nanoTime() + durationOf(first).toNanos();
    while (System.nanoTime() - end < 0) {
      try {
        Thread.sleep(LOOK.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return holder;
      }
      Lease next = get();
      if (next == null || !version(next).equals(version(first))) {
        return holderOf(next);
      }
    }
    return null;
  }

  private Lease get() {
    return client.leases().inNamespace(namespace).withName(name).get();
  }

  private static String version(Lease lease) {
    return lease.getMetadata().getResourceVersion();
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
    Duration duration = seconds == null ? LeaseView.LEASE : Duration.ofSeconds(seconds);
    return duration.compareTo(MAX_DURATION) > 0 ? MAX_DURATION : duration;
  }
}
