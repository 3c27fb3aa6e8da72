package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What there is behind one Service. Clients see the union of its EndpointSlices: ours, and those
 * that Kubernetes mirrors the Endpoints to.
 *
 * @param endpoints null when there are none
 * @param slices those of the Service, whoever made them; null when they were not looked for
 */
public record ObservedService(Endpoints endpoints, List<EndpointSlice> slices) {
  /** Says of Endpoints that they are not to be mirrored. */
  static final String SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror";

  public ObservedService {
    slices = slices == null ? null : List.copyOf(slices);
  }

  /** Our own slices. */
  public List<EndpointSlice> own() {
    return managedBy(Slices.MANAGER);
  }

  /** Whether Kubernetes mirrors the Endpoints, so that clients see them. */
  public boolean isMirrored() {
    return endpoints != null && !isHidden(endpoints);
  }

  /**
   * Whether clients are routed nowhere: the Endpoints are hidden, and there is no slice that they
   * could be hidden for. Somebody deleted ours in the middle of a switch.
   */
  boolean isUnseen() {
    return isHidden(endpoints) && slices != null && slices.isEmpty();
  }

  /** Whether Endpoints are not to be mirrored. */
  static boolean isHidden(HasMetadata endpoints) {
    return endpoints != null && "true".equals(label(endpoints, SKIP_MIRROR));
  }

  /** Where the mirrored slices route to: the Endpoints, a moment later. */
  Set<String> mirroredRoutes() {
    return routes(managedBy(Slices.MIRRORING));
  }

  /** Every {@code ip:port} that is published; hidden Endpoints are not, where we have slices. */
  public Set<String> publishedEndpoints() {
    return Route.endpoints(inForce());
  }

  /** Where clients are routed to, in the words of {@link Route#texts}. */
  public Set<String> routes() {
    return Route.texts(inForce());
  }

  /** Where the form in force leads: our slices, or the Endpoints. */
  Stream<Route> inForce() {
    return Stream.concat(
        own().stream().flatMap(Slices::routes),
        isEndpointsInForce() ? Subsets.routes(endpoints.getSubsets()) : Stream.empty());
  }

  /**
   * Whether the Endpoints are what clients are meant to see: mirrored, or without slices of ours.
   */
  boolean isEndpointsInForce() {
    return endpoints != null && (isMirrored() || own().isEmpty());
  }

  /** Whether there is neither an Endpoints object nor a slice of ours. */
  public boolean isMissing() {
    return endpoints == null && own().isEmpty();
  }

  /** The objects that may remember something, the one that was written last first. */
  List<HasMetadata> remembering() {
    return Stream.concat(own().stream(), Stream.ofNullable(endpoints))
        .map(HasMetadata.class::cast)
        .sorted(
            Comparator.comparing(
                    (HasMetadata object) ->
                        Objects.requireNonNullElse(annotation(object, Annotations.LAST_UPDATE), ""))
                .reversed())
        .toList();
  }

  private List<EndpointSlice> managedBy(String manager) {
    return Stream.ofNullable(slices)
        .flatMap(List::stream)
        .filter(slice -> manager.equals(label(slice, Slices.MANAGED_BY)))
        .toList();
  }

  static Set<String> routes(List<EndpointSlice> slices) {
    return Route.texts(slices.stream().flatMap(Slices::routes));
  }

  /** A label; null when it is not there. */
  static String label(HasMetadata object, String key) {
    return value(object.getMetadata().getLabels(), key);
  }

  /** An annotation; null when it or the object is not there. */
  static String annotation(HasMetadata object, String key) {
    return object == null ? null : value(object.getMetadata().getAnnotations(), key);
  }

  private static String value(Map<String, String> map, String key) {
    return map == null ? null : map.get(key);
  }
}
