package io.github.pgendpoints.management;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.support.service.ServiceSupport;
import org.apache.camel.util.concurrent.CamelThreadFactory;
import org.jolokia.json.JSONStructure;
import org.jolokia.server.core.config.ConfigKey;
import org.jolokia.server.core.config.StaticConfiguration;
import org.jolokia.server.core.config.SystemPropertyMode;
import org.jolokia.server.core.http.HttpRequestHandler;
import org.jolokia.server.core.request.BadRequestException;
import org.jolokia.server.core.request.EmptyResponseException;
import org.jolokia.server.core.service.JolokiaServiceManagerFactory;
import org.jolokia.server.core.service.api.JolokiaServiceManager;
import org.jolokia.server.core.service.impl.ClasspathServiceCreator;
import org.jolokia.server.core.service.impl.QuietLogHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves Jolokia for Hawtio, on 127.0.0.1 only: any client can stop the failover, so {@code kubectl
 * port-forward} is the only access from outside the pod.
 *
 * <p>A browser on the same machine gives access, too, to any page that it shows. The header Host
 * exposes a page whose name resolves to 127.0.0.1. Any other page may only send what a form can
 * send, which is never JSON; for more, the browser first requests permission from this server,
 * which never grants it. Jolokia's own agents check less: they answer GET, and ignore Host.
 */
public final class JolokiaServer extends ServiceSupport {
  private static final Logger LOG = LoggerFactory.getLogger(JolokiaServer.class);
  private static final String PATH = "/jolokia";
  private static final int THREADS = 2;
  private static final int MAX_REQUEST = 1 << 20;
  private static final Pattern LOOPBACK = Pattern.compile("(localhost|127\\.0\\.0\\.1)(:\\d+)?");

  private final int port;
  private HttpServer server;
  private ExecutorService executor;
  private JolokiaServiceManager services;
  private HttpRequestHandler requests;

  /**
   * @param port the port to listen on, at 127.0.0.1
   */
  public JolokiaServer(int port) {
    this.port = port;
  }

  /** If the port is in use, Hawtio cannot connect, but the failover works. */
  @Override
  protected void doStart() throws IOException {
    // By address: /etc/hosts may map the name localhost to another address.
    InetAddress loopback = InetAddress.getByAddress("localhost", new byte[] {127, 0, 0, 1});
    try {
      server = HttpServer.create(new InetSocketAddress(loopback, port), 0);
    } catch (IOException e) {
      LOG.warn(
          "JOLOKIA_PORT {} cannot be opened, so Hawtio cannot connect: {}", port, e.getMessage());
      return;
    }
    startJolokia();
    executor =
        Executors.newFixedThreadPool(
            THREADS, new CamelThreadFactory("#name#", "jolokia", /* daemon= */ true));
    server.setExecutor(executor);
    server.createContext(PATH, this::answer);
    server.start();
  }

  private void startJolokia() {
    services =
        JolokiaServiceManagerFactory.createJolokiaServiceManager(
            // Never from an environment variable or system property of that name.
            new StaticConfiguration(
                Map.of(
                    ConfigKey.AGENT_ID.getKeyValue(),
                    "port-" + port,
                    ConfigKey.AGENT_CONTEXT.getKeyValue(),
                    PATH,
                    ConfigKey.DISABLE_DETECTORS.getKeyValue(),
                    "true",
                    ConfigKey.MAX_DEPTH.getKeyValue(),
                    "15"),
                null,
                SystemPropertyMode.NEVER),
            new QuietLogHandler(),
            new JolokiaRestrictor());
    services.addServices(
        new ClasspathServiceCreator(JolokiaServiceManager.class.getClassLoader(), "services"));
    requests = new HttpRequestHandler(services.start());
  }

  @Override
  protected void doStop() {
    if (server != null) {
      server.stop(0);
      executor.shutdownNow();
      services.stop();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      Headers headers = exchange.getRequestHeaders();
      if (!isLoopback(headers.getFirst("Host")) || isForeign(headers.getFirst("Origin"))) {
        exchange.sendResponseHeaders(403, -1);
      } else if (!exchange.getRequestMethod().equals("POST")) {
        exchange.getResponseHeaders().set("Allow", "POST");
        exchange.sendResponseHeaders(405, -1);
      } else if (!isJson(headers.getFirst("Content-Type"))) {
        exchange.sendResponseHeaders(415, -1);
      } else {
        execute(exchange);
      }
    }
  }

  private static boolean isLoopback(String host) {
    return host != null && LOOPBACK.matcher(host).matches();
  }

  /** Hawtio's own server forwards the Origin of the browser. */
  private static boolean isForeign(String origin) {
    return origin != null && !isLoopback(origin.replaceFirst("^https?://", ""));
  }

  private static boolean isJson(String contentType) {
    String type = Objects.requireNonNullElse(contentType, "").replaceFirst(";.*", "").strip();
    return type.equalsIgnoreCase("application/json") || type.equalsIgnoreCase("text/json");
  }

  private void execute(HttpExchange exchange) throws IOException {
    byte[] request = exchange.getRequestBody().readNBytes(MAX_REQUEST + 1);
    if (request.length > MAX_REQUEST) {
      exchange.sendResponseHeaders(413, -1);
      return;
    }
    JSONStructure answer;
    try {
      answer =
          requests.handlePostRequest(
              exchange.getRequestURI().toString(),
              new ByteArrayInputStream(request),
              StandardCharsets.UTF_8.name(),
              parameters(exchange.getRequestURI()));
    } catch (BadRequestException | EmptyResponseException | RuntimeException e) {
      LOG.debug("no request that Jolokia understands", e);
      exchange.sendResponseHeaders(400, -1);
      return;
    }
    exchange.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(200, 0);
    try (Writer body = new OutputStreamWriter(exchange.getResponseBody(), StandardCharsets.UTF_8)) {
      answer.writeJSONString(body);
    }
  }

  /** Returns the parameters, such as {@code maxDepth=7}, with which Hawtio limits a response. */
  private static Map<String, String[]> parameters(URI uri) {
    String query = Objects.requireNonNullElse(uri.getQuery(), "");
    return Arrays.stream(query.split("&"))
        .map(parameter -> parameter.split("=", 2))
        .filter(parts -> parts.length == 2)
        .collect(
            Collectors.toMap(
                parts -> parts[0], parts -> new String[] {parts[1]}, (first, again) -> first));
  }
}
