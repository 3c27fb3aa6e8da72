package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When a request may still begin, and when a failed request is retried. */
class ApiBudgetTest {
  private final AtomicLong clock = new AtomicLong(-5_000_000_000L);
  private final ApiBudget budget = new ApiBudget(Duration.ofSeconds(5), clock::get);

  @BeforeEach
  void begin() {
    budget.renew();
  }

  @Test
  void startsNoRequestThatCouldEndTooLate() {
    pass(10_000);
    assertDoesNotThrow(budget::check);
    pass(1);
    KubernetesClientException e = assertThrows(KubernetesClientException.class, budget::check);
    assertEquals(
        "no time is left: of the 15 s a cycle may spend on the Kubernetes API, less than 5000 ms remain",
        e.getMessage());
  }

  @Test
  void doesNotCountTheProbes() {
    pass(4_000);
    budget.pause();
    pass(60_000);
    budget.resume();
    pass(6_000);
    assertDoesNotThrow(budget::check);
    pass(1);
    assertThrows(KubernetesClientException.class, budget::check);
  }

  /** A cycle that ends after its probes has no second stretch of API work. */
  @Test
  void countsWhatCameBeforeTheProbesOnce() {
    pass(10_000);
    budget.pause();
    pass(60_000);
    assertDoesNotThrow(budget::check);
  }

  @Test
  void beginsAfreshWithEachCycle() {
    pass(60_000);
    budget.renew();
    assertDoesNotThrow(budget::check);
  }

  @ParameterizedTest
  @CsvSource({
    "-1,true",
    "429,true",
    "500,true",
    "503,true",
    "403,false",
    "404,false",
    "409,false",
    "422,false"
  })
  void triesAgainWhatMayDoBetter(int code, boolean again) {
    assertEquals(again, budget.allowsRetry(new KubernetesClientException("x", code, null), 0));
  }

  @Test
  void leavesTimeForTheWaitBeforeARetry() {
    KubernetesClientException failure = new KubernetesClientException("x", 503, null);
    pass(8_000);
    assertTrue(budget.allowsRetry(failure, 0));
    pass(1);
    assertFalse(budget.allowsRetry(failure, 0));
  }

  @Test
  void leavesTimeForTheWaitThatTheServerAsksFor() {
    assertTrue(budget.allowsRetry(busy(10), 0));
    assertFalse(budget.allowsRetry(busy(11), 0));
    assertFalse(budget.allowsRetry(busy(Integer.MAX_VALUE), 0));
  }

  @Test
  void readsTheWaitThatTheServerAsksFor() {
    assertEquals(Optional.of(Duration.ofSeconds(3)), ApiBudget.retryAfter(busy(3)));
    assertEquals(Optional.empty(), ApiBudget.retryAfter(busy(0)));
    assertEquals(Optional.empty(), ApiBudget.retryAfter(busy(null)));
    assertEquals(Optional.empty(), ApiBudget.retryAfter(new KubernetesClientException("x")));
  }

  @Test
  void endsTheRetriesOfARequestThoughThereIsTime() {
    assertTrue(budget.allowsRetry(busy(null), 3));
    assertFalse(budget.allowsRetry(busy(null), 4));
  }

  private static KubernetesClientException busy(Integer retryAfter) {
    return new KubernetesClientException(
        new StatusBuilder()
            .withCode(429)
            .withNewDetails()
            .withRetryAfterSeconds(retryAfter)
            .endDetails()
            .build());
  }

  private void pass(long millis) {
    clock.addAndGet(millis * 1_000_000);
  }
}
