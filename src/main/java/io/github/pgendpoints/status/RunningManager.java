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
 * Requests the status from the manager that runs on this host or in this container, because a
 * second program beside it has neither the memory nor the time for its own probes.
 */
public final class RunningManager {
  /** The path of the status as text, which {@code ManagementServer} serves. */
  public static final String PATH = "/observe/status";

  /** The path of the status as JSON. */
  public static final String JSON_PATH = PATH + ".json";

  /** The query parameter for {@code Settings.fingerprint}. */
  public static final String SETTINGS = "settings";

  /** The header with the exit code of the command. */
  public static final String EXIT_CODE = "Pgendpoints-Exit-Code";

  private static final Logger LOG = LoggerFactory.getLogger(RunningManager.class);
  private static final int TIMEOUT_MILLIS = 5000;

  /** How long to wait for the first cycle of a manager that has no status yet. */
  private static final Duration MAX_WAIT = Duration.ofSeconds(10);

  private static final int POLL_MILLIS = 200;
  private static final int MAX_BYTES = 1 << 22;

  /**
   * The response of the manager.
   *
   * @param hasStatus whether a cycle has ended; if not, the text contains the reason
   * @param exitCode the exit code of the command
   * @param text the text to print
   */
  public record Answer(boolean hasStatus, int exitCode, String text) {}

  private RunningManager() {}

  /**
   * Requests the status, and waits some seconds if the manager has none yet.
   *
   * @param port MANAGEMENT_PORT
   * @param settings the fingerprint of the settings: a manager with other settings manages another
   *     cluster, or decides by other rules
   * @return null if no manager runs there, or if it has other settings
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
