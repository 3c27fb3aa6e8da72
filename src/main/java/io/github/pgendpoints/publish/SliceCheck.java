package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.alert.Conditions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * When to look for EndpointSlices. Where Endpoints are published, slices of ours can only be left
 * from before the program started, or from another replica that led meanwhile: whoever overlooked
 * them would leave an old primary in them.
 */
public final class SliceCheck {
  private static final String RULE =
      "apiGroups [\"discovery.k8s.io\"], resources [endpointslices], verbs [list]";

  private final boolean publishSlices;
  private final Conditions conditions;
  private final Set<String> without = new HashSet<>();
  private final IntSupplier term;
  private final Grant list;
  private int lastTerm;

  /**
   * @param publishSlices whether PUBLISH asks for EndpointSlices
   * @param conditions told when we may not look
   * @param term which leadership this is; another one when others may have written in between
   * @param nanoTime as {@link System#nanoTime}
   */
  public SliceCheck(
      boolean publishSlices, Conditions conditions, IntSupplier term, LongSupplier nanoTime) {
    this.term = term;
    this.list = new Grant(nanoTime);
    this.lastTerm = term.getAsInt();
    this.publishSlices = publishSlices;
    this.conditions = conditions;
  }

  /**
   * Whether to look: in each cycle where we publish slices, else until there are none of ours. And
   * when there are no Endpoints, or they are hidden: there must be a reason for it.
   *
   * @param endpoints null when there are none
   */
  public boolean isDue(String service, Endpoints endpoints) {
    if (term.getAsInt() != lastTerm) {
      lastTerm = term.getAsInt();
      without.clear();
    }
    boolean suspected =
        !without.contains(service) || endpoints == null || Actual.isHidden(endpoints);
    return isWorthAsking() && (publishSlices || suspected);
  }

  /** Whether the Role lets us look, as far as is known; where slices are published, it has to. */
  boolean isWorthAsking() {
    return publishSlices || list.isWorthAsking();
  }

  /**
   * Joins what there is behind a Service.
   *
   * @param endpoints null when there are none
   * @param slices null when they were not looked for
   */
  public Actual found(String service, Endpoints endpoints, List<EndpointSlice> slices) {
    Actual actual = new Actual(endpoints, slices);
    if (actual.own().isEmpty()) {
      without.add(service);
    } else {
      without.remove(service);
    }
    return actual;
  }

  /** Notes that the Role does not let us look; where slices are published, we have to. */
  public void notGranted() {
    list.refused();
    conditions.reportDegradation(
        "the Role does not grant list on endpointslices: what clients see is not compared with what is written, and slices that PUBLISH=endpointslices left are not found; add to the Role: %s"
            .formatted(RULE));
  }
}
