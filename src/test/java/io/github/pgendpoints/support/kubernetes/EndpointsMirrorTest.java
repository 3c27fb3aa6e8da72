package io.github.pgendpoints.support.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fabric8.kubernetes.api.model.EndpointAddressBuilder;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What kube-controller-manager 1.36 mirrors. */
class EndpointsMirrorTest {
  private static final String LEADER = "control-plane.alpha.kubernetes.io/leader";
  private static final String SKIP = "endpointslice.kubernetes.io/skip-mirror";

  private final FakeApiServer api = new FakeApiServer("db");

  @BeforeEach
  void publish() {
    api.createService("pg", "postgresql", 5432);
    api.put(endpoints(1).build());
  }

  @AfterEach
  void stop() {
    api.close();
  }

  @Test
  void aChangeIsMirroredWithLabelsAndAnnotations() {
    assertEquals(Set.of("10.0.0.0"), api.visible("pg"));

    edit(metadata -> metadata.addToLabels("team", "blue").addToAnnotations("a", "b"));

    EndpointSlice slice = api.slices("pg").get(0);
    assertEquals("blue", slice.getMetadata().getLabels().get("team"));
    assertEquals("b", slice.getMetadata().getAnnotations().get("a"));
  }

  @Test
  void aLabelOrAnAnnotationStopsTheMirroringUntilItIsTakenAway() {
    edit(metadata -> metadata.addToAnnotations(LEADER, ""));
    assertEquals(Set.of(), api.visible("pg"));
    edit(metadata -> metadata.removeFromAnnotations(LEADER));
    assertEquals(Set.of("10.0.0.0"), api.visible("pg"));

    edit(metadata -> metadata.addToLabels(SKIP, "true"));
    assertEquals(Set.of(), api.visible("pg"));
    edit(metadata -> metadata.removeFromLabels(SKIP));
    assertEquals(Set.of("10.0.0.0"), api.visible("pg"));
  }

  @Test
  void aServiceWithASelectorOrNoServiceHasNoMirroredSlice() {
    api.createService("pg", "postgresql", 5432, Map.of("app", "pg"));
    assertEquals(Set.of(), api.visible("pg"));
    api.createService("pg", "postgresql", 5432);
    assertEquals(Set.of("10.0.0.0"), api.visible("pg"));

    api.delete(Service.class, "db", "pg");
    assertEquals(Set.of(), api.visible("pg"));
  }

  @Test
  void slicesOfOthersStay() {
    api.put(
        new EndpointSliceBuilder()
            .withNewMetadata()
            .withName("x")
            .addToLabels("kubernetes.io/service-name", "pg")
            .endMetadata()
            .withAddressType("IPv4")
            .build());

    api.deleteEndpoints("pg");

    assertEquals(1, api.slices("pg").size());
  }

  @Test
  void aThousandAddressesOfASubsetAreMirrored() {
    api.put(endpoints(1001).build());

    assertEquals(1000, api.visible("pg").size());
  }

  @Test
  void withoutTheControllerSlicesStayAsTheyAre() {
    api.withoutMirroring();
    api.deleteEndpoints("pg");

    assertEquals(Set.of("10.0.0.0"), api.visible("pg"));
  }

  private void edit(Consumer<ObjectMetaBuilder> change) {
    api.editEndpoints(
        "pg",
        endpoints -> {
          ObjectMetaBuilder metadata = new ObjectMetaBuilder(endpoints.buildMetadata());
          change.accept(metadata);
          endpoints.withMetadata(metadata.build());
        });
  }

  private static EndpointsBuilder endpoints(int addresses) {
    return new EndpointsBuilder()
        .withNewMetadata()
        .withNamespace("db")
        .withName("pg")
        .endMetadata()
        .addNewSubset()
        .withAddresses(
            IntStream.range(0, addresses)
                .mapToObj(i -> "10.0.%d.%d".formatted(i / 250, i % 250))
                .map(ip -> new EndpointAddressBuilder().withIp(ip).build())
                .toList())
        .addNewPort()
        .withName("postgresql")
        .withPort(5432)
        .withProtocol("TCP")
        .endPort()
        .endSubset();
  }
}
