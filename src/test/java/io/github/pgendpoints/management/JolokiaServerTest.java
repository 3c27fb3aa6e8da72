package io.github.pgendpoints.management;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.support.Http;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JolokiaServerTest {
  private static final int PORT = Http.freePort();
  private static final JolokiaServer SERVER = new JolokiaServer(PORT);

  @BeforeAll
  static void start() {
    SERVER.start();
  }

  @AfterAll
  static void stop() {
    SERVER.stop();
  }

  /** These requests can come from a page in a browser on this machine. */
  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      delimiter = '|',
      value = {
        "POST | localhost | - | application/json | 200",
        "POST | 127.0.0.1:1 | http://localhost:8080 | text/json; charset=utf-8 | 200",
        // A name that currently resolves to 127.0.0.1.
        "POST | evil.example:8778 | - | application/json | 403",
        "POST | localhost.evil.example | - | application/json | 403",
        "POST | localhost | http://evil.example | application/json | 403",
        "POST | localhost | http://localhost.evil.example | application/json | 403",
        "POST | localhost | null | application/json | 403",
        // Content types that an HTML form can send.
        "POST | localhost | - | text/plain | 415",
        "POST | localhost | - | application/x-www-form-urlencoded | 415",
        "POST | localhost | - | - | 415",
        "GET | localhost | - | - | 405",
        "GET | localhost | - | application/json | 405",
        // A browser's preflight request, before a page may send more.
        "OPTIONS | localhost | http://localhost:8080 | - | 405",
      })
  void answersNoForeignPage(
      String method, String host, String origin, String contentType, int status)
      throws IOException {
    String answer = send(request(method, host, origin, contentType, "{\"type\":\"version\"}"));

    assertTrue(answer.startsWith("HTTP/1.1 " + status), answer);
    assertFalse(answer.contains("Access-Control"), answer);
  }

  @Test
  void refusesWhatIsNoRequestOfJolokia() throws IOException {
    for (String body : List.of("", "[", "7", "{}", "{\"type\":\"none\"}")) {
      String answer = send(request("POST", "localhost", null, "text/json", body));

      assertTrue(answer.startsWith("HTTP/1.1 400"), body + ": " + answer);
    }
    String huge = "[" + " ".repeat((1 << 20) - 1) + "]";
    String answer = send(request("POST", "localhost", null, "text/json", huge));
    assertTrue(answer.startsWith("HTTP/1.1 413"), answer);
  }

  @Test
  void listensOnLoopbackOnly() throws IOException {
    String hex = ":%04X".formatted(PORT);
    try (Stream<String> ip4 = Files.lines(Path.of("/proc/net/tcp"));
        Stream<String> ip6 = Files.lines(Path.of("/proc/net/tcp6"))) {
      List<String> listening =
          Stream.concat(ip4, ip6)
              .map(line -> line.strip().split("\\s+"))
              .filter(fields -> fields[1].endsWith(hex) && fields[3].equals("0A"))
              .map(fields -> fields[1])
              .toList();
      assertEquals(1, listening.size(), listening::toString);
      assertTrue(listening.get(0).endsWith("0100007F" + hex), listening::toString);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "org.apache.camel:type=routes,name=x | stop() | true",
        "org.apache.camel:type=routes,name=x | start | true",
        "org.apache.camel:type=routes,name=x | dumpRouteStatsAsXml(boolean,boolean) | true",
        "org.apache.camel:type=context,name=x | dumpRoutesAsXml() | true",
        "java.lang:type=Threading | dumpAllThreads(boolean,boolean) | true",
        "org.apache.camel:type=routes,name=x | remove() | false",
        "org.apache.camel:type=routes,name=x | updateRouteFromXml(java.lang.String) | false",
        "org.apache.camel:type=context,name=x | stop() | false",
        "org.apache.camel:type=context,name=x | sendBody(java.lang.String,Object) | false",
        "org.apache.camel:type=processors,name=x | disable() | false",
        "org.apache.camel:type=processors,name=x | stop() | false",
        "com.sun.management:type=HotSpotDiagnostic | dumpHeap(java.lang.String,boolean) | false",
        "com.sun.management:type=DiagnosticCommand | vmSystemProperties() | false",
        "java.util.logging:type=Logging | setLoggerLevel(java.lang.String) | false",
      })
  void allowsToLookAndToStopRoutesAndNoMore(String name, String operation, boolean allowed)
      throws JMException {
    ObjectName mbean = new ObjectName(name);

    assertEquals(allowed, new JolokiaRestrictor().isOperationAllowed(mbean, operation));
    assertTrue(new JolokiaRestrictor().isAttributeReadAllowed(mbean, "any"));
    assertFalse(new JolokiaRestrictor().isAttributeWriteAllowed(mbean, "any"));
  }

  @Test
  void asksThePolicy() throws IOException {
    String collect = "{\"type\":\"exec\",\"mbean\":\"java.lang:type=Memory\",\"operation\":\"gc\"}";

    String answer = send(request("POST", "localhost", null, "text/json", collect));

    assertTrue(answer.contains("\"status\":403"), answer);
  }

  private static String request(
      String method, String host, String origin, String contentType, String body) {
    List<String> lines =
        new ArrayList<>(
            List.of(method + " /jolokia HTTP/1.1", "Host: " + host, "Connection: close"));
    if (origin != null) {
      lines.add("Origin: " + origin);
    }
    if (contentType != null) {
      lines.add("Content-Type: " + contentType);
    }
    lines.add("Content-Length: " + body.length());
    return String.join("\r\n", lines) + "\r\n\r\n" + body;
  }

  /** Uses a socket, since HTTP clients set these headers themselves. */
  private static String send(String request) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress("127.0.0.1", PORT), 2_000);
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
