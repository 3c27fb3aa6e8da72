package io.github.pgendpoints.status;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.MalformedURLException;
import java.net.Proxy;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the manager that runs on this host, or in this container, for its status: a second program
 * beside it has neither the memory nor the time for a probe of its own.
 */
public final class RunningManager {
  /** Served by {@code ManagementServer}. */
  public static final String PATH = "/observe/status";

  /** The same as JSON. */
  public static final String JSON_PATH = PATH + ".json";

  /** The query parameter for {@code Settings.fingerprint}. */
  public static final String SETTINGS = "settings";

  /** The header with the exit code of the command. */
  public static final String EXIT_CODE = "Pgendpoints-Exit-Code";

  private static final Logger LOG = LoggerFactory.getLogger(RunningManager.class);
  private static final int TIMEOUT_MILLIS = 5000;

  /** How long a manager that has no status yet may take for its cycle. */
  private static final Duration MAX_WAIT = Duration.ofSeconds(10);

  private static final int POLL_MILLIS = 200;
  private static final int MAX_BYTES = 1 << 22;

  /**
   * What the manager answers.
   *
   * @param hasStatus whether a cycle has ended; if not, the text says why
   * @param exitCode of the command
   * @param text to print
   */
  public record Answer(boolean hasStatus, int exitCode, String text) {}

  private RunningManager() {}

  /**
   * Asks, and waits some seconds for the status of a manager that has none.
   *
   * @param port MANAGEMENT_PORT
   * @param settings the fingerprint of the settings: a manager with others answers for another
   *     cluster, or decides by other rules
   * @return null if no manager runs there, or if its settings are others
   */
  public static Answer ask(int port, String settings, boolean json) {
    long deadline = System.nanoTime() + MAX_WAIT.toNanos();
    Answer answer = askOnce(port, settings, json);
    if (answer != null && !answer.hasStatus()) {
      LOG.info("the running manager has no status yet: waiting {} s for it", MAX_WAIT.toSeconds());
    }
    try {
      while (answer != null && !answer.hasStatus() && System.nanoTime() < deadline) {
        Thread.sleep(POLL_MILLIS);
        answer = askOnce(port, settings, json);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return answer;
  }

  private static Answer askOnce(int port, String settings, boolean json) {
    HttpURLConnection connection = null;
    try {
      connection = (HttpURLConnection) url(port, settings, json).openConnection(Proxy.NO_PROXY);
      connection.setConnectTimeout(TIMEOUT_MILLIS);
      connection.setReadTimeout(TIMEOUT_MILLIS);
      connection.setInstanceFollowRedirects(false);
      // Another program may listen there.
      int exitCode = connection.getHeaderFieldInt(EXIT_CODE, -1);
      boolean hasStatus = connection.getResponseCode() == HttpURLConnection.HTTP_OK;
      if (exitCode < 0
          || !hasStatus && connection.getResponseCode() != HttpURLConnection.HTTP_UNAVAILABLE) {
        return null;
      }
      try (InputStream body =
          hasStatus ? connection.getInputStream() : connection.getErrorStream()) {
        String text = new String(body.readNBytes(MAX_BYTES), StandardCharsets.UTF_8);
        return new Answer(hasStatus, exitCode, text);
      }
    } catch (IOException e) {
      return null;
    } finally {
      if (connection != null) {
        connection.disconnect();
      }
    }
  }

  private static URL url(int port, String settings, boolean json) throws MalformedURLException {
    return new URL(
        "http://127.0.0.1:%d%s?%s=%s".formatted(port, json ? JSON_PATH : PATH, SETTINGS, settings));
  }
}
