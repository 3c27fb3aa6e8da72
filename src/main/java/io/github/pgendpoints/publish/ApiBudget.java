package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The time that the API work of one cycle may take, retries included. A request is started only
 * while a whole KUBERNETES_TIMEOUT is left, so that the last one ends within the budget too.
 */
public final class ApiBudget {
  /** The time that a cycle may spend on the API in total. */
  public static final Duration TOTAL = Duration.ofSeconds(15);

  /** The longest wait of the routes' error handler before a retry. */
  private static final Duration BACK_OFF = Duration.ofSeconds(2);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  private static final int MAX_RETRIES = 4;

  /** The client's code for a response that is missing or unreadable. */
  private static final int NO_ANSWER = -1;

  private static final Set<Integer> WORTH_A_RETRY = Set.of(NO_ANSWER, 429, 500, 502, 503, 504);

  private final Duration request;
  private final LongSupplier nanoTime;
  private long spent;

  /** Null while no API work is in progress. */
  private Long startedAt;

  /**
   * @param request the time limit of one request: KUBERNETES_TIMEOUT
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

  /** Ends a stretch of API work: what follows, such as the probes, is not counted. */
  public void pause() {
    spent = used();
    startedAt = null;
  }

  /**
   * Checks that there is time for one more request.
   *
   * @throws KubernetesClientException if there is not
   */
  public void check() {
    if (!hasTimeFor(Duration.ZERO)) {
      throw new KubernetesClientException(
          "no time is left: of the %d s a cycle may spend on the Kubernetes API, less than %d ms remain"
              .formatted(TOTAL.toSeconds(), request.toMillis()));
    }
  }

  /**
   * Sends a request, and retries it while that may help and there is time.
   *
   * @throws KubernetesClientException of the last try
   */
  public <T> T within(Supplier<T> request) {
    check();
    Duration pause = FIRST_PAUSE;
    for (int retries = 0; ; retries++, pause = pause.multipliedBy(2)) {
      try {
        return request.get();
      } catch (KubernetesClientException e) {
        if (!allowsRetry(e, retries)) {
          throw e;
        }
        sleep(retryAfter(e).orElse(pause));
      }
    }
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KubernetesClientException("interrupted", e);
    }
  }

  /**
   * Whether to retry a request that failed: a retry may help, and there is time. A conflict is not
   * retried, since the object must be read again first.
   *
   * @param retries how often the request has been retried already
   */
  public boolean allowsRetry(KubernetesClientException failure, int retries) {
    Duration wait = retryAfter(failure).orElse(BACK_OFF);
    return WORTH_A_RETRY.contains(failure.getCode()) && retries < MAX_RETRIES && hasTimeFor(wait);
  }

  /** How long the API server requests to wait before a retry; empty if it does not. */
  public static Optional<Duration> retryAfter(KubernetesClientException failure) {
    Status status = failure.getStatus();
    Integer seconds =
        status == null || status.getDetails() == null
            ? null
            : status.getDetails().getRetryAfterSeconds();
    return Optional.ofNullable(seconds).filter(given -> given > 0).map(Duration::ofSeconds);
  }

  private boolean hasTimeFor(Duration waitBefore) {
    return used() + waitBefore.plus(request).toNanos() <= TOTAL.toNanos();
  }

  private long used() {
    return startedAt == null ? spent : spent + nanoTime.getAsLong() - startedAt;
  }
}
