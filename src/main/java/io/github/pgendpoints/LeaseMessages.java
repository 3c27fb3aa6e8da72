package io.github.pgendpoints;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.ApiRight;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.kubernetes.election.Election;
import io.github.pgendpoints.kubernetes.election.ElectionListener;
import io.github.pgendpoints.kubernetes.election.HeldLease;
import io.github.pgendpoints.logging.ForeignText;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Describes and logs what happens to the Lease of LEASE_NAME. */
public final class LeaseMessages implements ElectionListener {
  private static final Logger LOG = LoggerFactory.getLogger(LeaseMessages.class);

  private final String lease;
  private final String serves;
  private final KubernetesErrors errors;
  private String lastFailure = "";

  /**
   * @param lease LEASE_NAME
   * @param serves the Services that this installation writes
   * @param errors describes a failure in one sentence, fit for a log
   */
  public LeaseMessages(String lease, String serves, KubernetesErrors errors) {
    this.lease = lease;
    this.serves = serves;
    this.errors = errors;
  }

  @Override
  public void leads(String identity) {
    LOG.info("this replica leads: it holds Lease {} as {}", lease, identity);
  }

  @Override
  public void ended(boolean isReleased) {
    LOG.info(
        "this replica no longer leads: Lease {} is {}", lease, isReleased ? "released" : "lost");
  }

  @Override
  public void follows(String holder) {
    LOG.info("this replica stands by: {} holds Lease {}", ForeignText.clean(holder), lease);
  }

  @Override
  public void shares(String holder, String other) {
    LOG.error(
        "two installations share Lease {}, and only its holder writes: {} holds it and serves {}, this replica serves {}; set another LEASE_NAME for one of them",
        lease,
        ForeignText.clean(holder),
        ForeignText.clean(other),
        serves);
  }

  @Override
  public void waitsFor(String holder, Duration duration) {
    LOG.warn(
        "Lease {} is held by {}, which is not a replica of this program: no replica writes until the Lease has not been renewed for {} s; to end this at once, empty its spec.holderIdentity",
        lease,
        ForeignText.clean(holder),
        duration.toSeconds());
  }

  @Override
  public void failed(KubernetesClientException failure) {
    String message = errors.within(Election.MAX_REQUEST).describe(failure);
    // A refused read and a refused renewal differ in the verb that the message names.
    String kind = failure.getCode() > 0 ? "HTTP " + failure.getCode() : message;
    if (!kind.equals(lastFailure)) {
      LOG.warn(
          "Lease {} cannot be read or renewed, and only its holder writes: {}", lease, message);
    }
    lastFailure = kind;
  }

  @Override
  public void notWatched() {
    LOG.warn(ApiRight.WATCH_LEASE.missing(List.of(lease)));
  }

  @Override
  public void recovered() {
    lastFailure = "";
    LOG.info("over: Lease {} cannot be read or renewed", lease);
  }

  @Override
  public void notGranted(KubernetesClientException refusal) {
    LOG.warn(ApiRight.LEASE.refused(List.of(lease), refusal));
  }

  /**
   * Returns why a process that takes part in no election may not write, and how to change that.
   *
   * @return one sentence; null if the process may write
   */
  public String refusal(HeldLease heldLease) {
    try {
      return heldLease
          .holder()
          .map(
              holder ->
                  "Lease %s is held by %s, which writes: --once writes nothing until that process has ended; --force writes anyway"
                      .formatted(lease, ForeignText.clean(holder)))
          .orElse(null);
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
        LOG.warn(
            "cannot determine whether another process holds the Lease: {}", errors.describe(e));
        return null;
      }
      return "Lease %s cannot be read, so nothing is written: %s; --force writes anyway"
          .formatted(lease, errors.describe(e));
    }
  }
}
