package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.github.pgendpoints.alert.ApiRight;
import io.github.pgendpoints.alert.ApiRights;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * When to look for EndpointSlices. Where Endpoints are published, slices of ours can only be left
 * from before the program started, or from another replica that led meanwhile: whoever overlooked
 * them would leave an old primary in them.
 */
public final class SliceCheck {
  private final boolean publishSlices;
  private final ApiRights rights;
  private final Set<String> without = new HashSet<>();
  private final IntSupplier term;
  private int lastTerm;

  /**
   * @param publishSlices whether PUBLISH asks for EndpointSlices
   * @param rights tells whether we may look
   * @param term which leadership this is; another one when others may have written in between
   */
  public SliceCheck(boolean publishSlices, ApiRights rights, IntSupplier term) {
    this.term = term;
    this.lastTerm = term.getAsInt();
    this.publishSlices = publishSlices;
    this.rights = rights;
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
    return publishSlices || rights.isWorthAsking(ApiRight.LIST_SLICES);
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
}
