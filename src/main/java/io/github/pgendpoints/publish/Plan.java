package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.kubernetes.ObjectOperation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The desired objects of one Service, in both forms, compared with the observed ones.
 *
 * @param service its name
 * @param purpose what the plan is for
 * @param wantsSlices whether PUBLISH is endpointslices
 * @param observed the observed objects
 * @param endpoints the desired Endpoints; null if there is nothing to clear
 * @param hiddenEndpoints the same Endpoints, but not mirrored; null for CLEAR
 * @param slices the desired slices, in the order in which they are to be written
 */
public record Plan(
    String service,
    Purpose purpose,
    boolean wantsSlices,
    ObservedService observed,
    Publication endpoints,
    Publication hiddenEndpoints,
    List<Publication> slices) {
  /** The most addresses that Kubernetes accepts in one object. */
  private static final int MAX_ADDRESSES = 1000;

  /** What a plan is for. */
  enum Purpose {
    /** The Service follows a verified topology. */
    FOLLOW,
    /** The Service loses its addresses. */
    CLEAR,
    /**
     * An operator has chosen a primary: the form that clients see is written, no switch goes on.
     */
    OVERRULE
  }

  public Plan {
    slices = List.copyOf(slices);
  }

  // --- what is written next ---------------------------------------------------------------------

  /**
   * Returns the writes that are due now, in order. Clients see all EndpointSlices of a Service at
   * once: ours, and those that Kubernetes mirrors from its Endpoints. A switch from one form to the
   * other therefore takes several cycles, each with one step of the table in docs/adr/0008.
   *
   * @throws UnusableServiceException with the reason why the Service is left as it is
   */
  public List<ObjectWrite> nextWrites() throws UnusableServiceException {
    if (purpose != Purpose.CLEAR && largest() > MAX_ADDRESSES) {
      throw new UnusableServiceException(
          service,
          "Service %s would get more addresses in one object than Kubernetes takes"
              .formatted(service),
          "%d, at most %d: it is left as it is".formatted(largest(), MAX_ADDRESSES));
    }
    return switch (purpose) {
      case CLEAR -> writes(publications());
      case OVERRULE -> overrulingWrites();
      case FOLLOW -> isUnchanged() ? List.of() : writesToFormInForce();
    };
  }

  private List<ObjectWrite> writesToFormInForce() throws UnusableServiceException {
    return observed.isMirrored() ? writesToEndpointsInForce() : writesToSlicesInForce();
  }

  /** Kubernetes mirrors the Endpoints, so they are the form in force. */
  private List<ObjectWrite> writesToEndpointsInForce() {
    // The topology changed in the middle of a switch: our slices route elsewhere, so delete them.
    if (isSlicesMisleading()) {
      return joined(deletionOfSlices(), writes(List.of(endpoints)));
    }
    if (!endpoints.isUnchanged()) {
      // Endpoints that were created again beside our complete slices are hidden.
      return writes(List.of(wantsSlices && isSlicesComplete() ? hiddenEndpoints : endpoints));
    }
    if (wantsSlices && !isSlicesUnchanged()) {
      // To slices, step 1: slices with the same addresses, once the mirror has caught up.
      return isMirrorStale() ? List.of() : writes(slices);
    }
    if (wantsSlices) {
      // To slices, step 2: hide the Endpoints.
      return writes(List.of(hiddenEndpoints));
    }
    // Back, step 3: delete our slices, once the mirror is complete.
    return isMirrorComplete() ? deletionOfSlices() : List.of();
  }

  /** Clients do not see the Endpoints, so our EndpointSlices are the form in force. */
  private List<ObjectWrite> writesToSlicesInForce() throws UnusableServiceException {
    if (observed.own().isEmpty() && !wantsSlices) {
      return writes(List.of(endpoints));
    }
    if (!isSlicesUnchanged()) {
      refuseBesideStaleMirror();
      return writes(slices);
    }
    if (wantsSlices) {
      // To slices, step 3: delete the hidden Endpoints.
      return observed.endpoints() == null ? List.of() : List.of(deletionOfEndpoints());
    }
    // Back, steps 1 and 2: Endpoints with the same addresses, hidden; then Kubernetes mirrors them.
    return writes(List.of(hiddenEndpoints.isUnchanged() ? endpoints : hiddenEndpoints));
  }

  private List<ObjectWrite> overrulingWrites() throws UnusableServiceException {
    if (observed.isMirrored() && isSlicesMisleading()) {
      return joined(deletionOfSlices(), writes(inForce()));
    }
    if (!observed.isMirrored() && !observed.own().isEmpty()) {
      refuseBesideStaleMirror();
    }
    return writes(inForce());
  }

  /** Kubernetes deletes its mirrored slices a moment after the Endpoints are hidden or deleted. */
  private void refuseBesideStaleMirror() throws UnusableServiceException {
    if (isMirrorStale()) {
      throw new UnusableServiceException(
          service,
          "Service %s still has EndpointSlices that Kubernetes mirrored and that lead elsewhere"
              .formatted(service),
          "ours are not changed beside them");
    }
  }

  private static List<ObjectWrite> writes(List<Publication> publications) {
    return publications.stream()
        .filter(publication -> !publication.isUnchanged())
        .map(Publication::write)
        .toList();
  }

  private List<ObjectWrite> deletionOfSlices() {
    return observed.own().stream()
        .map(
            slice ->
                ObjectWrite.of(
                    ObjectOperation.DELETE, slice, slice.getMetadata().getName() + " deleted"))
        .toList();
  }

  private ObjectWrite deletionOfEndpoints() {
    return ObjectWrite.of(
        ObjectOperation.DELETE, observed.endpoints(), "Endpoints " + service + " deleted");
  }

  private static List<ObjectWrite> joined(List<ObjectWrite> first, List<ObjectWrite> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  // --- desired against observed -----------------------------------------------------------------

  /** Whether our slices are what is desired. */
  boolean isSlicesUnchanged() {
    return slices.stream().allMatch(Publication::isUnchanged);
  }

  /** Whether our slices have every desired destination, regardless of their annotations. */
  boolean isSlicesComplete() {
    return ObservedService.destinations(observed.own()).containsAll(desiredDestinations());
  }

  /** Whether one of our slices has a destination that is not desired. */
  boolean isSlicesMisleading() {
    return !desiredDestinations().containsAll(ObservedService.destinations(observed.own()));
  }

  /** Whether Kubernetes has mirrored all that is desired: clients do not need our slices. */
  boolean isMirrorComplete() {
    return observed.mirroredDestinations().containsAll(desiredDestinations());
  }

  /** Whether a mirrored slice still has an old destination, beside which no new one may appear. */
  boolean isMirrorStale() {
    return !desiredDestinations().containsAll(observed.mirroredDestinations());
  }

  /** Whether nothing is to be done: the form that PUBLISH names is right, and the only one. */
  public boolean isUnchanged() {
    if (purpose == Purpose.CLEAR) {
      return publications().stream().allMatch(Publication::isUnchanged);
    }
    return wantsSlices
        ? observed.endpoints() == null && isSlicesUnchanged()
        : endpoints.isUnchanged() && observed.own().isEmpty();
  }

  /** Where the Service is to route to, in the format of {@link Destination#texts}. */
  public Set<String> desiredDestinations() {
    Set<String> destinations = new TreeSet<>();
    slices.forEach(slice -> destinations.addAll(slice.desiredDestinations()));
    return destinations;
  }

  /** The existing objects, which are to be cleared. */
  private List<Publication> publications() {
    return Stream.concat(Stream.ofNullable(endpoints), slices.stream()).toList();
  }

  /**
   * The objects that clients see now, or those that PUBLISH names if there are none: what is
   * written if no switch from one form to the other is to go on.
   */
  List<Publication> inForce() {
    boolean areSlices =
        observed.isMissing() ? wantsSlices : !observed.isMirrored() && !observed.own().isEmpty();
    return areSlices ? slices : List.of(endpoints);
  }

  /** The most addresses in one of the objects that exist already, or that PUBLISH names. */
  int largest() {
    int most = 0;
    if (wantsSlices || !observed.own().isEmpty()) {
      for (Publication slice : slices) {
        most = Math.max(most, ((EndpointSlice) slice.desired()).getEndpoints().size());
      }
    }
    if (endpoints != null && (!wantsSlices || observed.endpoints() != null)) {
      most =
          Math.max(
              most,
              ((Endpoints) endpoints.desired())
                  .getSubsets().stream().mapToInt(subset -> subset.getAddresses().size()).sum());
    }
    return most;
  }

  /** What is to change, as a diff of each object. A switch needs several cycles for it. */
  public String diff() {
    List<String> diffs = new ArrayList<>();
    if (purpose == Purpose.CLEAR) {
      publications().forEach(publication -> diffs.add(publication.diff()));
    } else if (wantsSlices) {
      slices.forEach(slice -> diffs.add(slice.diff()));
      if (observed.endpoints() != null) {
        diffs.add("Endpoints %s (to be deleted)".formatted(service));
      }
    } else {
      diffs.add(endpoints.diff());
      for (EndpointSlice slice : observed.own()) {
        diffs.add("EndpointSlice %s (to be deleted)".formatted(slice.getMetadata().getName()));
      }
    }
    return String.join(System.lineSeparator(), diffs);
  }
}
