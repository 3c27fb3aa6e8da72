package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;

/**
 * The time that the API work of one cycle may take, retries included. A request is started only
 * while a whole KUBERNETES_TIMEOUT is left, so that the last one ends within the budget too.
 */
public final class ApiBudget {
  /** What a cycle may spend on the API in all. */
  public static final Duration TOTAL = Duration.ofSeconds(15);

  /** The wait of the routes' error handler, which grows up to this. */
  private static final Duration BACK_OFF = Duration.ofSeconds(2);

  private static final int MAX_RETRIES = 4;

  /** What the client says when no answer came, or none that can be read. */
  private static final int NO_ANSWER = -1;

  private static final Set<Integer> WORTH_A_RETRY = Set.of(NO_ANSWER, 429, 500, 502, 503, 504);

  private final Duration request;
  private final LongSupplier nanoTime;
  private long spent;
  private long startedAt;
  private int retries;

  /**
   * @param request what one request may take: KUBERNETES_TIMEOUT
   * @param nanoTime as {@link System#nanoTime}
   */
  public ApiBudget(Duration request, LongSupplier nanoTime) {
    this.request = request;
    this.nanoTime = nanoTime;
  }

  /** Begins a cycle: nothing is spent. */
  public void renew() {
    spent = 0;
    resume();
  }

  /** Begins a stretch of API work. */
  public void resume() {
    startedAt = nanoTime.getAsLong();
  }

  /** Ends a stretch of API work: what comes now, such as the probes, is not counted. */
  public void pause() {
    spent += nanoTime.getAsLong() - startedAt;
  }

  /**
   * Begins a request, when there is time for one more.
   *
   * @throws KubernetesClientException when there is not
   */
  public void check() {
    retries = 0;
    if (!hasTimeFor(Duration.ZERO)) {
      throw new KubernetesClientException(
          "no time is left: of the %d s a cycle may spend on the Kubernetes API, less than %d ms remain"
              .formatted(TOTAL.toSeconds(), request.toMillis()));
    }
  }

  /**
   * Whether to try a request again that failed so: the API may do better, and there is time. A
   * conflict is no such failure: what was to be written has to be looked at again first.
   *
   * @param headers of the message; told to wait as long as the server asks for, where it does
   */
  public boolean allowsRetry(KubernetesClientException failure, Map<String, Object> headers) {
    headers.remove(Exchange.REDELIVERY_DELAY);
    Duration asked = retryAfter(failure);
    if (!asked.isZero()) {
      headers.put(Exchange.REDELIVERY_DELAY, asked.toMillis());
    }
    return WORTH_A_RETRY.contains(failure.getCode())
        && ++retries <= MAX_RETRIES
        && hasTimeFor(asked.isZero() ? BACK_OFF : asked);
  }

  private static Duration retryAfter(KubernetesClientException failure) {
    Status status = failure.getStatus();
    Integer seconds =
        status == null || status.getDetails() == null
            ? null
            : status.getDetails().getRetryAfterSeconds();
    return Duration.ofSeconds(seconds == null ? 0 : Math.max(seconds, 0));
  }

  private boolean hasTimeFor(Duration waitBefore) {
    long used = spent + nanoTime.getAsLong() - startedAt;
    return used + waitBefore.plus(request).toNanos() <= TOTAL.toNanos();
  }
}
