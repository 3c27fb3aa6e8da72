package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
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
        "the Kubernetes API took too long: of the 15 s a cycle may spend on it, less than 5000 ms are left",
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
    "0,true",
    "429,true",
    "500,true",
    "503,true",
    "403,false",
    "404,false",
    "409,false",
    "422,false"
  })
  void triesAgainWhatMayDoBetter(int code, boolean again) {
    assertEquals(again, budget.allowsRetry(new KubernetesClientException("x", code, null)));
  }

  @Test
  void leavesTimeForTheWaitBeforeARetry() {
    KubernetesClientException failure = new KubernetesClientException("x", 503, null);
    pass(8_000);
    assertTrue(budget.allowsRetry(failure));
    pass(1);
    assertFalse(budget.allowsRetry(failure));
  }

  private void pass(long millis) {
    clock.addAndGet(millis * 1_000_000);
  }
}
