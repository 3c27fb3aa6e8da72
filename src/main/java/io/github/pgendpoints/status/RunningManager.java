package io.github.pgendpoints.status;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.MalformedURLException;
import java.net.Proxy;
import java.net.URL;
import java.nio.charset.StandardCharsets;

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

  private static final int TIMEOUT_MILLIS = 5000;
  private static final int MAX_BYTES = 1 << 22;

  /**
   * What the manager answers.
   *
   * @param exitCode of the command
   * @param text to print
   */
  public record Answer(int exitCode, String text) {}

  private RunningManager() {}

  /**
   * Asks.
   *
   * @param port MANAGEMENT_PORT
   * @param settings the fingerprint of the settings: a manager with others answers for another
   *     cluster, or decides by other rules
   * @return null if no manager runs there, if its settings are others, or if it has no status
   */
  public static Answer ask(int port, String settings, boolean json) {
    HttpURLConnection connection = null;
    try {
      connection = (HttpURLConnection) url(port, settings, json).openConnection(Proxy.NO_PROXY);
      connection.setConnectTimeout(TIMEOUT_MILLIS);
      connection.setReadTimeout(TIMEOUT_MILLIS);
      connection.setInstanceFollowRedirects(false);
      // Another program may listen there.
      int exitCode = connection.getHeaderFieldInt(EXIT_CODE, -1);
      if (connection.getResponseCode() != HttpURLConnection.HTTP_OK || exitCode < 0) {
        return null;
      }
      try (InputStream body = connection.getInputStream()) {
        return new Answer(exitCode, new String(body.readNBytes(MAX_BYTES), StandardCharsets.UTF_8));
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
