package io.github.pgendpoints.kubernetes.election;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * The Lease as one candidate sees it. Used by one thread.
 *
 * <p>The age of another holder's renewal is the time since this process saw it, by its own clock:
 * the clocks of two machines may differ by more than a Lease lasts. Each write has the
 * resourceVersion of the last answer: the API server refuses it if another process wrote meanwhile.
 */
final class ObservedLease {
  /** Names the replica that wrote it and what that replica writes. A later holder may keep it. */
  static final String HOLDER = "postgres.discovery/holder";

  private static final String SERVES = " serves ";

  private final KubernetesClient client;
  private final String namespace;
  private final String name;
  private final Candidate candidate;
  private final String serves;
  private final Duration defaultDuration;
  private final LongSupplier nanoTime;

  /** The Lease of the last answer; null if there is none. */
  private Lease lease;

  /**
   * The last Lease while {@link #lease} is null, if another process held it and may still write: to
   * delete a Lease does not end its holder.
   */
  private Lease deleted;

  private long seenAt;

  /** Whether {@link #lease} is the answer to the last request, and this request was a write. */
  private boolean isOurs;

  /**
   * @param serves what the holder may write, in words that all replicas of an installation share
   * @param defaultDuration of a Lease that names no duration
   * @param nanoTime as {@link System#nanoTime}
   */
  ObservedLease(
      KubernetesClient client,
      String namespace,
      String name,
      Candidate candidate,
      String serves,
      Duration defaultDuration,
      LongSupplier nanoTime) {
    this.client = client;
    this.namespace = namespace;
    this.name = name;
    this.candidate = candidate;
    this.serves = serves;
    this.defaultDuration = defaultDuration;
    this.nanoTime = nanoTime;
  }

  /** Whether the last request renewed the Lease, so that the next renewal needs no read before. */
  boolean isRenewed() {
    return isOurs;
  }

  /** Whether there is a Lease, as far as is known. */
  boolean exists() {
    return lease != null;
  }

  /** Requires a {@link #read} before the next write: another process may have written. */
  void forget() {
    isOurs = false;
  }

  /** Reads the Lease. */
  void read() {
    isOurs = false;
    accept(client.leases().inNamespace(namespace).withName(name).get());
  }

  /** The holder, also of a deleted Lease if it may still write; empty if there is no holder. */
  String holder() {
    return Objects.requireNonNullElse(spec().getHolderIdentity(), "");
  }

  /** Whether this process holds the Lease. */
  boolean isHeld() {
    return candidate.identity().equals(holder());
  }

  /**
   * What the holder serves, as untrusted text, if this process serves something else. Null if it is
   * the same or not known.
   */
  String otherService() {
    String other = service();
    return serves.equals(other) ? null : other;
  }

  /** Whether the holder is no replica of this program: each replica writes {@link #HOLDER}. */
  boolean isForeign() {
    return !holder().isEmpty() && service() == null;
  }

  /** What the holder serves by its own annotation, as untrusted text. Null if it has none. */
  private String service() {
    String prefix = holder() + SERVES;
    Map<String, String> annotations = last() == null ? null : last().getMetadata().getAnnotations();
    String written = annotations == null ? "" : annotations.getOrDefault(HOLDER, "");
    return holder().isEmpty() || !written.startsWith(prefix)
        ? null
        : written.substring(prefix.length());
  }

  /** Whether this process may take or renew the Lease. */
  boolean isFree() {
    String holder = holder();
    return holder.isEmpty()
        || holder.equals(candidate.identity())
        || candidate.succeeds(holder)
        || hasExpired();
  }

  /** Whether the Lease was not renewed for its duration, as far as this process has seen. */
  private boolean hasExpired() {
    return remaining().isZero();
  }

  /** How long the Lease lasts after a renewal. */
  Duration duration() {
    Integer seconds = spec().getLeaseDurationSeconds();
    return seconds == null ? defaultDuration : Duration.ofSeconds(seconds);
  }

  /** The time until the Lease expires without a renewal, as far as this process has seen. */
  Duration remaining() {
    Duration left = duration().minusNanos(nanoTime.getAsLong() - seenAt);
    return left.isNegative() ? Duration.ZERO : left;
  }

  /** Takes or renews the Lease. This process holds it only if this method returns normally. */
  void take() {
    isOurs = false;
    ZonedDateTime now = ZonedDateTime.now(ZoneOffset.UTC);
    boolean isRenewal = isHeld();
    LeaseBuilder next =
        next(candidate.identity())
            .editMetadata()
            .addToAnnotations(HOLDER, candidate.identity() + SERVES + serves)
            .endMetadata()
            .editSpec()
            .withLeaseDurationSeconds((int) defaultDuration.toSeconds())
            .withRenewTime(now)
            .endSpec();
    if (!isRenewal || spec().getAcquireTime() == null) {
      next.editSpec().withAcquireTime(now).endSpec();
    }
    if (lease != null && !isRenewal) {
      int transitions = Objects.requireNonNullElse(spec().getLeaseTransitions(), 0);
      next.editSpec().withLeaseTransitions(transitions + 1).endSpec();
    }
    Lease answer = write(next.build());
    if (!isHeld()) {
      throw new KubernetesClientException(
          "the answer is not the Lease that was written: " + answer.getMetadata());
    }
    isOurs = true;
  }

  /**
   * Releases the Lease if this process holds it, so that another process can take it at once.
   *
   * @return whether this process held the Lease, and the API server has granted the release
   */
  boolean release() {
    if (isOurs) {
      try {
        giveUp();
        return true;
      } catch (KubernetesClientException e) {
        if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
          throw e;
        }
      }
    }
    read();
    boolean held = isHeld();
    if (held) {
      giveUp();
    }
    return held;
  }

  /** Writes an empty holder: a merge patch without a holder would keep the current one. */
  private void giveUp() {
    write(next("").build());
  }

  private LeaseBuilder next(String holder) {
    return new LeaseBuilder()
        .withNewMetadata()
        .withNamespace(namespace)
        .withName(name)
        .withResourceVersion(lease == null ? null : lease.getMetadata().getResourceVersion())
        .endMetadata()
        .withNewSpec()
        .withHolderIdentity(holder)
        .endSpec();
  }

  private Lease write(Lease next) {
    Lease answer =
        lease == null
            ? client.resource(next).create()
            : client.resource(next).patch(PatchContext.of(PatchType.JSON_MERGE));
    accept(answer);
    return answer;
  }

  private void accept(Lease answer) {
    long now = nanoTime.getAsLong();
    if (answer == null) {
      deleted = isFree() ? null : last();
    } else {
      deleted = null;
      if (lease == null || !version(answer).equals(version(lease))) {
        seenAt = now;
      }
    }
    lease = answer;
  }

  static String version(Lease lease) {
    return lease.getMetadata().getResourceVersion();
  }

  private Lease last() {
    return lease == null ? deleted : lease;
  }

  private LeaseSpec spec() {
    Lease last = last();
    return last == null || last.getSpec() == null ? new LeaseSpec() : last.getSpec();
  }
}
