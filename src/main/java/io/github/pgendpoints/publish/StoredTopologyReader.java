package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Signature;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Reads the topology that the objects of both Services store.
 *
 * @param defaultPort PGPORT, which signatures leave out
 * @param warnings receives what cannot be read and is ignored
 */
public record StoredTopologyReader(
    int defaultPort, boolean allowLoopback, Consumer<String> warnings) {
  private static final BigInteger MAX_TIMELINE = BigInteger.valueOf(Line.MAX_TIMELINE);
  private static final BigInteger MAX_LONG = BigInteger.valueOf(Long.MAX_VALUE);

  /**
   * What one object stores.
   *
   * @param identifier null if it is missing or unreadable, like all that follow
   * @param timeline 0 instead of null
   * @param generation 0 instead of null
   */
  private record Remembered(
      HasMetadata object,
      String identifier,
      long timeline,
      Lsn begin,
      List<String> entries,
      Long startedAt,
      long generation,
      List<String> faults) {
    boolean hasLine() {
      return timeline > 0 && faults.isEmpty();
    }
  }

  /**
   * Returns the last verified topology. The read-write objects are written first, so they take
   * precedence, and among them the one written last. But if another object of the same generation
   * has a higher timeline of the same cluster, the write of the others failed, and this one names
   * the primary. A later generation is an operator's decision, and replaces both.
   *
   * <p>The read-only objects keep a copy. One that cannot be read is reported, but ignored while
   * the read-write objects have a line.
   */
  public LastPublished published(ObservedService readWrite, ObservedService readOnly) {
    List<Remembered> first = remembered(readWrite);
    List<Remembered> copies = remembered(readOnly);
    if (first.stream().anyMatch(Remembered::hasLine)
        && first.stream().allMatch(object -> object.faults().isEmpty())) {
      copies.stream().flatMap(copy -> copy.faults().stream()).forEach(this::warn);
      copies = copies.stream().filter(copy -> copy.faults().isEmpty()).toList();
    }
    List<Remembered> objects = Stream.of(first, copies).flatMap(List::stream).toList();
    Remembered newest = null;
    String identifier = null;
    long timeline = 0;
    long generation = 0;
    for (Remembered object : objects) {
      if (object.generation() > generation) {
        generation = object.generation();
        identifier = object.identifier();
        timeline = object.timeline();
        newest = object;
      } else if (object.generation() == generation) {
        identifier = identifier == null ? object.identifier() : identifier;
        boolean sameCluster = object.identifier() == null || object.identifier().equals(identifier);
        if (sameCluster && object.timeline() > timeline) {
          timeline = object.timeline();
          newest = object;
        }
      }
    }
    return new LastPublished(
        primary(newest, objects, identifier, timeline, readWrite),
        identifier,
        readWrite.publishedEndpoints(),
        readOnly.publishedEndpoints(),
        generation,
        objects(readWrite, readOnly).stream().anyMatch(StoredTopologyReader::isPaused),
        objects.stream().flatMap(object -> object.faults().stream()).toList());
  }

  private void warn(String fault) {
    warnings.accept(fault + "; it is ignored, because the read-write Service's objects are valid");
  }

  private List<Remembered> remembered(ObservedService observed) {
    return observed.remembering().stream().map(this::remembered).toList();
  }

  private Remembered remembered(HasMetadata object) {
    List<String> faults = new ArrayList<>();
    String identifier =
        text(object, Annotations.SYSTEM_IDENTIFIER, Line.MAX_SYSTEM_IDENTIFIER, faults);
    long timeline = number(object, Annotations.TIMELINE, MAX_TIMELINE, faults);
    long generation = number(object, Annotations.GENERATION, MAX_LONG, faults);
    long startedAt = number(object, Annotations.STARTED_AT, MAX_LONG, faults);
    return new Remembered(
        object,
        identifier,
        timeline,
        begin(object, faults),
        entries(object, faults),
        startedAt == 0 ? null : startedAt,
        generation,
        List.copyOf(faults));
  }

  private PublishedPrimary primary(
      Remembered newest,
      List<Remembered> objects,
      String identifier,
      long timeline,
      ObservedService readWrite) {
    List<HasMetadata> newestFirst =
        Stream.concat(Stream.ofNullable(newest), objects.stream()).map(Remembered::object).toList();
    Line line = timeline == 0 ? null : new Line(identifier, timeline, newest.begin());
    return new PublishedPrimary(
        line,
        entries(newest, readWrite, newestFirst),
        first(Annotations.PRIMARY, newestFirst),
        newest == null ? null : newest.startedAt());
  }

  /**
   * Returns the stored entries, or else where the read-write Service routes to, or else the primary
   * in last-topology. A stored start time identifies the server without entries: then there are
   * none, since an operator who edited the address may have meant another server.
   */
  private List<String> entries(
      Remembered newest, ObservedService readWrite, List<HasMetadata> newestFirst) {
    if (newest != null && newest.entries() != null) {
      return newest.entries();
    }
    if (newest != null && newest.startedAt() != null) {
      return List.of();
    }
    return readWrite.publishedEndpoints().isEmpty()
        ? Stream.ofNullable(primaryEndpoint(first(Annotations.LAST_TOPOLOGY, newestFirst))).toList()
        : List.copyOf(readWrite.publishedEndpoints());
  }

  private List<String> entries(HasMetadata object, List<String> faults) {
    String stored = ObservedService.annotation(object, Annotations.ENTRIES);
    if (stored == null) {
      return null;
    }
    try {
      List<Node> nodes = NodeList.parse(stored, defaultPort, true).nodes();
      if (nodes.stream().allMatch(node -> Addresses.isAddress(node.host()))) {
        return nodes.stream().map(Node::hostAndPort).toList();
      }
    } catch (IllegalArgumentException e) {
      // A fault, like a host name.
    }
    faults.add(fault(object, Annotations.ENTRIES, stored, "ip:port, separated by commas"));
    return null;
  }

  private static Lsn begin(HasMetadata object, List<String> faults) {
    String text = ObservedService.annotation(object, Annotations.BEGIN);
    try {
      return Lsn.of(text);
    } catch (IllegalArgumentException e) {
      faults.add(fault(object, Annotations.BEGIN, text, "an LSN such as 0/5000060"));
      return null;
    }
  }

  /**
   * Returns the known nodes, for a run without PG_NODES: from the annotation {@code
   * postgres.discovery/nodes}, or else from last-topology.
   *
   * @return empty if both are missing
   * @throws IllegalArgumentException if what is there cannot be read
   */
  public List<Node> nodes(ObservedService readWrite, ObservedService readOnly) {
    List<HasMetadata> objects = objects(readWrite, readOnly);
    String nodes = first(Annotations.NODES, objects);
    if (nodes != null) {
      return NodeList.parse(nodes, defaultPort, allowLoopback).nodes();
    }
    String topology = first(Annotations.LAST_TOPOLOGY, objects);
    return topology == null ? List.of() : Signature.nodes(topology, defaultPort, allowLoopback);
  }

  private static List<HasMetadata> objects(ObservedService readWrite, ObservedService readOnly) {
    return Stream.of(readWrite, readOnly)
        .flatMap(observed -> observed.remembering().stream())
        .toList();
  }

  private static String first(String annotation, List<HasMetadata> objects) {
    return objects.stream()
        .map(object -> ObservedService.annotation(object, annotation))
        .filter(value -> value != null)
        .findFirst()
        .orElse(null);
  }

  /** Returns null for a signature of the Python original with nodes that NodeList cannot parse. */
  private String primaryEndpoint(String signature) {
    if (signature == null) {
      return null;
    }
    try {
      return Signature.nodes(signature, defaultPort, true).get(0).hostAndPort();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Returns the number in an annotation; 0 if it is missing or a fault. */
  private static long number(
      HasMetadata object, String annotation, BigInteger max, List<String> faults) {
    String number = text(object, annotation, max, faults);
    return number == null ? 0 : Long.parseLong(number);
  }

  private static String text(
      HasMetadata object, String annotation, BigInteger max, List<String> faults) {
    String text = ObservedService.annotation(object, annotation);
    if (text == null) {
      return null;
    }
    if (Line.isNumber(text, max)) {
      return text;
    }
    faults.add(fault(object, annotation, text, "a number from 1 to " + max));
    return null;
  }

  private static String fault(HasMetadata object, String annotation, String text, String allowed) {
    return "%s %s has the annotation %s: '%s'; allowed: %s"
        .formatted(
            object.getKind(), object.getMetadata().getName(), annotation, cut(text), allowed);
  }

  private static String cut(String text) {
    return text.length() <= 40 ? text : text.substring(0, 39) + "…";
  }

  /** Any text but 'false' pauses, even an unknown one: it was meant to stop the program. */
  private static boolean isPaused(HasMetadata object) {
    String paused = ObservedService.annotation(object, Annotations.PAUSED);
    return paused != null && !Set.of("", "false").contains(paused.toLowerCase(Locale.ROOT));
  }
}
