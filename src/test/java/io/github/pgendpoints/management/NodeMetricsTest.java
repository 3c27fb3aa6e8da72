package io.github.pgendpoints.management;

import static io.github.pgendpoints.topology.Nodes.AT;
import static io.github.pgendpoints.topology.Nodes.primaryAt;
import static io.github.pgendpoints.topology.Nodes.standbyAt;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Topology;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class NodeMetricsTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final NodeMetrics metrics = new NodeMetrics(registry);
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger micrometer = (Logger) LoggerFactory.getLogger("io.micrometer");

  @BeforeEach
  void listen() {
    log.start();
    // Micrometer logs only the first failure of a gauge as a warning.
    micrometer.setLevel(Level.DEBUG);
    micrometer.setAdditive(false);
    micrometer.addAppender(log);
  }

  @AfterEach
  void stopListening() {
    micrometer.detachAppender(log);
    micrometer.setAdditive(true);
    micrometer.setLevel(null);
  }

  private static Topology topology(NodeState... nodes) {
    return new Topology(List.of(nodes), AT);
  }

  @Test
  void showsOfEachNodeWhatIsKnown() {
    metrics.update(
        topology(
            primaryAt("10.0.0.1", "0/3000060"),
            standbyAt("10.0.0.2", "0/3000000"),
            NodeState.down(Nodes.node("10.0.0.3"), "10.0.0.3", Failure.OTHER, "refused")),
        null);

    assertEquals(
        Map.of(
            "state primary 10.0.0.1", 1.0,
            "state standby 10.0.0.2", 1.0,
            "state down 10.0.0.3", 1.0,
            "timeline 10.0.0.1", 1.0,
            "receiver 10.0.0.2", 1.0),
        shown());
  }

  private Map<String, Double> shown() {
    return registry.getMeters().stream()
        .filter(meter -> ((Gauge) meter).value() != 0)
        .collect(
            Collectors.toMap(
                meter ->
                    Stream.of(
                            meter.getId().getName().replace("pgendpoints.node.", ""),
                            meter.getId().getTag("state"),
                            meter.getId().getTag("node"))
                        .filter(word -> word != null)
                        .collect(Collectors.joining(" ")),
                meter -> ((Gauge) meter).value(),
                (one, other) -> other,
                TreeMap::new));
  }

  /** A scrape during a cycle has a list of gauges that was made before. */
  @Test
  void aGaugeOfANodeThatIsListedNoLongerHasNoValue() {
    metrics.update(topology(primaryAt("10.0.0.1", "0/1"), standbyAt("10.0.0.2", "0/1")), null);
    List<Meter> before = registry.getMeters();

    metrics.update(topology(primaryAt("10.0.0.3", "0/1")), null);

    assertEquals(
        List.of(Double.NaN),
        before.stream().map(meter -> ((Gauge) meter).value()).distinct().toList());
    assertEquals(List.of(), log.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
  }
}
