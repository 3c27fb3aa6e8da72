package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.github.pgendpoints.kubernetes.ObjectOperation;
import io.github.pgendpoints.logging.ForeignText;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * One desired object of a Service, Endpoints or an EndpointSlice, compared with the observed one.
 *
 * @param desired only what this program manages: a label with the value null is to be removed, and
 *     the annotation with the time of the write is missing
 * @param observed as last read; null if there is none
 * @param time of the write, for the annotation last-update
 */
public record Publication(HasMetadata desired, HasMetadata observed, Instant time) {
  /** As the original's {@code datetime.now(timezone.utc).isoformat()} spells it. */
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxxx");

  /** How many characters are shown of an annotation, which another writer may have written. */
  private static final int MAX_SHOWN = 4000;

  /** Whether the observed object has the desired addresses, ports, labels, and stored topology. */
  public boolean isUnchanged() {
    return observed != null
        && desiredDestinations().equals(destinations(observed))
        && isLabelled()
        && state().entrySet().stream()
            .allMatch(
                entry ->
                    isSame(
                        entry.getKey(),
                        entry.getValue(),
                        ObservedService.annotation(observed, entry.getKey())));
  }

  /** Ignores the order of nodes: two managers with different orders would overwrite each other. */
  private static boolean isSame(String annotation, String value, String stored) {
    return Objects.equals(value, stored)
        || annotation.equals(Annotations.NODES)
            && stored != null
            && new HashSet<>(List.of(value.split(",")))
                .equals(new HashSet<>(List.of(stored.split(","))));
  }

  private boolean isLabelled() {
    return labels().entrySet().stream()
        .allMatch(
            entry ->
                Objects.equals(entry.getValue(), ObservedService.label(observed, entry.getKey())));
  }

  public String name() {
    return desired.getMetadata().getName();
  }

  public Map<String, String> labels() {
    return desired.getMetadata().getLabels();
  }

  /** The desired annotations, without the time of the write. */
  Map<String, String> state() {
    return desired.getMetadata().getAnnotations();
  }

  /** Returns the write that creates the desired object, or changes the observed one to it. */
  ObjectWrite write() {
    HasMetadata object =
        desired instanceof EndpointSlice slice
            ? new EndpointSliceBuilder(slice).build()
            : new EndpointsBuilder((Endpoints) desired).build();
    ObjectMeta metadata = object.getMetadata();
    metadata.setLabels(desired.getMetadata().getLabels());
    Map<String, String> annotations = new TreeMap<>(state());
    if (!annotations.isEmpty()) {
      annotations.put(Annotations.LAST_UPDATE, TIME.format(time.atOffset(ZoneOffset.UTC)));
    }
    metadata.setAnnotations(annotations);
    metadata.setResourceVersion(
        observed == null ? null : observed.getMetadata().getResourceVersion());
    return ObjectWrite.of(
        observed == null ? ObjectOperation.CREATE : ObjectOperation.PATCH_OR_CREATE,
        object,
        summary());
  }

  /** The change of addresses, in one line. */
  public String summary() {
    Set<String> before = destinations(observed);
    String now =
        desiredDestinations().isEmpty() ? "no address" : String.join(", ", desiredDestinations());
    if (observed == null) {
      return name() + " created with " + now;
    }
    return before.equals(desiredDestinations())
        ? name() + " keeps " + now + ", its annotations were written" + mirroring()
        : "%s now has %s (was %s)%s"
            .formatted(
                name(),
                now,
                before.isEmpty() ? "no address" : String.join(", ", before),
                mirroring());
  }

  private String mirroring() {
    boolean hidden = "true".equals(labels().get(ObservedService.SKIP_MIRROR));
    return isLabelled()
        ? ""
        : hidden ? ", and it is no longer mirrored" : ", and it is mirrored again";
  }

  /**
   * What a write would change, as a diff of addresses, annotations and, where they differ, labels.
   */
  public String diff() {
    List<String> lines = new ArrayList<>();
    lines.add(
        desired.getKind()
            + " "
            + name()
            + (observed == null ? " (to be created)" : isUnchanged() ? " (unchanged)" : ""));
    Set<String> before = destinations(observed);
    before.stream()
        .filter(destination -> !desiredDestinations().contains(destination))
        .forEach(destination -> lines.add("- " + ForeignText.clean(destination)));
    desiredDestinations()
        .forEach(
            destination -> lines.add((before.contains(destination) ? "  " : "+ ") + destination));
    new TreeMap<>(state())
        .forEach(
            (key, value) -> {
              String old = ObservedService.annotation(observed, key);
              if (isSame(key, value, old)) {
                if (old != null) {
                  lines.add("  " + key + ": " + ForeignText.clean(old, MAX_SHOWN));
                }
                return;
              }
              if (old != null) {
                lines.add("- " + key + ": " + ForeignText.clean(old, MAX_SHOWN));
              }
              if (value != null) {
                lines.add("+ " + key + ": " + value);
              }
            });
    if (observed != null) {
      labels()
          .forEach(
              (key, value) -> {
                String old = ObservedService.label(observed, key);
                if (old != null && !old.equals(value)) {
                  lines.add("- " + key + ": " + ForeignText.clean(old));
                }
                if (value != null && !value.equals(old)) {
                  lines.add("+ " + key + ": " + value);
                }
              });
    }
    return String.join(System.lineSeparator(), lines);
  }

  Set<String> desiredDestinations() {
    return destinations(desired);
  }

  private static Set<String> destinations(HasMetadata object) {
    if (object instanceof EndpointSlice slice) {
      return Destination.texts(Slices.destinations(slice));
    }
    return object instanceof Endpoints endpoints
        ? Destination.texts(Subsets.destinations(endpoints.getSubsets()))
        : Set.of();
  }
}
