package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.ApiRight;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.kubernetes.ObjectClient;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Reads what there is behind a Service: its Endpoints and, where there may be any, its slices.
 *
 * <p>Where Endpoints are published, slices of ours can only be left from before the program
 * started, or from another replica that led meanwhile: whoever overlooked them would leave an old
 * primary in them.
 */
public final class ServiceReader {
  private final ObjectClient<Endpoints> endpoints;
  private final ObjectClient<EndpointSlice> slices;
  private final WatchedServices watched;
  private final ApiRights rights;
  private final boolean publishSlices;
  private final ApiBudget budget;
  private final Set<String> withoutSlices = new HashSet<>();

  /**
   * @param watched reads what informers do not vouch for
   * @param rights tells whether the Role lets us list slices where it need not
   * @param publishSlices whether PUBLISH asks for EndpointSlices
   */
  public ServiceReader(
      ObjectClient<Endpoints> endpoints,
      ObjectClient<EndpointSlice> slices,
      WatchedServices watched,
      ApiRights rights,
      boolean publishSlices,
      ApiBudget budget) {
    this.endpoints = endpoints;
    this.slices = slices;
    this.watched = watched;
    this.rights = rights;
    this.publishSlices = publishSlices;
    this.budget = budget;
  }

  /** Forgets what was read: others may have written since. */
  public void forget() {
    watched.forget();
    withoutSlices.clear();
  }

  /**
   * What there is behind a Service.
   *
   * @throws KubernetesClientException when the API server refuses or does not answer
   */
  public ObservedService read(String service) {
    Endpoints found = endpoints(service);
    return noted(service, found, maySlicesBeThere(service, found) ? slices(service, found) : null);
  }

  /**
   * Whether to look for slices: in each cycle where we publish them, else until there are none of
   * ours. And when there are no Endpoints, or they are hidden: there must be a reason for it.
   *
   * @param endpoints null when there are none
   */
  boolean maySlicesBeThere(String service, Endpoints endpoints) {
    boolean suspected =
        !withoutSlices.contains(service)
            || endpoints == null
            || ObservedService.isHidden(endpoints);
    return isWorthListing() && (publishSlices || suspected);
  }

  /** Whether the Role lets us look, as far as is known; where slices are published, it has to. */
  private boolean isWorthListing() {
    return publishSlices || rights.isWorthAsking(ApiRight.LIST_SLICES);
  }

  /**
   * Joins what there is behind a Service, and notes whether slices of ours are.
   *
   * @param endpoints null when there are none
   * @param slices null when they were not listed
   */
  ObservedService noted(String service, Endpoints endpoints, List<EndpointSlice> slices) {
    ObservedService actual = new ObservedService(endpoints, slices);
    if (!actual.own().isEmpty()) {
      withoutSlices.remove(service);
    } else if (slices != null) {
      withoutSlices.add(service);
    }
    return actual;
  }

  /**
   * Slices of ours alone are read when an informer reports a change. Each step of a switch from one
   * form to the other has a read of its own: the resourceVersion of what it writes says nothing of
   * the other form.
   */
  private List<EndpointSlice> slices(String service, Endpoints endpoints) {
    if (publishSlices && endpoints == null) {
      List<EndpointSlice> known = watched.slices().get(service, () -> list(service));
      if (known == null || new ObservedService(null, known).mirroredRoutes().isEmpty()) {
        return known;
      }
    }
    return slicesNow(service);
  }

  /**
   * Completes what was read of a Service by its slices, which are read now.
   *
   * @param endpoints as they are now; null when there are none
   * @return null where the Role does not let us list slices
   */
  ObservedService withSlices(String service, Endpoints endpoints) {
    List<EndpointSlice> found = isWorthListing() ? slicesNow(service) : null;
    return found == null ? null : noted(service, endpoints, found);
  }

  /** Whether the slices of a Service have changed since the last read, as an informer reports. */
  boolean isOutdated(String service) {
    return watched.slices().isOutdated(service);
  }

  /** Null when there are none. */
  private Endpoints endpoints(String service) {
    List<Endpoints> found =
        watched
            .endpoints()
            .get(
                service,
                () -> {
                  budget.check();
                  return Stream.ofNullable(endpoints.get(service)).toList();
                });
    return found.isEmpty() ? null : found.get(0);
  }

  private List<EndpointSlice> slicesNow(String service) {
    return watched.slices().read(service, () -> list(service));
  }

  /** Null when we may not look, and need not. */
  private List<EndpointSlice> list(String service) {
    budget.check();
    return publishSlices
        ? slices.list(Slices.selector(service))
        : rights
            .ask(ApiRight.LIST_SLICES, () -> slices.list(Slices.selector(service)))
            .orElse(null);
  }
}
