package io.github.pgendpoints.management;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.PackagedProgram;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests what Hawtio and other clients on loopback can see and do. */
@Tag("long")
@ManagerTest(cluster = ManagerTest.Cluster.SHARED)
class JolokiaIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CONTEXT =
      "org.apache.camel:context=postgres-endpoint-manager,type=context,name=\"postgres-endpoint-manager\"";

  @TempDir private Path temporary;
  private final PostgresCluster cluster;
  private final FakeApiServer api;
  private final int port = Http.freePort();

  JolokiaIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void countsWhatTheRoutesDo() throws IOException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);
      for (String route : List.of("cycle", "probe", "verify", "publish")) {
        until(() -> read(route(route), "ExchangesTotal").asLong() > 1);
      }
      assertTrue(read(route("probe"), "Description").asText().startsWith("The probe of one node"));
    }
  }

  /** Hawtio's diagrams name a step by its id only if the id is marked as custom. */
  @Test
  void marksTheIdsThatTheRoutesGiveToSteps() throws IOException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);

      String dump = execute(CONTEXT, "dumpRoutesAsXml()").get("value").asText();

      for (String step :
          List.of("to id=\"read-services", "when id=\"split-brain", "doTry id=\"whole-cycle")) {
        assertTrue(dump.contains("<" + step + "\" customId=\"true\""), dump);
      }
      assertTrue(dump.matches("(?s).*<route id=\"cycle\" (?!customId).*"), dump);
      assertTrue(dump.matches("(?s).*<from id=\"[^\"]*\" (?!customId).*"), dump);
    }
  }

  @Test
  void stopsAndStartsARoute() throws IOException {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);

      assertEquals(200, execute(route("cycle"), "stop()").get("status").asInt());
      assertEquals("Stopped", read(route("cycle"), "State").asText());
      assertEquals(200, execute(route("cycle"), "start()").get("status").asInt());
      assertEquals("Started", read(route("cycle"), "State").asText());
      long now = read(route("cycle"), "ExchangesTotal").asLong();
      until(() -> read(route("cycle"), "ExchangesTotal").asLong() > now);
    }
  }

  @Test
  void goesOnWithoutThePortWhenItIsTaken() throws IOException {
    try (ServerSocket other = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"));
        Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);

      assertEquals(
          1,
          run.logged("WARN JOLOKIA_PORT " + other.getLocalPort() + " cannot be opened").size(),
          run.log().toString());
    }
  }

  @Test
  void hasNoMBeansWhenItIsOffNorInOneCycle() throws JMException {
    try (Run run = run().with("JOLOKIA_PORT", "off").start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);
      assertEquals(0, camelMBeans());
    }
    cluster.servers().get(0).freeze();
    try (Run run = run().start(Mode.ONCE)) {
      until(() -> api.calls().size() >= 2);
      assertEquals(0, camelMBeans());
      assertEquals(-1, new Http(port).status("GET", "/jolokia"));
      assertEquals(List.of(), run.logged("JOLOKIA_PORT"));
    } finally {
      cluster.servers().get(0).thaw();
    }
  }

  private static int camelMBeans() throws JMException {
    return ManagementFactory.getPlatformMBeanServer()
        .queryNames(new ObjectName("org.apache.camel:*"), null)
        .size();
  }

  @Test
  void noMBeanKnowsASecret() throws Exception {
    try (Run run = run().start(Mode.CONTINUOUS)) {
      until(() -> run.logged("topology verified").size() == 1);

      String everything = everyAttribute() + everyDump();

      assertTrue(everything.contains("direct://read"));
      assertTrue(everything.contains("DirectConsumer"));
      assertNone(everything, PostgresCluster.PASSWORD, "fake-token");
    }
  }

  private static String everyAttribute() throws JMException {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    StringBuilder text = new StringBuilder();
    for (ObjectName name : server.queryNames(null, null)) {
      text.append(name).append('\n');
      for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
        try {
          append(text, server.getAttribute(name, attribute.getName()));
        } catch (JMException | RuntimeException e) {
          text.append(e);
        }
      }
    }
    return text.toString();
  }

  private static void append(StringBuilder text, Object value) {
    if (value instanceof TabularData table) {
      table.values().forEach(row -> append(text, row));
    } else if (value instanceof CompositeData row) {
      row.values().forEach(cell -> append(text, cell));
    } else if (value instanceof Object[] array) {
      Stream.of(array).forEach(element -> append(text, element));
    } else {
      text.append(value).append('\n');
    }
  }

  private static String everyDump() throws JMException {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    ObjectName context = new ObjectName(CONTEXT);
    String[] oneBoolean = {"boolean"};
    return ""
        + server.invoke(context, "dumpRoutesAsXml", new Object[] {true}, oneBoolean)
        + server.invoke(
            context,
            "dumpRoutesStatsAsXml",
            new Object[] {true, true},
            new String[] {"boolean", "boolean"});
  }

  /** Runs the packaged program with every secret that it accepts. */
  @Test
  void showsNoSecretOfTheProgram() throws Exception {
    try (Program program =
        PackagedProgram.original()
            .copiedTo(temporary.resolve("home"))
            .allowLoopback()
            .program(cluster, api.kubeconfig(temporary.resolve("kubeconfig")))
            .with("MANAGEMENT_PORT", "off")
            .with("JOLOKIA_PORT", String.valueOf(port))
            .with("ALERT_SINKS", "webhook")
            .with("ALERT_WEBHOOK_URL", "https://127.0.0.1:1/T0?a=Webhook-Secret-1")
            .start()) {
      until(() -> program.err().contains("topology verified"));

      String everything =
          "%s%s%s%s%s"
              .formatted(
                  post(Map.of("type", "list")),
                  post(Map.of("type", "search", "mbean", "*:*")),
                  post(
                      Map.of(
                          "type", "read", "mbean", "*:*", "config", Map.of("ignoreErrors", true))),
                  execute(CONTEXT, "dumpRoutesAsXml(boolean)", true),
                  execute(
                      "java.lang:type=Threading", "dumpAllThreads(boolean,boolean)", true, true));

      // The answers cover the right places.
      for (String there :
          List.of("SystemProperties", "InputArguments", "threadName", "direct://read")) {
        assertTrue(everything.contains(there), there);
      }
      assertNone(everything, PostgresCluster.PASSWORD, "fake-token", "Webhook-Secret-1");
    }
  }

  private static void assertNone(String everything, String... secrets) {
    for (String secret : secrets) {
      int at = everything.indexOf(secret);
      assertTrue(
          at < 0,
          () ->
              "shows %s: %s"
                  .formatted(
                      secret,
                      everything.substring(
                          Math.max(0, at - 300), Math.min(everything.length(), at + 100))));
    }
  }

  private Run run() {
    return new Run(cluster, api)
        .with("PROBE_INTERVAL", "100ms")
        .with("JOLOKIA_PORT", String.valueOf(port));
  }

  private static String route(String id) {
    return CONTEXT
        .replace("type=context", "type=routes")
        .replaceFirst("name=.*", "name=\"" + id + "\"");
  }

  private JsonNode read(String mbean, String attribute) throws IOException {
    return post(Map.of("type", "read", "mbean", mbean, "attribute", attribute)).path("value");
  }

  private JsonNode execute(String mbean, String operation, Object... arguments) throws IOException {
    return post(
        Map.of("type", "exec", "mbean", mbean, "operation", operation, "arguments", arguments));
  }

  private JsonNode post(Map<String, Object> request) throws IOException {
    return JSON.readTree(new Http(port).post("/jolokia", JSON.writeValueAsString(request)).body());
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50)).until(condition);
  }
}
