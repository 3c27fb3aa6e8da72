package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.Endpoints;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * The wanted Endpoints of one Service against the actual ones.
 *
 * @param service name of the Service and of its Endpoints
 * @param subsets the wanted ones
 * @param state the wanted annotations, but for the time of the write
 * @param actual as last read; null when there are none
 * @param conflicts how often another writer got in between
 */
public record Publication(
    String service,
    List<EndpointSubset> subsets,
    Map<String, String> state,
    Endpoints actual,
    int conflicts) {

  /** How often a write is tried again because others changed fields that are not ours. */
  private static final int MAX_CONFLICTS = 5;

  public Publication {
    subsets = List.copyOf(subsets);
    state = Map.copyOf(state);
  }

  /** Whether the actual Endpoints are what is wanted: addresses, ports and stored topology. */
  public boolean isUnchanged() {
    return actual != null && wantedRoutes().equals(routes(actual)) && holds(actual, state);
  }

  /** Whether there are no Endpoints yet. */
  public boolean isMissing() {
    return actual == null;
  }

  /** The version that a write must find; null when there are no Endpoints. */
  public String resourceVersion() {
    return actual == null ? null : actual.getMetadata().getResourceVersion();
  }

  /**
   * The same wish against Endpoints that were read again after a conflict.
   *
   * @param current null when they are gone
   * @throws OutdatedTopologyException when what we publish was changed, not only what others keep
   *     there, or when others do not stop changing it
   */
  public Publication against(Endpoints current) throws OutdatedTopologyException {
    boolean ours =
        !routes(actual).equals(routes(current))
            || !ourAnnotations(actual).equals(ourAnnotations(current));
    if (ours || conflicts == MAX_CONFLICTS) {
      throw new OutdatedTopologyException(service);
    }
    return new Publication(service, subsets, state, current, conflicts + 1);
  }

  /** The change of addresses, in one line. */
  public String summary() {
    Set<String> before = routes(actual);
    String now = wantedRoutes().isEmpty() ? "no address" : String.join(", ", wantedRoutes());
    if (actual == null) {
      return service + " created with " + now;
    }
    return before.equals(wantedRoutes())
        ? service + " keeps " + now + ", its annotations were written"
        : "%s now has %s (was %s)"
            .formatted(service, now, before.isEmpty() ? "no address" : String.join(", ", before));
  }

  /** What a write would change, as a diff of addresses and annotations. */
  public String diff() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "Endpoints "
            + service
            + (actual == null ? " (to be created)" : isUnchanged() ? " (unchanged)" : ""));
    Set<String> before = routes(actual);
    before.stream()
        .filter(route -> !wantedRoutes().contains(route))
        .forEach(route -> lines.add("- " + route));
    wantedRoutes().forEach(route -> lines.add((before.contains(route) ? "  " : "+ ") + route));
    Map<String, String> stored = ourAnnotations(actual);
    new TreeMap<>(state)
        .forEach(
            (key, value) -> {
              String old = stored.get(key);
              if (old != null && !old.equals(value)) {
                lines.add("- " + key + ": " + old);
              }
              lines.add((value.equals(old) ? "  " : "+ ") + key + ": " + value);
            });
    return String.join(System.lineSeparator(), lines);
  }

  private Set<String> wantedRoutes() {
    return Subsets.routes(subsets);
  }

  private static Set<String> routes(Endpoints endpoints) {
    return endpoints == null ? Set.of() : Subsets.routes(endpoints.getSubsets());
  }

  private static boolean holds(Endpoints endpoints, Map<String, String> wanted) {
    return wanted.entrySet().stream()
        .allMatch(entry -> entry.getValue().equals(annotation(endpoints, entry.getKey())));
  }

  private static Map<String, String> ourAnnotations(Endpoints endpoints) {
    Map<String, String> ours = new HashMap<>();
    for (String key : Annotations.ALL) {
      String value = annotation(endpoints, key);
      if (value != null) {
        ours.put(key, value);
      }
    }
    return ours;
  }

  /** An annotation of Endpoints; null when it or they are not there. */
  static String annotation(Endpoints endpoints, String key) {
    return endpoints == null
        ? null
        : Objects.requireNonNullElse(
                endpoints.getMetadata().getAnnotations(), Map.<String, String>of())
            .get(key);
  }
}
