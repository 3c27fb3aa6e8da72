package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.ApiRight;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.kubernetes.watch.WatchedObjects;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/** The objects behind the Services, which are read only if they are not known from informers. */
public final class WatchedServices implements AutoCloseable {
  private final WatchedObjects<Endpoints> endpoints;
  private final WatchedObjects<EndpointSlice> slices;

  /**
   * @param services their names; empty in a run of one cycle, which reads all it needs
   * @param publishSlices whether PUBLISH is endpointslices; if not, a change of slices can wait for
   *     the next cycle
   * @param rights records what the Role does not grant watching
   * @param degraded receives what cannot be watched for another reason
   * @param nanoTime as {@link System#nanoTime}
   * @param requestCycle makes a cycle due at once
   */
  public WatchedServices(
      KubernetesClient client,
      String namespace,
      List<String> services,
      boolean publishSlices,
      ApiRights rights,
      Consumer<String> degraded,
      LongSupplier nanoTime,
      Runnable requestCycle) {
    // fabric8 turns the name into a field selector, which a rule with resourceNames grants.
    this.endpoints =
        new WatchedObjects<>(
            ObjectKind.ENDPOINTS,
            each(services, name -> client.endpoints().inNamespace(namespace).withName(name)),
            found -> found.getMetadata().getName(),
            () -> rights.refused(ApiRight.WATCH_ENDPOINTS),
            degraded,
            nanoTime,
            requestCycle);
    this.slices =
        new WatchedObjects<>(
            ObjectKind.ENDPOINT_SLICES,
            each(
                services,
                name ->
                    client
                        .discovery()
                        .v1()
                        .endpointSlices()
                        .inNamespace(namespace)
                        .withLabels(Slices.selector(name))),
            Slices::serviceOf,
            () -> rights.refused(ApiRight.WATCH_SLICES),
            degraded,
            nanoTime,
            publishSlices ? requestCycle : () -> {});
  }

  private static <T> Map<String, T> each(List<String> services, Function<String, T> watched) {
    return services.stream().collect(Collectors.toMap(Function.identity(), watched));
  }

  WatchedObjects<Endpoints> endpoints() {
    return endpoints;
  }

  WatchedObjects<EndpointSlice> slices() {
    return slices;
  }

  /** Forgets all objects, so that they are read again. */
  void forget() {
    endpoints.forget();
    slices.forget();
  }

  /** The listener that must receive each request. */
  public RequestListener requests() {
    return RequestListener.all(List.of(endpoints, slices));
  }

  @Override
  public void close() {
    endpoints.close();
    slices.close();
  }
}
