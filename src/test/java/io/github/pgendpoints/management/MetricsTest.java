package io.github.pgendpoints.management;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.ObjectOperation;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Metrics metrics =
      new Metrics(registry, "pg-rw", "pg-ro", null, null, false, System::nanoTime);

  /** A route of a user may name it alone, as docs/kubernetes-endpoints.md has it. */
  @Test
  void aSliceOfNoServiceIsCountedToo() {
    EndpointSlice slice =
        new EndpointSliceBuilder().withNewMetadata().withName("x").endMetadata().build();

    metrics.ended(ObjectOperation.DELETE, ObjectKind.ENDPOINT_SLICES, slice, null);
    metrics.ended(
        ObjectOperation.PATCH,
        ObjectKind.ENDPOINT_SLICES,
        slice,
        new KubernetesClientException("conflict", 409, null));

    assertEquals(1, count("pgendpoints.writes"));
    assertEquals(1, count("pgendpoints.conflicts"));
  }

  private double count(String name) {
    return registry.get(name).tag("service", "none").counter().count();
  }
}
