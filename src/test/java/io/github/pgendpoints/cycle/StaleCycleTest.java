package io.github.pgendpoints.cycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.RoutesContext;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.kubernetes.WriteGuard;
import io.github.pgendpoints.kubernetes.election.Leadership;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.ClientCheck;
import io.github.pgendpoints.publish.ClusterMemory;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.ObjectWrite;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.publish.StaleTopologyException;
import io.github.pgendpoints.publish.StateStore;
import io.github.pgendpoints.state.RememberedConditions;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.StandbyHysteresis;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests that a process delayed between probes and writes writes nothing and repeats the cycle. */
class StaleCycleTest {
  private final AtomicLong nanos = new AtomicLong(5);
  private final AtomicLong millis = new AtomicLong(1_700_000_000_000L);
  private final CycleAge age =
      new CycleAge(Duration.ofSeconds(20), nanos::get, millis::get, () -> 0);
  private final FakeApiServer api = new FakeApiServer("db").start();
  private final KubernetesClient client = api.client();
  private final Conditions conditions = TestConditions.create();
  private final List<Outcome> ended = new ArrayList<>();
  private final CycleSteps cycleSteps =
      new CycleSteps((result, reasons) -> ended.add(result.outcome()), () -> {});
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger logger = (Logger) org.slf4j.LoggerFactory.getLogger("io.github.pgendpoints");
  private final ProbeSchedule schedule =
      new ProbeSchedule(
          Duration.ofHours(1),
          Duration.ofHours(1),
          () -> true,
          () -> 0,
          () -> false,
          () -> {},
          System::nanoTime);
  private int saved;
  private final ClusterMemory memory =
      new ClusterMemory(
          Memory.empty(StandbyHysteresis.none()),
          new DecisionSettings(
              new Quorum(1), new ReadOnlyRules(null, false, false), Duration.ofSeconds(7)),
          new CountedStore(),
          Decision::decide);
  private final Cluster cluster = cluster();

  private Cluster cluster() {
    KubernetesErrors errors = new KubernetesErrors(client.getConfiguration());
    return new Cluster(
        "db",
        Mode.ONCE,
        false,
        false,
        schedule,
        Leadership.withoutElection(),
        null,
        null,
        null,
        null,
        memory,
        new Publisher("pg-rw", "pg-ro", "postgresql", 5432, false, Clock.systemUTC()),
        null,
        new ClientCheck(null, null, null, true, System::nanoTime, time -> {}),
        null,
        new ApiBudget(Duration.ofSeconds(3), System::nanoTime),
        age,
        conditions,
        new RememberedConditions(null, errors, conditions, true),
        new CycleHistory(),
        errors,
        Clock.systemUTC());
  }

  /** A store that keeps nothing and counts the writes. */
  private final class CountedStore implements StateStore {
    @Override
    public Memory read() {
      return Memory.empty(StandbyHysteresis.none());
    }

    @Override
    public void write(Memory written) {
      saved++;
    }

    @Override
    public void overwrite(Memory written) {
      saved++;
    }
  }

  @BeforeEach
  void start() {
    log.start();
    logger.addAppender(log);
  }

  @AfterEach
  void stop() {
    logger.detachAppender(log);
    api.close();
  }

  private void pass(Duration byNanos, Duration byMillis) {
    nanos.addAndGet(byNanos.toNanos());
    millis.addAndGet(byMillis.toMillis());
  }

  // --- how a stale cycle ends -------------------------------------------------------------------

  /** Runs a cycle with this delay before its write, and returns its alerts. */
  private List<String> cycle(Runnable held) {
    schedule.isDue();
    schedule.begin();
    Cycle cycle = cycleSteps.begin(cluster);
    held.run();
    Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    try {
      age.check(cycle.begun());
    } catch (StaleTopologyException e) {
      exchange.setProperty(Exchange.EXCEPTION_CAUGHT, e);
      cycleSteps.recordFailure(cycle, exchange);
    }
    List<String> alerts =
        cycleSteps.conclude(cluster, cycle, null, null, null, null, null, exchange).stream()
            .map(Alert::message)
            .toList();
    schedule.end();
    return alerts;
  }

  private List<String> warnings() {
    return log.list.stream()
        .filter(event -> event.getLevel().isGreaterOrEqual(Level.WARN))
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  @Test
  void theNextTickRunsTheCycleAgain() {
    assertEquals(List.of(), cycle(() -> pass(Duration.ZERO, Duration.ofMinutes(10))));

    assertTrue(schedule.isDue());
    assertEquals(List.of(), ended, "the cycle has no result yet");
    assertEquals(
        List.of(
            "the cycle began too long ago: 600 s, more than the 20 s it may take; nothing is written, and the nodes are probed again"),
        warnings());

    cycle(() -> {});

    assertEquals(1, ended.size());
    assertFalse(schedule.isDue());
  }

  @Test
  void aProcessThatIsHeldUpAgainAndAgainAlertsOnce() {
    Runnable held = () -> pass(Duration.ofSeconds(30), Duration.ZERO);

    assertEquals(List.of(), cycle(held));
    assertEquals(List.of(), cycle(held));
    assertEquals(List.of(), cycle(held));
    assertEquals(1, cycle(held).size());

    assertEquals(List.of(Outcome.CONFLICT), ended);
    assertEquals(1, warnings().size(), warnings().toString());
    assertFalse(schedule.isDue());
  }

  // --- what a stale cycle does not write --------------------------------------------------------

  @Test
  void stateIsNotWritten() throws Exception {
    Topology topology = Nodes.topology(Nodes.primary("10.0.0.1", 1));
    Cycle cycle = cycleSteps.begin(cluster);
    Verdict verdict = memory.decide(Nodes.published(1, "10.0.0.1"), topology);
    new RuleSteps().rememberRivals(cluster, cycle, verdict);
    assertEquals(1, saved);
    pass(Duration.ofSeconds(30), Duration.ZERO);

    assertThrows(
        StaleTopologyException.class,
        () -> new RuleSteps().rememberRivals(cluster, cycle, verdict));
    assertThrows(
        StaleTopologyException.class,
        () -> new RuleSteps().rememberPublished(cluster, cycle, verdict));
    assertEquals(1, saved);
  }

  /** Sends a write through the route {@code write}, and returns the failure. */
  private Exception write() {
    Endpoints endpoints =
        new EndpointsBuilder().withNewMetadata().withName("pg-rw").endMetadata().build();
    Cycle cycle = cycleSteps.begin(cluster);
    WriteGuard guard = exchange -> age.check(begun(exchange));
    try (RoutesContext routes = new RoutesContext(api).withBean("writeGuard", guard).start()) {
      return routes
          .camel()
          .createProducerTemplate()
          .send(
              "direct:write",
              exchange -> {
                exchange.setVariable("cluster", cluster);
                exchange.setVariable("cycle", cycle);
                exchange
                    .getMessage()
                    .setBody(new ObjectWrite("createEndpoints", endpoints, "pg-rw created"));
              })
          .getException();
    }
  }

  private static CycleAge.Moment begun(Exchange exchange) {
    return exchange.getVariable("cycle", Cycle.class).begun();
  }

  @Test
  void eachTryOfAWriteIsChecked() {
    api.fail(1, 503, "POST", "endpoints");
    api.beforeNext("POST", "endpoints", () -> pass(Duration.ofSeconds(30), Duration.ZERO));

    assertInstanceOf(StaleTopologyException.class, Outcome.cause(write()));

    assertEquals(1, api.calls().size());
  }

  @Test
  void aWriteThatIsInTimeIsTriedAgain() {
    api.fail(2, 503, "POST", "endpoints");

    assertNull(write());

    assertEquals(3, api.calls().size());
  }

  @Test
  void aWriteIsTriedAgainFourTimesAtMost() {
    api.fail(100, 503, "POST", "endpoints");

    assertInstanceOf(KubernetesClientException.class, write());

    assertEquals(5, api.calls().size());
  }

  @Test
  void aConflictIsNotTriedAgain() {
    api.fail(1, 409, "POST", "endpoints");

    assertInstanceOf(KubernetesClientException.class, write());

    assertEquals(1, api.calls().size());
  }
}
