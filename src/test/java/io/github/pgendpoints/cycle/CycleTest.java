package io.github.pgendpoints.cycle;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.client.KubernetesClientException;
import org.junit.jupiter.api.Test;

class CycleTest {
  private final Cycle cycle = new Cycle(null, /* leading= */ true, /* conflictsBefore= */ 0);

  /** Otherwise, an emptied Service would be reported as one that could not be emptied. */
  @Test
  void onlyAWriteThatFailedIsAFailedWrite() {
    assertFalse(cycle.hasFailedWrite());
    cycle.addComparisonFailure(new KubernetesClientException("slices cannot be listed"));
    assertTrue(cycle.isFailed());
    assertFalse(cycle.hasFailedWrite());
    cycle.addFailure(new KubernetesClientException("Endpoints cannot be patched"));
    assertTrue(cycle.hasFailedWrite());
  }
}
