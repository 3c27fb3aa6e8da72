package io.github.pgendpoints.kubernetes.election;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Leadership expires by itself, regardless of what else happens meanwhile. */
class LeadershipTest {
  private long nanos = -5;
  private long millis = 1_000_000;
  private final Leadership leadership =
      new Leadership(Duration.ofSeconds(4), () -> nanos, () -> millis);

  private void pass(long byNanoTime, long byWallClock) {
    nanos += byNanoTime * 1_000_000;
    millis += byWallClock;
  }

  @Test
  void isNotHeldAtTheStart() {
    assertFalse(leadership.isHeld());
    assertThrows(NotLeaderException.class, leadership::check);
  }

  @Test
  void endsInTimeWithoutARenewal() {
    leadership.renewBy(() -> {}, false);
    pass(3_999, 3_999);
    assertDoesNotThrow(leadership::check);
    pass(1, 1);
    assertFalse(leadership.isHeld());
  }

  @Test
  void countsFromWhenTheRenewalWasSent() {
    leadership.renewBy(() -> pass(3_000, 3_000), false);
    assertTrue(leadership.isHeld());
    pass(1_000, 1_000);
    assertFalse(leadership.isHeld());
  }

  @Test
  void aNewTermBeginsAfterALoss() {
    leadership.renewBy(() -> {}, false);
    Object first = leadership.term();
    pass(3_999, 3_999);
    leadership.renewBy(() -> {}, false);
    assertEquals(first, leadership.term());

    leadership.renewBy(() -> pass(4_000, 4_000), false);
    Object second = leadership.term();
    assertNotEquals(first, second);
    leadership.end();
    leadership.renewBy(() -> {}, false);
    assertNotEquals(second, leadership.term());
  }

  /** A replica's earlier reports stay valid after an outage, but not if another one has led. */
  @Test
  void succeedsOnlyIfTheLeaseWasNotItsOwn() {
    leadership.renewBy(() -> {}, true);
    pass(60_000, 60_000);
    leadership.renewBy(() -> {}, false);
    assertEquals(2, leadership.term());
    assertEquals(1, leadership.successions());
    leadership.renewBy(() -> {}, true);
    assertEquals(2, leadership.successions());
  }

  /** A process that runs cycles continuously must notice that it begins to lead. */
  @Test
  void aNewTermBeginsWithoutALease() {
    int before = leadership.term();
    leadership.alone(true);
    assertNotEquals(before, leadership.term());

    int alone = leadership.term();
    leadership.alone(true);
    leadership.renewBy(() -> {}, false);
    assertEquals(alone, leadership.term());
  }

  @Test
  void isNotRenewedByARequestThatFails() {
    assertThrows(
        KubernetesClientException.class,
        () ->
            leadership.renewBy(
                () -> {
                  throw new KubernetesClientException("no");
                },
                true));
    assertFalse(leadership.isHeld());
    assertEquals(0, leadership.successions());
  }

  @Test
  void endsWhileTheMachineSleeps() {
    leadership.renewBy(() -> {}, false);
    pass(0, 10_000);
    assertFalse(leadership.isHeld());
  }

  @Test
  void endsThoughTheWallClockIsSetBack() {
    leadership.renewBy(() -> {}, false);
    pass(4_000, -3_600_000);
    assertFalse(leadership.isHeld());
  }

  @Test
  void showsWhetherTheLeaseWasReadRecently() {
    assertFalse(leadership.isObserved());
    leadership.recordObservation();
    pass(3_999, 3_999);
    assertTrue(leadership.isObserved());
    assertFalse(leadership.isHeld());
    pass(1, 1);
    assertFalse(leadership.isObserved());
  }

  @Test
  void isHeldWithoutAnElection() {
    assertTrue(Leadership.withoutElection().isHeld());
  }
}
