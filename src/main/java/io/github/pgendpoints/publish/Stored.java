package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
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

/** Reads back what the Endpoints of both Services remember. */
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
   * The last verified topology. The read-write object is written first, so it has the say; but
   * where the read-only one has a higher timeline of the same cluster, the write of the other
   * failed, and the primary of that timeline is the one that the read-only one names.
   *
   * @param readWrite null when there are none
   * @param readOnly null when there are none
   */
  public Published published(Endpoints readWrite, Endpoints readOnly) {
    List<String> faults = new ArrayList<>();
    String identifier = identifier(readWrite, faults);
    String other = identifier(readOnly, faults);
    long timeline = timeline(readWrite, faults);
    long otherTimeline = timeline(readOnly, faults);
    boolean sameCluster = identifier == null || other == null || identifier.equals(other);
    boolean readOnlyIsNewer = sameCluster && otherTimeline > timeline;
    Endpoints newer = readOnlyIsNewer ? readOnly : readWrite;
    Endpoints older = readOnlyIsNewer ? readWrite : readOnly;
    return new Published(
        identifier == null ? other : identifier,
        readOnlyIsNewer ? otherTimeline : timeline,
        first(Annotations.PRIMARY, newer, older),
        primaryEndpoint(first(Annotations.LAST_TOPOLOGY, newer, older)),
        readOnly == null ? Set.of() : Subsets.endpoints(readOnly.getSubsets()),
        isPaused(readWrite),
        faults);
  }

  /**
   * The known nodes, for a run without PG_NODES: from the annotation {@code
   * postgres.discovery/nodes}, else from last-topology.
   *
   * @return empty when neither is there
   * @throws IllegalArgumentException when what is there cannot be read
   */
  public List<Node> nodes(Endpoints readWrite, Endpoints readOnly) {
    String nodes = first(Annotations.NODES, readWrite, readOnly);
    if (nodes != null) {
      return NodeList.parse(nodes, defaultPort, allowLoopback).nodes();
    }
    String topology = first(Annotations.LAST_TOPOLOGY, readWrite, readOnly);
    return topology == null ? List.of() : Signature.nodes(topology, defaultPort, allowLoopback);
  }

  private static String first(String annotation, Endpoints one, Endpoints other) {
    return Stream.of(
            Publication.annotation(one, annotation), Publication.annotation(other, annotation))
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

  private static String identifier(Endpoints endpoints, List<String> faults) {
    return number(endpoints, Annotations.SYSTEM_IDENTIFIER, MAX_SYSTEM_IDENTIFIER, faults);
  }

  private static long timeline(Endpoints endpoints, List<String> faults) {
    String number = number(endpoints, Annotations.TIMELINE, MAX_TIMELINE, faults);
    return number == null ? 0 : Long.parseLong(number);
  }

  /** The number an annotation holds; null when it is not there, or a fault. */
  private static String number(
      Endpoints endpoints, String annotation, BigInteger max, List<String> faults) {
    String text = Publication.annotation(endpoints, annotation);
    if (text == null) {
      return null;
    }
    if (text.matches("[1-9][0-9]{0,19}") && new BigInteger(text).compareTo(max) <= 0) {
      return text;
    }
    faults.add(
        "Endpoints %s has the annotation %s: '%s'; allowed: a number from 1 to %s"
            .formatted(endpoints.getMetadata().getName(), annotation, cut(text), max));
    return null;
  }

  private static String cut(String text) {
    return text.length() <= 40 ? text : text.substring(0, 39) + "…";
  }

  /** Whoever wrote anything but 'false' there meant to stop us. */
  private static boolean isPaused(Endpoints readWrite) {
    String paused = Publication.annotation(readWrite, Annotations.PAUSED);
    return paused != null && !Set.of("", "false").contains(paused.toLowerCase(Locale.ROOT));
  }
}
