package io.github.pgendpoints.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** A client of one server on this machine. */
public final class Http {
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private final int port;

  public Http(int port) {
    this.port = port;
  }

  /**
   * Returns a port on which nothing listens. It is below the ports that the kernel assigns to
   * outgoing connections and to listeners without a port, so that none of them takes it first.
   */
  public static int freePort() {
    IOException taken = null;
    for (int attempt = 0; attempt < 100; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 20_000);
      try (ServerSocket socket = new ServerSocket(port)) {
        return socket.getLocalPort();
      } catch (IOException e) {
        taken = e;
      }
    }
    throw new UncheckedIOException("found no free port", taken);
  }

  public HttpResponse<String> get(String path) throws IOException {
    return send("GET", path);
  }

  /** Returns the status of the response; -1 if there is none, as when no server listens. */
  public int status(String method, String path) {
    try {
      return send(method, path).statusCode();
    } catch (IOException e) {
      return -1;
    }
  }

  public HttpResponse<String> post(String path, String json) throws IOException {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(json))
            .timeout(Duration.ofSeconds(30)));
  }

  private HttpResponse<String> send(String method, String path) throws IOException {
    return send(
        request(path).method(method, BodyPublishers.noBody()).timeout(Duration.ofSeconds(5)));
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws IOException {
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }
}
