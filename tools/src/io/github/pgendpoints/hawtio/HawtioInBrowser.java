package io.github.pgendpoints.hawtio;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Shows the packaged program with real PostgreSQL as a user sees it: in Hawtio, in a browser. Only
 * {@code mvn -Phawtio} compiles and runs this test.
 */
class HawtioInBrowser {
  private static final Path SCREENSHOTS = Path.of("target/hawtio");
  private static final String LAUNCHER =
      Path.of(System.getProperty("distribution", "target/postgres-endpoint-manager"))
          .resolve("bin/postgres-endpoint-manager")
          .toAbsolutePath()
          .toString();

  /** Script: how many messages have entered the first step of the diagram; -1 if unknown. */
  private static final String TOTAL =
      "const node = document.querySelector('.react-flow__node');"
          + " const numbers = node ? node.innerText.match(/^\\d+$/gm) : null;"
          + " return numbers ? Number(numbers[numbers.length - 1]) : -1";

  private static final String LABELS =
      "return '\\n' + [...document.querySelectorAll('.react-flow__node')]"
          + ".map(node => node.innerText).join('\\n') + '\\n'";

  private static final Map<String, List<String>> STEPS =
      Map.of(
          "cycle",
          List.of(
              "read-services",
              "split-nodes",
              "probe-node",
              "collect-topology",
              "verify-topology",
              "publish-services",
              "send-alerts"),
          "verify",
          List.of("no-majority", "split-brain", "no-primary", "quorum", "newer-line"));

  private final int jolokiaPort = Http.freePort();
  private final int managementPort = Http.freePort();
  private final Http management = new Http(managementPort);
  private Browser browser;

  @Test
  void showsTheRoutesAndStopsOne(@TempDir Path temporary) throws Exception {
    try (PostgresCluster cluster = PostgresCluster.start();
        FakeApiServer api = new FakeApiServer("db", true).start();
        Program program = program(cluster, api, temporary);
        HawtioServer hawtio = new HawtioServer(SCREENSHOTS.resolve("hawtio.war"));
        Browser chromium = new Browser(Files.createDirectory(temporary.resolve("profile")))) {
      browser = chromium;
      api.createService("pg-rw", "postgresql", 5432);
      api.createService("pg-ro", "postgresql", 5432);
      cluster.waitUntilStreaming();
      program.start();
      until(() -> program.err().contains("topology verified"));
      connect(hawtio);

      for (String route : List.of("cycle", "verify", "probe", "publish")) {
        openDiagram(route);
        browser.screenshot(SCREENSHOTS.resolve("hawtio-" + route + ".png"));
        assertEquals(List.of(), stepsNotShown(route), browser.evaluate(LABELS).asText());
        int before = browser.evaluate(TOTAL).asInt();
        until(() -> browser.evaluate(TOTAL).asInt() > before);
        browser.screenshot(SCREENSHOTS.resolve("hawtio-" + route + ".png"));
      }

      stopsAndStarts("verify");
      assertTrue(program.process().isAlive());
    }
  }

  /** Returns the steps of the documented flow that the diagram does not show by that name. */
  private List<String> stepsNotShown(String route) throws IOException {
    String diagram = browser.evaluate(LABELS).asText();
    return STEPS.getOrDefault(route, List.of()).stream()
        .filter(step -> !diagram.matches("(?s).*\n" + step + "(:[^\n]*)?\n.*"))
        .toList();
  }

  /** Stops and starts a route, and checks that the kubelet's readiness probe follows at once. */
  private void stopsAndStarts(String route) throws IOException {
    until(() -> ready() == 200);
    execute(route, "stop()");
    browser.screenshot(SCREENSHOTS.resolve(route + "-operation.png"));
    until(() -> ready() == 503);
    assertTrue(management.get("/observe/health/ready").body().contains("stopped: " + route));
    openDiagram(route);
    int stopped = browser.evaluate(TOTAL).asInt();
    browser.screenshot(SCREENSHOTS.resolve(route + "-stopped.png"));

    execute(route, "start()");
    until(() -> ready() == 200);
    openDiagram(route);
    until(() -> browser.evaluate(TOTAL).asInt() > stopped);
    browser.screenshot(SCREENSHOTS.resolve(route + "-started.png"));
  }

  /** Opens an operation on the tab Operations and presses its button Execute. */
  private void execute(String route, String operation) {
    String item = "//li[.//*[normalize-space(text())='" + operation + "']]";
    until(() -> browser.click(inTree(route)));
    until(() -> browser.text("//h1").strip().equals(route));
    until(() -> browser.click("//*[normalize-space(text())='Operations']"));
    until(() -> browser.click(item + "//*[contains(@class,'toggle')]//button"));
    until(() -> browser.click(item + "//button[normalize-space(.)='Execute']"));
  }

  /** Stores a connection by script, as the Connect page does; entering it is not under test. */
  private void connect(HawtioServer hawtio) throws IOException {
    browser.open(hawtio.url() + "/favicon.ico");
    browser.evaluate(
        """
        localStorage.setItem('connect.connections', JSON.stringify({manager: {
          id: 'manager', name: 'manager', scheme: 'http', host: '127.0.0.1', port: arguments[0],
          path: '/jolokia'
        }}));
        """,
        jolokiaPort);
    browser.open(hawtio.url() + "/camel?con=manager");
    until(() -> !browser.text(inTree("cycle")).isEmpty());
  }

  private void openDiagram(String route) {
    until(() -> browser.click(inTree(route)));
    until(() -> browser.text("//h1").strip().equals(route));
    until(() -> browser.click("//*[normalize-space(text())='Route Diagram']"));
    until(() -> browser.evaluate(TOTAL).asInt() >= 0);
  }

  private static String inTree(String route) {
    return "//*[contains(@class,'tree-view')]//*[normalize-space(text())='" + route + "']";
  }

  private int ready() {
    return management.status("GET", "/observe/health/ready");
  }

  private Program program(PostgresCluster cluster, FakeApiServer api, Path temporary) {
    return new Program(LAUNCHER)
        // All servers of a test have loopback addresses, which Kubernetes would reject.
        .with("JDK_JAVA_OPTIONS", "-Dpostgres-endpoint-manager.allow-loopback=true")
        .with("HOME", temporary.toString())
        .with("KUBECONFIG", api.kubeconfig(temporary.resolve("kubeconfig")).toString())
        .with(
            "PG_NODES",
            cluster.servers().stream().map(PostgresServer::host).collect(Collectors.joining(",")))
        .with("PGPORT", String.valueOf(cluster.port()))
        .with("PGUSER", PostgresCluster.USER)
        .with("PGDATABASE", PostgresCluster.DATABASE)
        .with("PGPASSWORD", PostgresCluster.PASSWORD)
        .with("RW_SERVICE", "pg-rw")
        .with("RO_SERVICE", "pg-ro")
        .with("MANAGEMENT_PORT", String.valueOf(managementPort))
        .with("JOLOKIA_PORT", String.valueOf(jolokiaPort));
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(90)).pollInterval(Duration.ofMillis(200)).until(condition);
  }
}
