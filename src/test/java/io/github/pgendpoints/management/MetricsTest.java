package io.github.pgendpoints.management;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.cycle.Outcome;
import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.ObjectOperation;
import io.github.pgendpoints.postgres.NodeProbe;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Topology;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Metrics metrics =
      new Metrics(registry, "pg-rw", "pg-ro", null, null, false, System::nanoTime);

  /** A user's route may give only the name of a slice, as docs/kubernetes-endpoints.md shows. */
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

  @Test
  void forgetsTheProbesOfANodeThatIsGone() {
    for (String host : List.of("10.0.0.1", "10.0.0.2")) {
      metrics.probed(new NodeProbe(Nodes.node(host), null, null, 0), null);
    }
    Topology rest = new Topology(List.of(Nodes.primaryAt("10.0.0.1", "0/3000060")), Nodes.AT);
    metrics.ended(
        new Result(
            Outcome.REFUSED, true, false, Duration.ZERO, null, null, null, rest, null, List.of()));

    assertEquals(
        List.of("10.0.0.1"),
        registry.find("pgendpoints.probe.duration").timers().stream()
            .map(timer -> timer.getId().getTag("node"))
            .toList());
  }

  private double count(String name) {
    return registry.get(name).tag("service", "none").counter().count();
  }
}
