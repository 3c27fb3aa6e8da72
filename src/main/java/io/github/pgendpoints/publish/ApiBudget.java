package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The time that the API work of one cycle may take, retries included. A request is started only
 * while a whole KUBERNETES_TIMEOUT is left, so that the last one ends within the budget too.
 */
public final class ApiBudget {
  /** What a cycle may spend on the API in all. */
  public static final Duration TOTAL = Duration.ofSeconds(15);

  private static final int NO_ANSWER = 0;
  private static final Set<Integer> WORTH_A_RETRY = Set.of(NO_ANSWER, 429, 500, 502, 503, 504);

  private final Duration request;
  private final LongSupplier nanoTime;
  private long spent;
  private long startedAt;

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
   * Returns when there is time for one more request.
   *
   * @throws KubernetesClientException when there is not
   */
  public void check() {
    if (!hasTimeFor(Duration.ZERO)) {
      throw new KubernetesClientException(
          "the Kubernetes API took too long: of the %d s a cycle may spend on it, less than %d ms are left"
              .formatted(TOTAL.toSeconds(), request.toMillis()));
    }
  }

  /** Whether to try a request again that failed so: the API may do better, and there is time. */
  public boolean allowsRetry(KubernetesClientException failure) {
    return WORTH_A_RETRY.contains(failure.getCode()) && hasTimeFor(Duration.ofSeconds(2));
  }

  private boolean hasTimeFor(Duration waitBefore) {
    long used = spent + nanoTime.getAsLong() - startedAt;
    return used + waitBefore.plus(request).toNanos() <= TOTAL.toNanos();
  }
}
