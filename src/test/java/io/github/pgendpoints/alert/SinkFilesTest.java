package io.github.pgendpoints.alert;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.fabric8.kubernetes.api.model.Event;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.RouteFiles;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** Valid and invalid files in routes/alerts, beside the real routes. The node is down. */
class SinkFilesTest {
  @TempDir private Path home;
  private final FakeApiServer api = new FakeApiServer("db", true).start();
  private RouteFiles routes;

  @BeforeEach
  void copyRoutes() throws IOException {
    Received.clear();
    routes = RouteFiles.copiedTo(home);
    Files.createDirectory(routes.file("alerts"));
  }

  @AfterEach
  void stopApi() {
    api.close();
  }

  private Run run() {
    return new Run(api).in(home).with("PG_NODES", "127.0.0.1").with("PGPORT", "1");
  }

  private void sink(String file, String text) throws IOException {
    Files.writeString(routes.file("alerts").resolve(file), text);
  }

  /** Returns a sink that calls a method of {@link Received} for each alert. */
  private static String calling(String name, String method) {
    return """
    - route:
        id: %s
        from:
          uri: alerts:all
          steps:
            - bean:
                beanType: io.github.pgendpoints.alert.Received
                method: %s
    """
        .formatted(name, method);
  }

  private static String taking(String name) {
    return calling(name, "take('%s', ${body})".formatted(name));
  }

  @Test
  void runSendsAllAlertsInOrderToAllSinks() throws IOException {
    sink("a.camel.yaml", taking("a"));
    sink("b.camel.yaml", taking("b"));

    try (Run run = run()) {
      assertEquals(1, run.once(), run.log().toString());
      List<String> said = run.log().stream().map(line -> line.split(" ", 2)[1]).toList();
      assertTrue(said.size() >= 2, said.toString());
      assertEquals(said, Received.by("a"));
      assertEquals(said, Received.by("b"));
    }
  }

  /** As in a copy of a shipped sink in which only the id of the route is changed. */
  @Test
  void sinksMayHaveStepsWithTheSameId() throws IOException {
    sink("a.camel.yaml", taking("a").replace("bean:", "bean:\n            id: same"));
    sink("b.camel.yaml", taking("b").replace("bean:", "bean:\n            id: same"));

    try (Run run = run()) {
      assertEquals(1, run.once(), run.log().toString());
      assertEquals(Received.by("a"), Received.by("b"));
      assertEquals(List.of(), run.logged("left out"));
    }
  }

  private static String inFilter(String steps) {
    return """
    - route:
        from:
          uri: alerts:all
          steps:
            - filter:
                expression: {simple: {expression: "${body.kind} == 'NoPrimary'"}}
                steps:
    """
        + steps.indent(12);
  }

  static Stream<Arguments> faults() {
    String step = taking("x") + "        - to:\n            uri: ";
    return Stream.of(
        Arguments.of(
            taking("x").replace(":all", ":some"), "line 4: the alert channel is alerts:all"),
        Arguments.of(taking("x").replace("steps", "stepz"), "line 6: Unsupported field: stepz"),
        Arguments.of("- route:\n    id: [\n", "line 3: while parsing a flow node"),
        Arguments.of(Named.of("brackets", "[".repeat(20_000)), "StackOverflowError"),
        Arguments.of("hello\n", "there is no route in it"),
        Arguments.of("", "Resource is empty"),
        Arguments.of(step + "kafka:x\n", "line 9: No endpoint could be found for: kafka://x"),
        Arguments.of(
            inFilter("- to:\n    uri: log:a\n- to:\n    uri: htttp:on-call\n"),
            "line 10: No endpoint could be found for: htttp://on-call"),
        Arguments.of(
            inFilter("- log:\n    message: a\n- bean:\n    ref: console\n    method: nosuch\n"),
            "line 10: Method with name: nosuch not found on bean"),
        Arguments.of(
            step + "log:x?nosuch=sekret\n",
            "line 9: Failed to resolve endpoint: log://x/*** due to: There are 1 parameters"),
        Arguments.of(step + "log:{{nosuch}}\n", "line 9: Property with key [nosuch] not found"),
        Arguments.of(taking("x").replace("bean:", "been:"), "line 6: Unknown node id: been"),
        Arguments.of(
            taking("x").replace("  from:", "  routeConfigurationId: snik\n    from:"),
            "route x has the routeConfigurationId snik, allowed: kubernetes, one-cycle, query, sink, step"),
        Arguments.of(
            taking("cycle"),
            "there is another route with the id cycle in 10-cycle.camel.yaml, choose a unique id"),
        Arguments.of(
            taking("x") + taking("x"), "there is another route with the id x in a.camel.yaml"),
        Arguments.of(
            step + "direct:post-jsn\n",
            "line 9: route x sends to direct:post-jsn, but no route starts from it; allowed: direct:"),
        Arguments.of(
            taking("x") + "        - wireTap:\n            uri: direct://post-jsn?timeout=1\n",
            "line 9: route x sends to direct:post-jsn, but no route starts from it; allowed: direct:"),
        Arguments.of(
            taking("x").replace(":all", ":all?onyl=sekret"),
            "line 4: alerts:all has no parameter onyl, allowed: needs, only, queue"),
        Arguments.of(
            taking("x")
                .replace(":all", ":all\n      parameters: {needs: B_URL, C?, only: trouble}"),
            "line 4: alerts:all has no parameter C?, allowed: needs, only, queue"),
        Arguments.of(taking("x").replace(":all", ":all?needs=A_URL"), "line 4: A_URL is not set"),
        Arguments.of(taking("x").replace(":all", ":all?needs=B_URL"), "line 4: B_URL is not a URL"),
        Arguments.of(
            taking("x").replace(":all", ":all?needs=C"),
            "line 4: C_FILE='/nosuch' is not a readable file"),
        Arguments.of(
            taking("x").replace(":all", ":all?needs=D"),
            "line 4: D_FILE is not the path of a readable file"),
        Arguments.of(
            taking("x").replace("Received", "Nosuch"),
            "line 6: ClassNotFoundException: io.github.pgendpoints.alert.Nosuch"));
  }

  @Test
  void faultCreatesOneEventAcrossRuns() throws IOException {
    sink("a.camel.yaml", "hello\n");
    for (int i = 0; i < 2; i++) {
      try (Run run = run().with("PROBE_INTERVAL", "100ms").start(Mode.CONTINUOUS)) {
        await().until(() -> !run.logged("alert sink").isEmpty());
        await().until(() -> !api.list(Event.class).isEmpty());
      }
    }

    assertEquals(1, api.list(Event.class).size());
    Event event = api.list(Event.class).get(0);
    assertEquals("pg-rw", event.getInvolvedObject().getName());
    assertEquals("Warning", event.getType());
    assertEquals("SinkLeftOut", event.getReason());
    assertEquals(
        "alert sink routes/alerts/a.camel.yaml is left out, there is no route in it",
        event.getMessage());
  }

  @Test
  void reportsEnabledSinkWithoutFile() throws IOException {
    sink("slack.camel.yaml", taking("slack"));

    try (Run run = run().with("ALERT_SINKS", "webhook,slack")) {
      assertEquals(1, run.once());
      assertEquals(2, Received.by("slack").size(), run.log().toString());
      assertEquals(
          List.of(
              "ERROR alert sink routes/alerts/webhook.camel.yaml is left out,"
                  + " ALERT_SINKS names it, but there is no such file"),
          run.logged("sink"));
      assertEquals(1, api.list(Event.class).size());
    }
  }

  @Test
  void unreadableFolderDisablesOnlySinks() throws IOException {
    sink("a.camel.yaml", taking("a"));
    Path alerts = routes.file("alerts");
    Files.setPosixFilePermissions(alerts, Set.of());
    assumeFalse(Files.isReadable(alerts), "this user may read every folder");

    try (Run run = run().with("ALERT_SINKS", "webhook")) {
      assertEquals(1, run.once(), run.log().toString());
      assertEquals(
          List.of(
              "ERROR alert sinks cannot be listed: %s cannot be read: permission denied"
                  .formatted(alerts)),
          run.logged("sink"));
    } finally {
      Files.setPosixFilePermissions(alerts, PosixFilePermissions.fromString("rwx------"));
    }
  }

  @Test
  void aFaultOfAMainRouteNamesFileAndLine() throws IOException {
    routes.set("plan-clear", "/expression/method/method", "nosuch");
    String text = Files.readString(routes.file("30-verify.camel.yaml"));
    int step = text.lastIndexOf("- setBody:", text.indexOf("plan-clear"));
    long line = text.substring(0, step).lines().count();

    try (Run run = run()) {
      assertEquals(2, run.once());
      String told = run.logged("ERROR cannot start").get(0);
      assertTrue(told.contains(": 30-verify.camel.yaml, line " + line + ": "), told);
    }
  }

  @Test
  void missingConfigurationIsMainRouteFault() throws IOException {
    routes.set("write", "/routeConfigurationId", "k8s");

    try (Run run = run()) {
      assertEquals(2, run.once());
      String told = run.logged("ERROR cannot start").get(0);
      assertTrue(
          told.matches(
              "ERROR cannot start: 40-publish.camel.yaml, line \\d+: route write has the"
                  + " routeConfigurationId k8s, allowed: kubernetes, one-cycle, query, sink, step"),
          told);
    }
  }

  @Test
  void aTargetThatIsNotThereIsAFaultOfAMainRoute() throws IOException {
    routes.set("unreadable", "/steps/0/to/uri", "direct:refuze");

    try (Run run = run()) {
      assertEquals(2, run.once());
      String told = run.logged("ERROR cannot start").get(0);
      assertTrue(
          told.matches(
              "ERROR cannot start: 30-verify.camel.yaml, line \\d+: route verify sends to"
                  + " direct:refuze, but no route starts from it; allowed: direct:.*, direct:refuse, .*"),
          told);
    }
  }

  @Test
  void twoMainRoutesWithOneIdAreNamedByTheirFiles() throws IOException {
    Files.copy(routes.file("50-alert.camel.yaml"), routes.file("60-own.camel.yaml"));

    try (Run run = run()) {
      assertEquals(2, run.once());
      assertEquals(
          List.of(
              "ERROR cannot start: 60-own.camel.yaml, line 2: there is another route with the"
                  + " id alert in 50-alert.camel.yaml, choose a unique id"),
          run.logged("ERROR"));
    }
  }

  @Test
  void aFolderWithoutConfigurationsIsToldOf() throws IOException {
    Files.delete(routes.file("00-errors.camel.yaml"));

    try (Run run = run()) {
      assertEquals(2, run.once());
      assertEquals(
          List.of(
              "ERROR cannot start: 10-cycle.camel.yaml, line 2: route cycle has the"
                  + " routeConfigurationId one-cycle, but no file has a routeConfiguration: is"
                  + " 00-errors.camel.yaml missing?"),
          run.logged("ERROR"));
    }
  }

  @ParameterizedTest
  @MethodSource("faults")
  void faultDisablesOnlyThatSink(String text, String told) throws IOException {
    sink("a.camel.yaml", text);
    sink("b.camel.yaml", taking("b"));

    try (Run run = run().with("B_URL", "hooks.invalid/sekret").with("C_FILE", "/nosuch")) {
      assertEquals(1, run.with("D_FILE", "hunter2sekret").once());
      assertEquals(2, Received.by("b").size(), run.log().toString());
      assertEquals(List.of(), Received.by("x"));
      List<String> faults = run.logged("ERROR alert sink");
      assertEquals(1, faults.size(), run.log().toString());
      assertTrue(
          faults
              .get(0)
              .startsWith("ERROR alert sink routes/alerts/a.camel.yaml is left out, " + told),
          faults.get(0));
      assertFalse(faults.get(0).contains("sekret"), faults.get(0));
    }
  }

  @Test
  void aSinkMaySendToAFileThatComesLater() throws IOException {
    sink(
        "a.camel.yaml",
        """
        - route:
            from:
              uri: alerts:all
              steps:
                - to: {uri: "direct:later"}
        """);
    sink("b.camel.yaml", taking("b").replace("alerts:all", "direct:later"));

    try (Run run = run()) {
      assertEquals(1, run.once());
      assertEquals(List.of(), run.logged("sink"));
      assertEquals(2, Received.by("b").size(), run.log().toString());
    }
  }

  @Test
  void sinkWithIdOfPendingSinkIsLeftOut() throws IOException {
    sink("a.camel.yaml", taking("x") + "        - to: {uri: 'direct:later'}\n");
    sink("b.camel.yaml", taking("x"));
    sink("c.camel.yaml", taking("c").replace("alerts:all", "direct:later"));

    try (Run run = run()) {
      assertEquals(1, run.once());
      assertEquals(
          List.of(
              "ERROR alert sink routes/alerts/b.camel.yaml is left out, there is another route"
                  + " with the id x in a.camel.yaml, choose a unique id"),
          run.logged("sink"));
      assertEquals(2, Received.by("x").size(), run.log().toString());
    }
  }

  @Test
  void aSinkThatNamesNoConfigurationFailsInOneLine() throws IOException {
    sink("a.camel.yaml", calling("a", "fail"));
    ListAppender<ILoggingEvent> camel = new ListAppender<>();
    Logger logger = (Logger) LoggerFactory.getLogger("org.apache.camel");
    camel.start();
    logger.addAppender(camel);

    try (Run run = run()) {
      assertEquals(1, run.once());
      assertEquals(2, run.logged("sink a").size(), run.log().toString());
    } finally {
      logger.detachAppender(camel);
    }
    assertEquals(
        List.of(),
        camel.list.stream()
            .filter(event -> event.getLevel().isGreaterOrEqual(Level.WARN))
            .map(ILoggingEvent::getFormattedMessage)
            .toList());
  }

  @Test
  void reportsAFailingSinkWithoutItsSecrets() throws IOException {
    sink("a.camel.yaml", calling("a", "fail"));
    sink("b.camel.yaml", taking("b"));

    try (Run run = run()) {
      assertEquals(1, run.once());
      assertEquals(2, Received.by("b").size(), run.log().toString());
      assertEquals(
          "ERROR alert sink a failed to deliver db/pg-rw/NodeDown/127.0.0.1:"
              + " no answer from https://hooks.invalid/***",
          run.logged("sink a").get(0));
    }
  }

  @Test
  void whatIsQueuedIsSentBeforeTheEnd() throws Exception {
    sink("a.camel.yaml", calling("a", "takeSlowly('a', ${body})"));

    Received.slow = new CountDownLatch(1);
    try (Run run = run().start(Mode.CONTINUOUS)) {
      await().atMost(Duration.ofSeconds(30)).until(() -> !run.logged("no primary").isEmpty());
      Thread end = new Thread(run::close);
      end.start();
      await().until(() -> run.manager().getCamelContext().isStopping());
      assertEquals(List.of(), Received.by("a"));
      Received.slow.countDown();
      end.join();
    }
    assertEquals(2, Received.by("a").size(), "sent after the end had begun");
  }

  @Test
  void reportsAlertsLostAtStop() throws IOException {
    sink("a.camel.yaml", calling("a", "hang"));
    sink("b.camel.yaml", taking("b"));

    Run run = run().start(Mode.CONTINUOUS);
    try (run) {
      await().atMost(Duration.ofSeconds(30)).until(() -> Received.by("b").size() == 2);
      assertEquals(List.of(), run.logged("sink"));
    }
    assertEquals(
        List.of(
            "ERROR alert sink a did not process 2 alert(s) before it was stopped: they are lost"),
        run.logged("sink"));
  }

  @Test
  void hangingProducerDelaysNoOtherSink() throws IOException {
    sink("a.camel.yaml", taking("a") + "        - to:\n            uri: hangs:up\n");
    sink("b.camel.yaml", taking("b"));

    try (Run run = run().bind("hangs", new HangingComponent()).start(Mode.CONTINUOUS)) {
      await().atMost(Duration.ofSeconds(30)).until(() -> Received.by("b").size() == 2);
      assertEquals(List.of(), run.logged("sink"));
    }
  }

  @Test
  void hangingSinkDropsOldestAlerts() throws IOException {
    int port = Http.freePort();
    sink("a.camel.yaml", calling("a", "hang").replace(":all", ":all?queue=1"));
    sink("b.camel.yaml", taking("b"));

    long end;
    try (Run run = run().with("PROBE_INTERVAL", "100ms").with("ALERT_REPEAT", "1s")) {
      run.with("MANAGEMENT_PORT", String.valueOf(port)).start(Mode.CONTINUOUS);
      await().until(() -> Received.by("b").size() >= 6);
      assertEquals(
          List.of(
              "ERROR alert sink a is too slow: its queue of 1 is full, the oldest alerts are dropped"),
          run.logged("sink a"));
      String metrics = new Http(port).get("/observe/metrics").body();
      assertTrue(metrics.contains("pgendpoints_alerts_sent_total{sink=\"a\"} 0.0"), metrics);
      assertFalse(metrics.contains("pgendpoints_alerts_dropped_total{sink=\"a\"} 0.0"), metrics);
      assertFalse(metrics.contains("pgendpoints_alerts_sent_total{sink=\"b\"} 0.0"), metrics);
      assertTrue(metrics.contains("pgendpoints_alerts_dropped_total{sink=\"b\"} 0.0"), metrics);
      end = System.nanoTime();
    }
    assertTrue(System.nanoTime() - end < 5_000_000_000L);
  }
}
