package io.github.pgendpoints.kubernetes.election;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.github.pgendpoints.LeaseMessages;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Duration;
import java.time.ZonedDateTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HeldLeaseTest {
  private static final String HELD =
      "Lease pem is held by pod-1_ab, which writes: --once writes nothing until that process has ended; --force writes anyway";

  private final FakeApiServer api = new FakeApiServer("db").start();

  @AfterEach
  void stop() {
    api.close();
  }

  private String refusal() {
    var client = api.client();
    return new LeaseMessages("pem", "rw and ro", new KubernetesErrors(client.getConfiguration()))
        .refusal(new HeldLease(client, "db", "pem"));
  }

  private void lease(String holder, Duration age) {
    api.put(
        new LeaseBuilder()
            .withNewMetadata()
            .withName("pem")
            .withNamespace("db")
            .endMetadata()
            .withNewSpec()
            .withHolderIdentity(holder)
            .withLeaseDurationSeconds(1)
            .withRenewTime(ZonedDateTime.now().minus(age))
            .endSpec()
            .build());
  }

  @Test
  void aMissingOrReleasedLeaseIsNotHeld() {
    assertNull(refusal());
    lease("", Duration.ZERO);
    assertNull(refusal());
  }

  @Test
  void aFreshLeaseIsHeld() {
    lease("pod-1_ab", Duration.ZERO);
    assertEquals(HELD, refusal());
  }

  @Test
  void anUnrenewedLeaseIsNotHeld() {
    lease("pod-1_ab", Duration.ofHours(1));
    assertNull(refusal());
  }

  /** The clock of the holder is an hour behind the local clock. */
  @Test
  void aLeaseThatLooksOldAndIsRenewedIsHeld() {
    lease("pod-1_ab", Duration.ofHours(1));
    api.beforeNext(
        "GET",
        "leases",
        () -> api.beforeNext("GET", "leases", () -> lease("pod-1_ab", Duration.ofHours(1))));

    assertEquals(HELD, refusal());
  }

  @Test
  void isHeldInDoubtUnlessForbidden() {
    api.fail(100, 500, "GET", "leases");
    String refusal = refusal();
    assertTrue(
        refusal.startsWith(
            "Lease pem cannot be read, so nothing is written: the Kubernetes API at"),
        refusal);
    api.heal().deny("get", "leases");
    assertNull(refusal());
  }
}
