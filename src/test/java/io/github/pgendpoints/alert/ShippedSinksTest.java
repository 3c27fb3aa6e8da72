package io.github.pgendpoints.alert;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.RouteFiles;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The sinks of routes/alerts and of README, with a server that receives their requests. */
class ShippedSinksTest {
  private static final Path ALERTMANAGER = Path.of("/usr/bin/prometheus-alertmanager");

  private final FakeApiServer api = new FakeApiServer("db", true).start();
  private final HttpReceiver receiver = new HttpReceiver();

  @AfterEach
  void stop() {
    api.close();
    receiver.close();
  }

  private Run run() {
    return new Run(api).with("PG_NODES", "127.0.0.1").with("PGPORT", "1");
  }

  @Test
  void webhookPostsTheWholeAlert() {
    try (Run run =
        run()
            .with("ALERT_SINKS", "webhook")
            .with("ALERT_WEBHOOK_URL", receiver.url("/hook?token=sekret"))) {
      assertEquals(1, run.once(), run.log().toString());
      assertEquals(
          List.of(
              "POST /hook?token=sekret application/json",
              "POST /hook?token=sekret application/json"),
          receiver.requests(),
          run.log().toString());
      assertFalse(run.log().toString().contains("sekret"));
    }
    JsonNode alert = receiver.bodies().get(1);
    assertEquals("NoPrimary", alert.get("kind").asText());
    assertEquals("ERROR", alert.get("severity").asText());
    assertEquals("BEGAN", alert.get("phase").asText());
    assertTrue(alert.get("ends").isNull());
    assertEquals("db/pg-rw/NoPrimary", alert.get("key").asText());
    assertEquals("pg-ro", alert.at("/cluster/readOnly").asText());
    assertEquals("DOWN", alert.at("/nodes/0/state").asText());
    assertEquals("Connection refused", alert.at("/nodes/0/reason").asText());
    assertTrue(alert.get("since").asText().matches("20\\d\\d-.*Z"), alert.toString());
  }

  @Test
  void webhookFillsATemplate() {
    try (Run run =
        run()
            .with("ALERT_SINKS", "webhook")
            .with("ALERT_WEBHOOK_URL", receiver.url("/"))
            .with("ALERT_WEBHOOK_TEMPLATE", "{\"a\": [\"${kind} in ${cluster.namespace}\"]}")) {
      assertEquals(1, run.once());
    }
    assertEquals("NoPrimary in db", receiver.bodies().get(1).at("/a/0").asText());
  }

  @Test
  void reportsInvalidSettingsWithoutTheirValues() {
    try (Run run =
        run()
            .with("ALERT_SINKS", "webhook")
            .with("ALERT_WEBHOOK_URL", "hooks.invalid/sekret")
            .with("ALERT_WEBHOOK_TEMPLATE", "{\"token\": sekret}")) {
      assertEquals(1, run.once());
      assertEquals(
          List.of(
              "ERROR alert sink routes/alerts/webhook.camel.yaml is left out, line 7:"
                  + " ALERT_WEBHOOK_URL is not a URL with http:// or https://;"
                  + " ALERT_WEBHOOK_TEMPLATE is not JSON"),
          run.logged("sink"));
    }
  }

  @Test
  void reportsAFieldOfATemplateThatNoAlertHas() {
    try (Run run =
        run()
            .with("ALERT_SINKS", "webhook")
            .with("ALERT_WEBHOOK_URL", receiver.url("/"))
            .with("ALERT_WEBHOOK_TEMPLATE", "{\"a\": \"${knid} ${body.kind} ${key}\"}")) {
      assertEquals(1, run.once());
      assertEquals(
          List.of(
              "ERROR alert sink routes/alerts/webhook.camel.yaml is left out, line 7:"
                  + " ALERT_WEBHOOK_TEMPLATE has ${knid}, ${body.kind}, which no alert has; allowed:"
                  + " ${field} with one of after, at, before, cluster.namespace, cluster.readOnly,"
                  + " cluster.readWrite, ends, key, kind, message, phase, severity, since, subject"),
          run.logged("sink"));
    }
  }

  @Test
  void slackPostsAText() {
    try (Run run =
        run().with("ALERT_SINKS", "slack").with("ALERT_SLACK_URL", receiver.url("/services/T/B"))) {
      assertEquals(1, run.once());
    }
    assertEquals(
        ":rotating_light: *NoPrimary* db/pg-rw: no primary, nothing is written: 127.0.0.1 is DOWN (Connection refused)",
        receiver.bodies().get(1).get("text").asText());
  }

  @Test
  void alertmanagerShowsAndResolvesAlerts(@TempDir Path folder) throws Exception {
    assumeTrue(
        Files.isExecutable(ALERTMANAGER),
        "Debian's prometheus-alertmanager is not installed: Alertmanager is not tried");
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Path config =
        Files.writeString(
            folder.resolve("a.yml"), "route: {receiver: a}\nreceivers: [{name: a}]\n");
    Process process =
        new ProcessBuilder(
                ALERTMANAGER.toString(),
                "--config.file=" + config,
                "--storage.path=" + folder,
                "--cluster.listen-address=",
                "--web.listen-address=127.0.0.1:" + port)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    String url = "http://127.0.0.1:" + port + "/api/v2/alerts";
    try {
      await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> alerts(url).isArray());
      try (Run run =
          run().with("ALERT_SINKS", "alertmanager").with("ALERT_ALERTMANAGER_URL", url)) {
        run.with("PROBE_INTERVAL", "200ms").with("PAUSED", "true").start(Mode.CONTINUOUS);
        await().atMost(Duration.ofSeconds(30)).until(() -> alerts(url).size() == 3);
        JsonNode labels = alertNamed(alerts(url), "PostgresNoPrimary").get("labels");
        assertEquals("critical", labels.get("severity").asText());
        assertEquals("db", labels.get("namespace").asText());

        // Without the API there are other conditions. The conditions that probes found still last.
        api.stop();
        await()
            .atMost(Duration.ofSeconds(30))
            .until(() -> alertNamed(alerts(url), "PostgresPublishFailed") != null);
        assertNotNull(alertNamed(alerts(url), "PostgresNoPrimary"));
        api.start();
        await()
            .atMost(Duration.ofSeconds(30))
            .until(() -> alertNamed(alerts(url), "PostgresPublishFailed") == null);
        assertEquals(List.of(), run.logged("sink"));
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static JsonNode alerts(String url) throws IOException {
    try (InputStream in = URI.create(url).toURL().openStream()) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static JsonNode alertNamed(JsonNode alerts, String name) {
    for (JsonNode alert : alerts) {
      if (alert.at("/labels/alertname").asText().equals(name)) {
        return alert;
      }
    }
    return null;
  }

  @Test
  void reportsWhatAServerAnsweredAndWhatIsNotSet() {
    receiver.answering(500);
    try (Run run =
        run()
            .with("ALERT_SINKS", "webhook,slack")
            .with("ALERT_WEBHOOK_URL", receiver.url("/sekret"))) {
      assertEquals(1, run.once());
      assertEquals(
          List.of(
              "ERROR alert sink routes/alerts/slack.camel.yaml is left out,"
                  + " line 7: ALERT_SLACK_URL is not set, nor is ALERT_SLACK_URL_FILE",
              "ERROR alert sink webhook failed to deliver db/pg-rw/NodeDown/127.0.0.1:"
                  + " the server answered with HTTP 500"),
          run.logged("ERROR alert sink").subList(0, 2));
      assertFalse(run.log().toString().contains("sekret"));
    }
  }

  @Test
  void hangingServerDelaysNothingElse() throws Exception {
    long ended;
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Run run =
            run()
                .with("ALERT_SINKS", "slack,webhook")
                .with("ALERT_SLACK_URL", "http://127.0.0.1:" + silent.getLocalPort() + "/sekret")
                .with("ALERT_WEBHOOK_URL", receiver.url("/"))
                .with("ALERT_REPEAT", "1s")
                .with("PROBE_INTERVAL", "100ms")) {
      run.start(Mode.CONTINUOUS);
      // More alerts than Slack, at 10 s each, can process in this time.
      await().atMost(Duration.ofSeconds(20)).until(() -> receiver.bodies().size() >= 6);
      assertEquals(List.of(), run.logged("sekret"));
      ended = System.nanoTime();
    }
    long took = System.nanoTime() - ended;
    assertTrue(took < Duration.ofSeconds(5).toNanos(), took / 1_000_000 + " ms");
  }

  @Test
  void onceWaitsForHangingServerUntilTimeout() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Run run =
            run()
                .with("ALERT_SINKS", "slack,webhook")
                .with("ALERT_SLACK_URL", "http://127.0.0.1:" + silent.getLocalPort() + "/sekret")
                .with("ALERT_WEBHOOK_URL", receiver.url("/"))) {
      long begun = System.nanoTime();
      assertEquals(1, run.once());
      assertTrue(System.nanoTime() - begun < Duration.ofSeconds(20).toNanos());
      assertEquals(2, receiver.bodies().size());
      assertEquals(
          List.of("ERROR alert sink slack did not process 2 alert(s) within 10 s: they are lost"),
          run.logged("sink"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"webhook", "slack", "alertmanager"})
  void anAnswerWithoutEndIsNotRead(String sink) throws Exception {
    assertEquals(List.of(), loggedOfEndlessAnswers(sink, "200 OK"));
  }

  @Test
  void endlessErrorResponseIsReportedByStatus() throws Exception {
    assertEquals(
        "ERROR alert sink webhook failed to deliver db/pg-rw/NodeDown/127.0.0.1:"
            + " the server answered with HTTP 500",
        loggedOfEndlessAnswers("webhook", "500 No").get(0));
  }

  private List<String> loggedOfEndlessAnswers(String sink, String status) throws Exception {
    try (ServerSocket endless = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Run run =
            run()
                .with("ALERT_SINKS", sink)
                .with(
                    "ALERT_" + sink.toUpperCase(Locale.ROOT) + "_URL",
                    "http://127.0.0.1:" + endless.getLocalPort() + "/")) {
      Thread server = new Thread(() -> answerWithoutEnd(endless, status));
      server.setDaemon(true);
      server.start();
      assertEquals(1, run.once());
      return run.logged("sink");
    }
  }

  /** Responds slowly: a client that reads all of it waits, and does not run out of memory. */
  private static void answerWithoutEnd(ServerSocket server, String status) {
    byte[] head = ("HTTP/1.1 " + status + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
    while (!server.isClosed()) {
      try (Socket client = server.accept()) {
        client.getOutputStream().write(head);
        while (true) {
          client.getOutputStream().write(new byte[1000]);
          Thread.sleep(1);
        }
      } catch (IOException e) {
        // The client closed the connection, or the test is over.
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  @Test
  void sinkOfReadmePostsTrouble(@TempDir Path home) throws IOException {
    String yaml = Files.readString(Path.of("README.md")).split("```yaml\n|```", -1)[sinkOfReadme()];
    assertTrue(yaml.lines().count() < 20, yaml);
    Files.writeString(RouteFiles.copiedWithSinksTo(home).file("alerts/on-call.camel.yaml"), yaml);

    try (Run run = run().in(home).with("ON_CALL_URL", receiver.url("/on-call"))) {
      assertEquals(1, run.once());
      assertEquals(2, receiver.bodies().size(), run.log().toString());
    }
    assertEquals("NodeDown", receiver.bodies().get(0).get("kind").asText());
    assertEquals("NoPrimary", receiver.bodies().get(1).get("kind").asText());
  }

  private static int sinkOfReadme() throws IOException {
    List<String> parts = List.of(Files.readString(Path.of("README.md")).split("```yaml\n|```", -1));
    return parts.indexOf(
        parts.stream().filter(part -> part.contains("uri: alerts:all")).findFirst().orElseThrow());
  }
}
