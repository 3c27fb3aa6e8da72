package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesComponent;
import io.github.pgendpoints.kubernetes.KubernetesEndpointsComponent;
import io.github.pgendpoints.kubernetes.KubernetesErrors;
import io.github.pgendpoints.kubernetes.WriteGuard;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.StaleTopologyException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What was true when a cycle began is not written when that is long ago. */
class CycleAgeTest {
  private final AtomicLong nanos = new AtomicLong(5);
  private final AtomicLong millis = new AtomicLong(1_700_000_000_000L);
  private final AtomicLong term = new AtomicLong(1);
  private final CycleAge age =
      new CycleAge(Duration.ofSeconds(20), nanos::get, millis::get, term::get);

  private void pass(Duration byNanos, Duration byMillis) {
    nanos.addAndGet(byNanos.toNanos());
    millis.addAndGet(byMillis.toMillis());
  }

  // --- the rule ---------------------------------------------------------------------------------

  @Test
  void lastsUpToTheLimit() {
    CycleAge.Moment begun = age.now();
    pass(Duration.ofSeconds(20), Duration.ofSeconds(20));

    assertDoesNotThrow(() -> age.check(begun));
    assertDoesNotThrow(() -> age.check(null), "no part of a cycle");
  }

  @Test
  void endsByTheClockThatGoesOnWhileTheMachineSleeps() {
    CycleAge.Moment begun = age.now();
    pass(Duration.ofSeconds(1), Duration.ofSeconds(21));

    assertEquals(
        "the cycle began 21 s ago, which is more than the 20 s it may take: nothing is written, and the nodes are asked again",
        assertThrows(StaleTopologyException.class, () -> age.check(begun)).getMessage());
  }

  @Test
  void endsByTheClockThatNobodySetsBack() {
    CycleAge.Moment begun = age.now();
    pass(Duration.ofSeconds(21), Duration.ofSeconds(-3600));

    assertThrows(StaleTopologyException.class, () -> age.check(begun));
  }

  /** Another replica may have led in between, and this one leads once more. */
  @Test
  void endsWithTheTermOfLeadershipInWhichItBegan() {
    CycleAge.Moment begun = age.now();
    term.incrementAndGet();

    assertEquals(
        "the cycle began in an earlier term of leadership: nothing is written, and the nodes are asked again",
        assertThrows(StaleTopologyException.class, () -> age.check(begun)).getMessage());
    assertDoesNotThrow(() -> age.check(age.now()));
  }

  // --- in the routes ----------------------------------------------------------------------------

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final Conditions conditions = TestConditions.create();
  private final ApiBudget budget = new ApiBudget(Duration.ofSeconds(3), System::nanoTime);
  private final AtomicInteger cycles = new AtomicInteger();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

  @BeforeEach
  void loadTheRoutes() throws Exception {
    for (String name : List.of("namespace", "rw.service", "ro.service")) {
      context.getPropertiesComponent().addInitialProperty(name, "db");
    }
    for (String name : List.of("overrule", "paused", "publish.slices", "cycles")) {
      context.getPropertiesComponent().addInitialProperty(name, "false");
    }
    KubernetesClient client = api.client();
    bind("kubernetesClient", client);
    bind("kubernetes-endpoints", new KubernetesEndpointsComponent());
    bind("kubernetes-endpoint-slices", new KubernetesEndpointSlicesComponent());
    bind("apiBudget", budget);
    bind("cycleAge", age);
    bind("conditions", conditions);
    bind("kubernetesErrors", new KubernetesErrors(client.getConfiguration(), conditions));
    bind(
        "writeGuard",
        (WriteGuard) exchange -> age.check(exchange.getProperty("begun", CycleAge.Moment.class)));
    for (String file : List.of("00-errors", "10-discover", "60-kubernetes")) {
      Path path = Path.of("routes", file + ".camel.yaml").toAbsolutePath();
      PluginHelper.getRoutesLoader(context)
          .loadRoutes(PluginHelper.getResourceLoader(context).resolveResource("file:" + path));
    }
    context.removeRouteDefinitions(
        context.getRouteDefinitions().stream()
            .filter(route -> !route.getRouteId().matches("cycle|(create|patch)-endpoints"))
            .toList());
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:read").process(exchange -> cycles.incrementAndGet());
            from("direct:ask").process(exchange -> {});
            from("direct:cycles")
                .setProperty("again", constant("true"))
                .loopDoWhile(simple("${exchangeProperty.again} == 'true'"))
                .to("direct:cycle");
            from("direct:verify")
                .errorHandler(noErrorHandler())
                .process(exchange -> asked.run())
                .setHeader("CamelKubernetesEndpointsName", constant("pg-rw"))
                .setHeader(
                    "CamelKubernetesEndpointsSubsets", constant(new Endpoints().getSubsets()))
                .setHeader("CamelKubernetesEndpointsLabels", simple("${null}"))
                .to("direct:patch-endpoints");
          }
        });
    context.start();
    log.start();
    root.addAppender(log);
  }

  /** What happens between the answers of the nodes and the write. */
  private Runnable asked = () -> {};

  private void bind(String name, Object bean) {
    context.getRegistry().bind(name, bean);
  }

  @AfterEach
  void stop() {
    root.detachAppender(log);
    context.stop();
    api.close();
  }

  private void cycle() {
    budget.renew();
    context.createProducerTemplate().sendBody("direct:cycles", null);
  }

  private long writes() {
    return api.calls().stream().filter(call -> !call.startsWith("GET ")).count();
  }

  private List<String> warnings() {
    return log.list.stream()
        .filter(event -> event.getLevel().isGreaterOrEqual(ch.qos.logback.classic.Level.WARN))
        .map(event -> event.getLevel() + " " + event.getFormattedMessage())
        .toList();
  }

  @Test
  void aProcessThatWasSuspendedBeforeTheWriteBeginsAnew() {
    asked =
        () -> {
          if (cycles.get() == 1) {
            pass(Duration.ZERO, Duration.ofMinutes(10));
          } else {
            assertEquals(0, writes(), "nothing of the first cycle");
          }
        };

    cycle();

    assertEquals(2, cycles.get(), () -> "" + conditions.news());
    assertTrue(writes() > 0);
    assertEquals(
        List.of(
            "WARN the cycle began 600 s ago, which is more than the 20 s it may take: nothing is written, and the nodes are asked again"),
        warnings());
    assertEquals(List.of(), conditions.news());
  }

  @Test
  void aCycleOfAnEarlierTermWritesNothingAndBeginsAnew() {
    asked =
        () -> {
          if (cycles.get() == 1) {
            term.incrementAndGet();
          } else {
            assertEquals(0, writes(), "nothing of the first cycle");
          }
        };

    cycle();

    assertEquals(2, cycles.get(), () -> "" + conditions.news());
    assertTrue(writes() > 0);
    assertEquals(
        List.of(
            "WARN the cycle began in an earlier term of leadership: nothing is written, and the nodes are asked again"),
        warnings());
  }

  /** The first try of the write fails, and the next one comes too late. */
  @Test
  void eachTryOfAWriteIsLookedAt() {
    api.put(
        new EndpointsBuilder()
            .withNewMetadata()
            .withNamespace("db")
            .withName("pg-rw")
            .endMetadata()
            .build());
    api.fail(1, 503, "PATCH", "endpoints");
    api.beforeNext("PATCH", "endpoints", () -> pass(Duration.ofSeconds(30), Duration.ZERO));

    cycle();

    assertEquals(2, cycles.get());
    assertEquals(2, writes(), "one try in each cycle");
    assertEquals(1, warnings().size(), warnings().toString());
  }

  @Test
  void aProcessThatIsHeldUpAgainAndAgainWritesNothingAndSaysSo() {
    asked = () -> pass(Duration.ofSeconds(30), Duration.ZERO);

    cycle();

    assertEquals(4, cycles.get());
    assertEquals(0, writes());
    assertEquals(1, conditions.news().size());
    assertEquals(1, warnings().size(), warnings().toString());
  }
}
