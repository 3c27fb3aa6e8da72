package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.topology.NodeList;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Signature;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Turns a verified topology into the Endpoints of the two Services. */
public final class Publisher {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxxx");

  private final String rwService;
  private final String roService;
  private final String portName;
  private final int defaultPort;
  private final Clock clock;

  /**
   * @param defaultPort PGPORT: the one that signatures leave out
   * @param clock tells the time of a write
   */
  public Publisher(
      String rwService, String roService, String portName, int defaultPort, Clock clock) {
    this.rwService = rwService;
    this.roService = roService;
    this.portName = portName;
    this.defaultPort = defaultPort;
    this.clock = clock;
  }

  /** Name of the read-write Service. */
  public String rwService() {
    return rwService;
  }

  /** Name of the read-only Service. */
  public String roService() {
    return roService;
  }

  /** The primary behind the read-write Service. */
  public Publication readWrite(Topology topology, ReadOnly readOnly, Endpoints actual) {
    return publication(rwService, List.of(topology.primary()), state(topology, readOnly), actual);
  }

  /** The standbys behind the read-only Service. */
  public Publication readOnly(Topology topology, ReadOnly readOnly, Endpoints actual) {
    return publication(roService, readOnly.members(), state(topology, readOnly), actual);
  }

  /** Nothing behind the read-write Service; what is stored stays. */
  public Publication cleared(Endpoints actual) {
    return publication(rwService, List.of(), Map.of(), actual);
  }

  private Publication publication(
      String service, List<NodeState> nodes, Map<String, String> state, Endpoints actual) {
    return new Publication(service, Subsets.of(nodes, portName), state, actual, 0);
  }

  /** What is stored of a topology. What a node may not tell us leaves the stored value as it is. */
  private Map<String, String> state(Topology topology, ReadOnly readOnly) {
    NodeState primary = topology.primary();
    Map<String, String> state = new TreeMap<>();
    state.put(Annotations.LAST_TOPOLOGY, Signature.of(primary, readOnly.standbys(), defaultPort));
    state.put(
        Annotations.NODES, NodeList.text(topology.nodes().stream().map(NodeState::node).toList()));
    state.put(Annotations.PRIMARY, primary.node().name());
    if (primary.server().systemIdentifier() != null) {
      state.put(Annotations.SYSTEM_IDENTIFIER, primary.server().systemIdentifier());
    }
    if (primary.server().timeline() != null) {
      state.put(Annotations.TIMELINE, String.valueOf(primary.server().timeline()));
    }
    return state;
  }

  /**
   * The annotations to write now; the time is spelled as the original's {@code
   * datetime.now(timezone.utc).isoformat()}.
   */
  public Map<String, String> annotations(Publication publication) {
    Map<String, String> annotations = new TreeMap<>(publication.state());
    if (!annotations.isEmpty()) {
      annotations.put(
          Annotations.LAST_UPDATE, TIME.format(clock.instant().atOffset(ZoneOffset.UTC)));
    }
    return annotations;
  }
}
