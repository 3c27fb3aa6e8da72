package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    assertEquals(
        again, budget.allowsRetry(new KubernetesClientException("x", code, null), new HashMap<>()));
  }

  @Test
  void leavesTimeForTheWaitBeforeARetry() {
    KubernetesClientException failure = new KubernetesClientException("x", 503, null);
    pass(8_000);
    assertTrue(budget.allowsRetry(failure, new HashMap<>()));
    pass(1);
    assertFalse(budget.allowsRetry(failure, new HashMap<>()));
  }

  @Test
  void waitsAsLongAsTheServerAsksForWhenThereIsTime() {
    Map<String, Object> headers = new HashMap<>();

    assertTrue(budget.allowsRetry(busy(3), headers));
    assertEquals(Map.of(Exchange.REDELIVERY_DELAY, 3000L), headers);
    assertTrue(budget.allowsRetry(busy(10), headers));
    assertFalse(budget.allowsRetry(busy(11), headers));
    assertFalse(budget.allowsRetry(busy(Integer.MAX_VALUE), headers));
    budget.check();
    assertTrue(budget.allowsRetry(busy(null), headers));
    assertEquals(Map.of(), headers, "the wait of one failure is not that of the next");
  }

  @Test
  void endsTheRetriesOfARequestThoughThereIsTime() {
    for (int i = 0; i < 4; i++) {
      assertTrue(budget.allowsRetry(busy(null), new HashMap<>()));
    }
    assertFalse(budget.allowsRetry(busy(null), new HashMap<>()));
    budget.check();
    assertTrue(budget.allowsRetry(busy(null), new HashMap<>()));
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
