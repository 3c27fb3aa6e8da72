package io.github.pgendpoints.hawtio;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.pgendpoints.support.Http;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Headless Chromium, driven by chromedriver over W3C WebDriver. Both come from Debian. */
final class Browser implements AutoCloseable {
  /** The key under which WebDriver returns the reference of an element. */
  private static final String ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final int port = Http.freePort();
  private final Process driver;
  private String session = "";

  /**
   * @param profile an empty folder
   */
  Browser(Path profile) throws IOException, InterruptedException {
    driver =
        new ProcessBuilder("chromedriver", "--port=" + port)
            .redirectErrorStream(true)
            .redirectOutput(profile.resolve("chromedriver.log").toFile())
            .start();
    while (driver.isAlive() && new Http(port).status("GET", "/status") != 200) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
    List<String> arguments =
        List.of(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1700,1600",
            "--force-device-scale-factor=1.25",
            "--user-data-dir=" + profile);
    Map<String, Object> capabilities =
        Map.of("alwaysMatch", Map.of("goog:chromeOptions", Map.of("args", arguments)));
    session =
        "/session/"
            + send("POST", "/session", Map.of("capabilities", capabilities))
                .path("sessionId")
                .asText();
  }

  void open(String url) throws IOException {
    send("POST", session + "/url", Map.of("url", url));
  }

  /** Runs a script in the page and returns its result. */
  JsonNode evaluate(String script, Object... arguments) throws IOException {
    return send(
        "POST", session + "/execute/sync", Map.of("script", script, "args", List.of(arguments)));
  }

  /** Returns the text of an element; empty if there is no such element. */
  String text(String xpath) throws IOException {
    return evaluate(
            "const found = document.evaluate(arguments[0], document, null, 9, null).singleNodeValue;"
                + " return found ? found.textContent : ''",
            xpath)
        .asText();
  }

  /** Clicks an element as a mouse does; false if there is none or the click fails. */
  boolean click(String xpath) throws IOException {
    JsonNode found = send("POST", session + "/elements", Map.of("using", "xpath", "value", xpath));
    if (found.isEmpty()) {
      return false;
    }
    try {
      send(
          "POST", session + "/element/" + found.get(0).path(ELEMENT).asText() + "/click", Map.of());
      return true;
    } catch (IOException e) {
      // The page has just redrawn the element, or another element still covers it.
      return false;
    }
  }

  void screenshot(Path file) throws IOException {
    Files.write(
        file, Base64.getDecoder().decode(send("GET", session + "/screenshot", null).asText()));
  }

  private JsonNode send(String method, String path, Object body) throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
            .header("Content-Type", "application/json")
            .timeout(Duration.ofSeconds(60))
            .method(
                method,
                body == null
                    ? BodyPublishers.noBody()
                    : BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
            .build();
    try {
      JsonNode value =
          JSON.readTree(http.send(request, BodyHandlers.ofString()).body()).path("value");
      if (value.has("error")) {
        throw new IOException(value.path("error").asText() + ": " + value.path("message").asText());
      }
      return value;
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      send("DELETE", session, null);
    } finally {
      driver.destroy();
    }
  }
}
