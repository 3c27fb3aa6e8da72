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
 * What one Service is to have in either form, against what it has.
 *
 * @param service its name
 * @param purpose what the plan is for
 * @param wantsSlices whether PUBLISH asks for EndpointSlices
 * @param actual what there is
 * @param endpoints the wanted Endpoints; null when there is nothing to clear
 * @param hiddenEndpoints the same, not mirrored; null when clearing
 * @param slices the wanted slices, in the order in which they are to be written
 */
public record Plan(
    String service,
    Purpose purpose,
    boolean wantsSlices,
    ObservedService actual,
    Publication endpoints,
    Publication hiddenEndpoints,
    List<Publication> slices) {
  /** The most addresses that Kubernetes takes in one object. */
  private static final int MAX_ADDRESSES = 1000;

  /** What a plan is for. */
  enum Purpose {
    /** The Service follows a verified topology. */
    FOLLOW,
    /** The Service loses its addresses. */
    CLEAR,
    /**
     * A person has chosen a primary: the form that clients see is written, and no switch goes on.
     */
    OVERRULE
  }

  public Plan {
    slices = List.copyOf(slices);
  }

  // --- what is written next ---------------------------------------------------------------------

  /**
   * The writes that are due now, in their order. Clients see all EndpointSlices of a Service at
   * once, ours and those that Kubernetes mirrors its Endpoints to, so a switch from one form to the
   * other takes several cycles: each of them does one step of the table in docs/adr/0008.
   *
   * @throws UnusableServiceException saying why the Service is left as it is
   */
  public List<ObjectWrite> nextWrites() throws UnusableServiceException {
    if (purpose != Purpose.CLEAR && largest() > MAX_ADDRESSES) {
      throw new UnusableServiceException(
          service,
          "Service %s would get %d addresses in one object, more than the %d that Kubernetes takes: it is left as it is"
              .formatted(service, largest(), MAX_ADDRESSES));
    }
    return switch (purpose) {
      case CLEAR -> writes(publications());
      case OVERRULE -> overrulingWrites();
      case FOLLOW -> isUnchanged() ? List.of() : writesToFormInForce();
    };
  }

  private List<ObjectWrite> writesToFormInForce() throws UnusableServiceException {
    return actual.isMirrored() ? writesToEndpointsInForce() : writesToSlicesInForce();
  }

  /** Kubernetes mirrors the Endpoints, so they are the form in force. */
  private List<ObjectWrite> writesToEndpointsInForce() {
    // The topology changed in the middle of a switch: our slices lead elsewhere and go first.
    if (isSlicesMisleading()) {
      return joined(deletionOfSlices(), writes(List.of(endpoints)));
    }
    if (!endpoints.isUnchanged()) {
      // Endpoints that came back beside our slices are hidden.
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
    // Back, step 3: the mirror has made our slices needless.
    return isMirrorComplete() ? deletionOfSlices() : List.of();
  }

  /** Clients do not see the Endpoints, so our EndpointSlices are the form in force. */
  private List<ObjectWrite> writesToSlicesInForce() throws UnusableServiceException {
    if (actual.own().isEmpty() && !wantsSlices) {
      return writes(List.of(endpoints));
    }
    if (!isSlicesUnchanged()) {
      refuseBesideStaleMirror();
      return writes(slices);
    }
    if (wantsSlices) {
      // To slices, step 3: delete the hidden Endpoints.
      return actual.endpoints() == null ? List.of() : List.of(deletionOfEndpoints());
    }
    // Back, steps 1 and 2: Endpoints with the same addresses, hidden; then Kubernetes mirrors them.
    return writes(List.of(hiddenEndpoints.isUnchanged() ? endpoints : hiddenEndpoints));
  }

  private List<ObjectWrite> overrulingWrites() throws UnusableServiceException {
    if (actual.isMirrored() && isSlicesMisleading()) {
      return joined(deletionOfSlices(), writes(inForce()));
    }
    if (!actual.isMirrored() && !actual.own().isEmpty()) {
      refuseBesideStaleMirror();
    }
    return writes(inForce());
  }

  /**
   * Kubernetes takes its mirrored slices away a moment after the Endpoints are hidden or deleted.
   */
  private void refuseBesideStaleMirror() throws UnusableServiceException {
    if (isMirrorStale()) {
      throw new UnusableServiceException(
          service,
          "Service %s still has EndpointSlices that Kubernetes mirrored and that lead elsewhere: ours are not changed beside them"
              .formatted(service));
    }
  }

  private static List<ObjectWrite> writes(List<Publication> publications) {
    return publications.stream()
        .filter(publication -> !publication.isUnchanged())
        .map(Publication::write)
        .toList();
  }

  private List<ObjectWrite> deletionOfSlices() {
    return actual.own().stream()
        .map(
            slice ->
                ObjectWrite.of(
                    ObjectOperation.DELETE, slice, slice.getMetadata().getName() + " deleted"))
        .toList();
  }

  private ObjectWrite deletionOfEndpoints() {
    return ObjectWrite.of(
        ObjectOperation.DELETE, actual.endpoints(), "Endpoints " + service + " deleted");
  }

  private static List<ObjectWrite> joined(List<ObjectWrite> first, List<ObjectWrite> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  // --- desired against observed -----------------------------------------------------------------

  /** Whether our slices are what is wanted. */
  boolean isSlicesUnchanged() {
    return slices.stream().allMatch(Publication::isUnchanged);
  }

  /** Whether our slices lead wherever the Service is to lead, whatever they remember. */
  boolean isSlicesComplete() {
    return ObservedService.routes(actual.own()).containsAll(wantedRoutes());
  }

  /** Whether one of our slices leads where nothing is to lead. */
  boolean isSlicesMisleading() {
    return !wantedRoutes().containsAll(ObservedService.routes(actual.own()));
  }

  /** Whether Kubernetes has mirrored all that is wanted, so that clients lose nothing with ours. */
  boolean isMirrorComplete() {
    return actual.mirroredRoutes().containsAll(wantedRoutes());
  }

  /**
   * Whether Kubernetes still shows what it mirrored before: what is new must not stand beside it.
   */
  boolean isMirrorStale() {
    return !wantedRoutes().containsAll(actual.mirroredRoutes());
  }

  /** Whether nothing is to be done: the form that PUBLISH asks for is right, and alone. */
  public boolean isUnchanged() {
    if (purpose == Purpose.CLEAR) {
      return publications().stream().allMatch(Publication::isUnchanged);
    }
    return wantsSlices
        ? actual.endpoints() == null && isSlicesUnchanged()
        : endpoints.isUnchanged() && actual.own().isEmpty();
  }

  /** Where the Service is to route to, in the words of {@link Subsets#routes}. */
  public Set<String> wantedRoutes() {
    Set<String> routes = new TreeSet<>();
    slices.forEach(slice -> routes.addAll(slice.wantedRoutes()));
    return routes;
  }

  /** Every object that there is, to be cleared. */
  private List<Publication> publications() {
    return Stream.concat(Stream.ofNullable(endpoints), slices.stream()).toList();
  }

  /**
   * The objects that clients see now, or those that PUBLISH asks for where there is none: what is
   * written when no switch from one form to the other is to go on.
   */
  List<Publication> inForce() {
    boolean areSlices =
        actual.isMissing() ? wantsSlices : !actual.isMirrored() && !actual.own().isEmpty();
    return areSlices ? slices : List.of(endpoints);
  }

  /** The most addresses that one of the objects would hold that there are, or are asked for. */
  int largest() {
    int most = 0;
    if (wantsSlices || !actual.own().isEmpty()) {
      for (Publication slice : slices) {
        most = Math.max(most, ((EndpointSlice) slice.wanted()).getEndpoints().size());
      }
    }
    if (endpoints != null && (!wantsSlices || actual.endpoints() != null)) {
      most =
          Math.max(
              most,
              ((Endpoints) endpoints.wanted())
                  .getSubsets().stream().mapToInt(subset -> subset.getAddresses().size()).sum());
    }
    return most;
  }

  /** What is to change, as a diff of each object; a switch takes several cycles to get there. */
  public String diff() {
    List<String> diffs = new ArrayList<>();
    if (purpose == Purpose.CLEAR) {
      publications().forEach(publication -> diffs.add(publication.diff()));
    } else if (wantsSlices) {
      slices.forEach(slice -> diffs.add(slice.diff()));
      if (actual.endpoints() != null) {
        diffs.add("Endpoints %s (to be deleted)".formatted(service));
      }
    } else {
      diffs.add(endpoints.diff());
      for (EndpointSlice slice : actual.own()) {
        diffs.add("EndpointSlice %s (to be deleted)".formatted(slice.getMetadata().getName()));
      }
    }
    return String.join(System.lineSeparator(), diffs);
  }
}
