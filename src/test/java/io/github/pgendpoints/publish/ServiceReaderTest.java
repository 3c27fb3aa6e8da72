package io.github.pgendpoints.publish;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.kubernetes.ObjectClient;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which reads of slices are sent as requests, with PUBLISH=endpointslices and informers. */
class ServiceReaderTest {
  private final FakeApiServer api = new FakeApiServer("db").start();
  private final KubernetesClient client = api.client();
  private final Conditions conditions = TestConditions.create();
  private final ApiRights rights =
      new ApiRights(List.of("pg-ro"), null, conditions::reportDegradation, () -> 0);
  private final WatchedServices watched =
      new WatchedServices(
          client,
          "db",
          List.of("pg-ro"),
          true,
          rights,
          conditions::reportDegradation,
          () -> 0,
          () -> {});
  private final ServiceReader reader =
      new ServiceReader(
          new ObjectClient<>(client, ObjectKind.ENDPOINTS, "db", RequestListener.NONE),
          new ObjectClient<>(client, ObjectKind.ENDPOINT_SLICES, "db", RequestListener.NONE),
          watched,
          rights,
          true,
          new ApiBudget(Duration.ofSeconds(3), () -> 0));

  @AfterEach
  void stop() {
    watched.close();
    api.close();
  }

  @Test
  void slicesOfOursAloneAreReadOnce() {
    api.put(ours());
    readAndWatch();
    reader.read("pg-ro");
    long before = lists();

    for (int i = 0; i < 3; i++) {
      assertEquals(1, reader.read("pg-ro").own().size());
    }
    assertEquals(before, lists(), "the informer vouches for them");
  }

  /** The resourceVersion of the object that a switch writes does not cover the other form. */
  @Test
  void eachStepOfASwitchReadsThem() {
    api.put(ours());
    api.put(
        new EndpointsBuilder()
            .withNewMetadata()
            .withNamespace("db")
            .withName("pg-ro")
            .endMetadata()
            .build());
    readAndWatch();
    reader.read("pg-ro");
    long before = lists();

    for (int i = 0; i < 3; i++) {
      reader.read("pg-ro");
    }
    assertEquals(before + 3, lists());

    api.delete(Endpoints.class, "db", "pg-ro");
    await().until(() -> reader.read("pg-ro").endpoints() == null);
    reader.read("pg-ro");
    long after = lists();
    reader.read("pg-ro");
    assertEquals(after, lists(), "the switch is over");
  }

  private void readAndWatch() {
    reader.read("pg-ro");
    await().until(() -> api.watches() >= 2);
  }

  /** Counts the lists that the reader requests: those of informers have a resourceVersion. */
  private long lists() {
    return api.requests().stream()
        .filter(request -> request.verb().equals("list"))
        .filter(request -> request.target().resource().equals("endpointslices"))
        .filter(request -> !request.toString().contains("resourceVersion="))
        .count();
  }

  private static EndpointSlice ours() {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName("pg-ro-ipv4")
        .withLabels(Slices.selector("pg-ro"))
        .addToLabels(Slices.MANAGED_BY, Slices.MANAGER)
        .endMetadata()
        .withAddressType("IPv4")
        .addNewEndpoint()
        .withAddresses("10.0.0.2")
        .endEndpoint()
        .build();
  }
}
