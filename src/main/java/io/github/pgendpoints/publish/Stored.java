package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Signature;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Reads back what the objects of both Services remember. */
public final class Stored {
  private static final BigInteger MAX_TIMELINE = BigInteger.valueOf(0xFFFF_FFFFL);
  private static final BigInteger MAX_SYSTEM_IDENTIFIER =
      BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

  private final int defaultPort;
  private final boolean allowLoopback;

  /**
   * @param defaultPort PGPORT: the one that signatures leave out
   */
  public Stored(int defaultPort, boolean allowLoopback) {
    this.defaultPort = defaultPort;
    this.allowLoopback = allowLoopback;
  }

  /**
   * The last verified topology. The read-write objects are written first, so they have the say, and
   * of several of them the one written last. But where another object has a higher timeline of the
   * same cluster, the write of the others failed, and the primary of that timeline is the one that
   * it names.
   */
  public Published published(Actual readWrite, Actual readOnly) {
    List<String> faults = new ArrayList<>();
    List<HasMetadata> objects = objects(readWrite, readOnly);
    String identifier = null;
    long timeline = 0;
    HasMetadata newest = null;
    for (HasMetadata object : objects) {
      String its = identifier(object, faults);
      long itsTimeline = timeline(object, faults);
      identifier = identifier == null ? its : identifier;
      if ((its == null || its.equals(identifier)) && itsTimeline > timeline) {
        timeline = itsTimeline;
        newest = object;
      }
    }
    List<HasMetadata> newestFirst =
        Stream.concat(Stream.ofNullable(newest), objects.stream()).toList();
    return new Published(
        identifier,
        timeline,
        first(Annotations.PRIMARY, newestFirst),
        primaryEndpoint(first(Annotations.LAST_TOPOLOGY, newestFirst)),
        readOnly.publishedEndpoints(),
        readWrite.remembering().stream().anyMatch(Stored::isPaused),
        faults);
  }

  /**
   * The known nodes, for a run without PG_NODES: from the annotation {@code
   * postgres.discovery/nodes}, else from last-topology.
   *
   * @return empty when neither is there
   * @throws IllegalArgumentException when what is there cannot be read
   */
  public List<Node> nodes(Actual readWrite, Actual readOnly) {
    List<HasMetadata> objects = objects(readWrite, readOnly);
    String nodes = first(Annotations.NODES, objects);
    if (nodes != null) {
      return NodeList.parse(nodes, defaultPort, allowLoopback).nodes();
    }
    String topology = first(Annotations.LAST_TOPOLOGY, objects);
    return topology == null ? List.of() : Signature.nodes(topology, defaultPort, allowLoopback);
  }

  private static List<HasMetadata> objects(Actual readWrite, Actual readOnly) {
    return Stream.of(readWrite, readOnly).flatMap(actual -> actual.remembering().stream()).toList();
  }

  private static String first(String annotation, List<HasMetadata> objects) {
    return objects.stream()
        .map(object -> Actual.annotation(object, annotation))
        .filter(value -> value != null)
        .findFirst()
        .orElse(null);
  }

  /** The original's signatures may name nodes as no list of ours would: then it is not known. */
  private String primaryEndpoint(String signature) {
    if (signature == null) {
      return null;
    }
    try {
      Node primary = Signature.nodes(signature, defaultPort, true).get(0);
      return Addresses.withPort(primary.host(), primary.port(), -1);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static String identifier(HasMetadata object, List<String> faults) {
    return number(object, Annotations.SYSTEM_IDENTIFIER, MAX_SYSTEM_IDENTIFIER, faults);
  }

  private static long timeline(HasMetadata object, List<String> faults) {
    String number = number(object, Annotations.TIMELINE, MAX_TIMELINE, faults);
    return number == null ? 0 : Long.parseLong(number);
  }

  /** The number an annotation holds; null when it is not there, or a fault. */
  private static String number(
      HasMetadata object, String annotation, BigInteger max, List<String> faults) {
    String text = Actual.annotation(object, annotation);
    if (text == null) {
      return null;
    }
    if (text.matches("[1-9][0-9]{0,19}") && new BigInteger(text).compareTo(max) <= 0) {
      return text;
    }
    faults.add(
        "%s %s has the annotation %s: '%s'; allowed: a number from 1 to %s"
            .formatted(
                object.getKind(), object.getMetadata().getName(), annotation, cut(text), max));
    return null;
  }

  private static String cut(String text) {
    return text.length() <= 40 ? text : text.substring(0, 39) + "…";
  }

  /** Whoever wrote anything but 'false' there meant to stop us. */
  private static boolean isPaused(HasMetadata object) {
    String paused = Actual.annotation(object, Annotations.PAUSED);
    return paused != null && !Set.of("", "false").contains(paused.toLowerCase(Locale.ROOT));
  }
}
