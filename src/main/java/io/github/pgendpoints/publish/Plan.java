package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What one Service is to have in either form, against what it has. Which of it is written, and what
 * a switch from one form to the other does next, stands in the routes; docs/adr/0008 says why.
 *
 * @param service its name
 * @param wantsSlices whether PUBLISH asks for EndpointSlices
 * @param clearing whether the Service is only to lose its addresses
 * @param actual what there is
 * @param endpoints the wanted Endpoints; null when there is nothing to clear
 * @param hiddenEndpoints the same, not mirrored; null when clearing
 * @param slices the wanted slices, in the order in which they are to be written
 */
public record Plan(
    String service,
    boolean wantsSlices,
    boolean clearing,
    Actual actual,
    Publication endpoints,
    Publication hiddenEndpoints,
    List<Publication> slices) {

  public Plan {
    slices = List.copyOf(slices);
  }

  /** Whether clients see the Endpoints: then they are the form in force. */
  public boolean isMirrored() {
    return actual.isMirrored();
  }

  /** Whether there are slices of ours. */
  public boolean isSliced() {
    return !actual.own().isEmpty();
  }

  /** Whether our slices are what is wanted. */
  public boolean isSlicesUnchanged() {
    return slices.stream().allMatch(Publication::isUnchanged);
  }

  /** Whether our slices lead wherever the Service is to lead, whatever they remember. */
  public boolean isSlicesComplete() {
    return Actual.routes(actual.own()).containsAll(wantedRoutes());
  }

  /** Whether one of our slices leads where nothing is to lead. */
  public boolean isSlicesMisleading() {
    return !wantedRoutes().containsAll(Actual.routes(actual.own()));
  }

  /** Whether Kubernetes has mirrored all that is wanted, so that clients lose nothing with ours. */
  public boolean isMirrorComplete() {
    return actual.mirroredRoutes().containsAll(wantedRoutes());
  }

  /**
   * Whether Kubernetes still shows what it mirrored before: what is new must not stand beside it.
   */
  public boolean isMirrorStale() {
    return !wantedRoutes().containsAll(actual.mirroredRoutes());
  }

  /** Whether nothing is to be done: the form that PUBLISH asks for is right, and alone. */
  public boolean isUnchanged() {
    if (clearing) {
      return publications().stream().allMatch(Publication::isUnchanged);
    }
    return wantsSlices
        ? actual.endpoints() == null && isSlicesUnchanged()
        : endpoints.isUnchanged() && !isSliced();
  }

  /** Where the Service is to route to, in the words of {@link Subsets#routes}. */
  public Set<String> wantedRoutes() {
    Set<String> routes = new TreeSet<>();
    slices.forEach(slice -> routes.addAll(slice.wantedRoutes()));
    return routes;
  }

  /** Every object that there is, to be cleared. */
  public List<Publication> publications() {
    return Stream.concat(Stream.ofNullable(endpoints), slices.stream()).toList();
  }

  /**
   * The objects that clients see now, or those that PUBLISH asks for where there is none: what is
   * written when no switch from one form to the other is to go on.
   */
  public List<Publication> inForce() {
    boolean areSlices = actual.isMissing() ? wantsSlices : !isMirrored() && isSliced();
    return areSlices ? slices : List.of(endpoints);
  }

  /** The most addresses that one of the objects would hold that there are, or are asked for. */
  public int largest() {
    int most = 0;
    if (wantsSlices || isSliced()) {
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
    if (clearing) {
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
