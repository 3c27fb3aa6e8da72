package io.github.pgendpoints.management;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.pgendpoints.status.LatestStatus;
import io.github.pgendpoints.status.RunningManager;
import io.github.pgendpoints.status.Status;
import io.github.pgendpoints.status.StatusTable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckHelper;
import org.apache.camel.support.service.ServiceSupport;
import org.apache.camel.util.concurrent.CamelThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves health, metrics, and status over HTTP, under the paths of Camel's own management server.
 * No request changes anything, and every client that reaches the pod may read all pages.
 *
 * <p>It uses the server of the JDK, because Camel's server needs Vert.x: threads and memory for a
 * few pages of text.
 */
public final class ManagementServer extends ServiceSupport {
  private static final Logger LOG = LoggerFactory.getLogger(ManagementServer.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String JSON_TYPE = "application/json";
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  /** A client that sends its request slowly holds one thread for the time that jvm.options sets. */
  private static final int THREADS = 16;

  private final int port;
  private final Map<String, Function<String, Page>> pages;
  private HttpServer server;
  private ExecutorService executor;

  /**
   * A response.
   *
   * @param headers any headers besides the type
   */
  private record Page(int status, String type, String body, Map<String, String> headers) {
    Page(int status, String type, String body) {
      this(status, type, body, Map.of());
    }
  }

  /**
   * @param port the port to listen on, at every address: the kubelet and Prometheus connect from
   *     outside the pod
   * @param metrics in Prometheus's text format
   * @param latest the status of this manager, as the subcommand status prints it
   * @param fingerprint that of the settings; a request with another one gets no status
   */
  public ManagementServer(
      int port,
      CamelContext context,
      Supplier<String> metrics,
      LatestStatus latest,
      String fingerprint) {
    this.port = port;
    this.pages =
        Map.of(
            "/observe/health/live",
            query -> health(HealthCheckHelper.invokeLiveness(context)),
            "/observe/health/ready",
            query -> health(HealthCheckHelper.invokeReadiness(context)),
            "/observe/metrics",
            query -> new Page(200, METRICS_TYPE, metrics.get()),
            RunningManager.PATH,
            query ->
                status(latest, fingerprint, query, TEXT, status -> new StatusTable(status).text()),
            RunningManager.JSON_PATH,
            query -> status(latest, fingerprint, query, JSON_TYPE, Status::json));
  }

  /** If the port is in use, health and metrics are not served, but the failover works. */
  @Override
  protected void doStart() {
    try {
      server = HttpServer.create(new InetSocketAddress(port), 0);
    } catch (IOException e) {
      LOG.error(
          "MANAGEMENT_PORT {} cannot be opened, so health and metrics are not served: {}",
          port,
          e.getMessage());
      return;
    }
    executor =
        Executors.newFixedThreadPool(
            THREADS, new CamelThreadFactory("#name#", "management", /* daemon= */ true));
    server.setExecutor(executor);
    server.createContext("/", this::answer);
    server.start();
  }

  @Override
  protected void doStop() {
    if (server != null) {
      server.stop(0);
      executor.shutdownNow();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      URI uri = exchange.getRequestURI();
      Function<String, Page> page = pages.get(uri.getPath());
      if (!Set.of("GET", "HEAD").contains(exchange.getRequestMethod())) {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        exchange.sendResponseHeaders(405, -1);
      } else if (page == null) {
        exchange.sendResponseHeaders(404, -1);
      } else {
        send(exchange, made(page, uri.getQuery()));
      }
    }
  }

  private static Page made(Function<String, Page> page, String query) {
    try {
      return page.apply(query);
    } catch (RuntimeException e) {
      LOG.debug("a page could not be made", e);
      return new Page(500, TEXT, "");
    }
  }

  private static void send(HttpExchange exchange, Page page) throws IOException {
    byte[] body = page.body().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", page.type());
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    page.headers().forEach(exchange.getResponseHeaders()::set);
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(page.status(), head ? -1 : body.length);
    if (!head) {
      exchange.getResponseBody().write(body);
    }
  }

  private static Page status(
      LatestStatus latest,
      String fingerprint,
      String query,
      String type,
      Function<Status, String> text) {
    if (query != null && !query.equals(RunningManager.SETTINGS + "=" + fingerprint)) {
      return new Page(409, TEXT, "This manager has other settings.\n");
    }
    Status known = latest.status();
    Status status = known == null ? latest.missing() : known;
    return new Page(
        known == null ? 503 : 200,
        type,
        text.apply(status) + "\n",
        Map.of(RunningManager.EXIT_CODE, String.valueOf(status.exitCode())));
  }

  private static Page health(Collection<HealthCheck.Result> results) {
    boolean up = HealthCheckHelper.isResultsUp(results, true);
    List<Map<String, Object>> checks = new ArrayList<>();
    for (HealthCheck.Result result : results) {
      Map<String, Object> check = new LinkedHashMap<>();
      check.put("name", result.getCheck().getId());
      check.put("status", result.getState());
      result.getMessage().ifPresent(message -> check.put("message", message));
      result
          .getDetails()
          .forEach(
              (name, value) -> {
                if (!HealthCheckHelper.isReservedKey(name)) {
                  check.put(name, value);
                }
              });
      checks.add(check);
    }
    Map<String, Object> health = new LinkedHashMap<>();
    health.put("status", up ? "UP" : "DOWN");
    health.put("checks", checks);
    return new Page(up ? 200 : 503, JSON_TYPE, JSON.valueToTree(health).toString());
  }
}
