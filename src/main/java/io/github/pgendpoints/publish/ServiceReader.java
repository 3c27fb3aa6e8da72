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
 * Reads the objects behind a Service: its Endpoints and, if there may be any, its slices.
 *
 * <p>If PUBLISH is endpoints, slices of ours can only be left from before the program started, or
 * from another replica that led meanwhile. If the program ignored them, they would keep an old
 * primary.
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
   * @param watched reads what is not known from informers
   * @param rights whether the Role grants listing slices, which only endpointslices requires
   * @param publishSlices whether PUBLISH is endpointslices
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

  /** Forgets what was read: another replica may have written since. */
  public void forget() {
    watched.forget();
    withoutSlices.clear();
  }

  /**
   * Returns the objects behind a Service.
   *
   * @throws KubernetesClientException if the API server refuses a request or does not respond
   */
  public ObservedService read(String service) {
    Endpoints found = endpoints(service);
    return noted(service, found, maySlicesBeThere(service, found) ? slices(service, found) : null);
  }

  /**
   * Whether to list slices: in each cycle if PUBLISH is endpointslices, otherwise until there are
   * none of ours. Also if the Endpoints are missing or hidden: slices may be the reason.
   *
   * @param endpoints null if there are none
   */
  boolean maySlicesBeThere(String service, Endpoints endpoints) {
    boolean suspected =
        !withoutSlices.contains(service)
            || endpoints == null
            || ObservedService.isHidden(endpoints);
    return isWorthListing() && (publishSlices || suspected);
  }

  /** Whether the Role grants listing slices, as far as is known: endpointslices requires it. */
  private boolean isWorthListing() {
    return publishSlices || rights.isWorthAsking(ApiRight.LIST_SLICES);
  }

  /**
   * Joins the objects behind a Service, and records whether slices of ours are among them.
   *
   * @param endpoints null if there are none
   * @param slices null if they were not listed
   */
  ObservedService noted(String service, Endpoints endpoints, List<EndpointSlice> slices) {
    ObservedService observed = new ObservedService(endpoints, slices);
    if (!observed.own().isEmpty()) {
      withoutSlices.remove(service);
    } else if (slices != null) {
      withoutSlices.add(service);
    }
    return observed;
  }

  /**
   * Returns the slices. If only ours exist, they are read only when an informer reports a change.
   * Each step of a switch from one form to the other reads them: the resourceVersion of the object
   * that it writes does not cover the other form.
   */
  private List<EndpointSlice> slices(String service, Endpoints endpoints) {
    if (publishSlices && endpoints == null) {
      List<EndpointSlice> known = watched.slices().get(service, () -> list(service));
      if (known == null || new ObservedService(null, known).mirroredDestinations().isEmpty()) {
        return known;
      }
    }
    return slicesNow(service);
  }

  /**
   * Adds the slices of a Service, which are read now, to its Endpoints.
   *
   * @param endpoints as they are now; null if there are none
   * @return null if the Role does not grant listing slices
   */
  ObservedService withSlices(String service, Endpoints endpoints) {
    List<EndpointSlice> found = isWorthListing() ? slicesNow(service) : null;
    return found == null ? null : noted(service, endpoints, found);
  }

  /** Whether the slices of a Service have changed since the last read, as an informer reports. */
  boolean isOutdated(String service) {
    return watched.slices().isOutdated(service);
  }

  /** Returns null if there are none. */
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

  /** Returns null if the Role does not grant listing slices, unless endpointslices requires it. */
  private List<EndpointSlice> list(String service) {
    budget.check();
    return publishSlices
        ? slices.list(Slices.selector(service))
        : rights
            .ask(ApiRight.LIST_SLICES, () -> slices.list(Slices.selector(service)))
            .orElse(null);
  }
}
