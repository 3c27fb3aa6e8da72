package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Turns a verified topology into the Endpoints of the two Services, and reads them back. */
public final class Publisher {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxxx");

  private final String rwService;
  private final String roService;
  private final String portName;
  private final int defaultPort;
  private final boolean allowLoopback;
  private final Clock clock;

  /**
   * @param defaultPort PGPORT: the one that signatures leave out
   * @param clock tells the time of a write
   */
  public Publisher(
      String rwService,
      String roService,
      String portName,
      int defaultPort,
      boolean allowLoopback,
      Clock clock) {
    this.rwService = rwService;
    this.roService = roService;
    this.portName = portName;
    this.defaultPort = defaultPort;
    this.allowLoopback = allowLoopback;
    this.clock = clock;
  }

  /** The primary behind the read-write Service. */
  public Publication readWrite(Topology topology, Endpoints actual) {
    return publication(rwService, topology.primaries(), topology, actual);
  }

  /** The standbys behind the read-only Service. */
  public Publication readOnly(Topology topology, Endpoints actual) {
    return publication(roService, topology.standbys(), topology, actual);
  }

  private Publication publication(
      String service, List<NodeState> nodes, Topology topology, Endpoints actual) {
    Map<String, String> state =
        Map.of(
            Annotations.LAST_TOPOLOGY,
            Signature.of(topology, defaultPort),
            Annotations.NODES,
            NodeList.text(topology.nodes().stream().map(NodeState::node).toList()));
    return new Publication(service, Subsets.of(nodes, portName), state, actual, 0);
  }

  /**
   * The annotations to write now; the time is spelled as the original's {@code
   * datetime.now(timezone.utc).isoformat()}.
   */
  public Map<String, String> annotations(Publication publication) {
    Map<String, String> annotations = new TreeMap<>(publication.state());
    annotations.put(Annotations.LAST_UPDATE, TIME.format(clock.instant().atOffset(ZoneOffset.UTC)));
    return annotations;
  }

  /**
   * The nodes that the Endpoints remember, for a run without PG_NODES: from the annotation {@code
   * postgres.discovery/nodes}, else from last-topology, the read-write object before the other.
   *
   * @return empty when neither is there
   * @throws IllegalArgumentException when what is there cannot be read
   */
  public List<Node> storedNodes(Endpoints readWrite, Endpoints readOnly) {
    for (Endpoints endpoints : new Endpoints[] {readWrite, readOnly}) {
      String nodes = Publication.annotation(endpoints, Annotations.NODES);
      if (nodes != null) {
        return NodeList.parse(nodes, defaultPort, allowLoopback).nodes();
      }
    }
    for (Endpoints endpoints : new Endpoints[] {readWrite, readOnly}) {
      String topology = Publication.annotation(endpoints, Annotations.LAST_TOPOLOGY);
      if (topology != null) {
        return Signature.nodes(topology, defaultPort, allowLoopback);
      }
    }
    return List.of();
  }
}
