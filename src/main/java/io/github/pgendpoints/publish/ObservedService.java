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
 * The objects behind one Service. Clients see the union of its EndpointSlices: ours, and those that
 * Kubernetes mirrors from the Endpoints.
 *
 * @param endpoints null if there are none
 * @param slices all slices of the Service, by any writer; null if they were not listed
 */
public record ObservedService(Endpoints endpoints, List<EndpointSlice> slices) {
  /** The label that stops the mirroring of Endpoints. */
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
   * Whether clients are routed nowhere: the Endpoints are hidden, and there is no slice instead.
   * Another writer deleted ours in the middle of a switch.
   */
  boolean isUnseen() {
    return isHidden(endpoints) && slices != null && slices.isEmpty();
  }

  /** Whether a label stops the mirroring of the Endpoints. */
  static boolean isHidden(HasMetadata endpoints) {
    return endpoints != null && "true".equals(label(endpoints, SKIP_MIRROR));
  }

  /** Where the mirrored slices route to; they follow the Endpoints a moment later. */
  Set<String> mirroredDestinations() {
    return destinations(managedBy(Slices.MIRRORING));
  }

  /** Every {@code ip:port} that is published, without hidden Endpoints if there are our slices. */
  public Set<String> publishedEndpoints() {
    return Destination.endpoints(inForce());
  }

  /** Where clients are routed to, in the format of {@link Destination#texts}. */
  public Set<String> destinations() {
    return Destination.texts(inForce());
  }

  /** Where the form in force routes to: our slices, or the Endpoints. */
  Stream<Destination> inForce() {
    return Stream.concat(
        own().stream().flatMap(Slices::destinations),
        isEndpointsInForce() ? Subsets.destinations(endpoints.getSubsets()) : Stream.empty());
  }

  /** Whether clients are meant to see the Endpoints: mirrored, or without slices of ours. */
  boolean isEndpointsInForce() {
    return endpoints != null && (isMirrored() || own().isEmpty());
  }

  /** Whether there is neither an Endpoints object nor a slice of ours. */
  public boolean isMissing() {
    return endpoints == null && own().isEmpty();
  }

  /** The objects that may store a topology, the one that was written last first. */
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

  static Set<String> destinations(List<EndpointSlice> slices) {
    return Destination.texts(slices.stream().flatMap(Slices::destinations));
  }

  /** A label; null if it is missing. */
  static String label(HasMetadata object, String key) {
    return value(object.getMetadata().getLabels(), key);
  }

  /** An annotation; null if it or the object is missing. */
  static String annotation(HasMetadata object, String key) {
    return object == null ? null : value(object.getMetadata().getAnnotations(), key);
  }

  private static String value(Map<String, String> map, String key) {
    return map == null ? null : map.get(key);
  }
}
