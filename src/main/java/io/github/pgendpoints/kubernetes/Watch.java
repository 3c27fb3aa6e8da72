package io.github.pgendpoints.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.WebSocket;
import io.fabric8.kubernetes.client.http.WebSocketHandshakeException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A watch over a WebSocket, opened again whenever it ends.
 *
 * <p>Not fabric8's own: that one connects again by itself and does not say so, and goes on without
 * a WebSocket, and so without pings, where it gets none. The API server ends every watch each half
 * an hour or hour, so that an end is nothing special.
 */
final class Watch {
  private static final Logger LOG = LoggerFactory.getLogger(Watch.class);
  private static final Duration FIRST_WAIT = Duration.ofSeconds(1);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);
  private static final int NORMAL_CLOSURE = 1000;

  /** A watch that ends sooner counts as one that failed. */
  private static final Duration LASTING = Duration.ofSeconds(10);

  /** So many in a row are no accident. */
  private static final int TOO_MANY = 3;

  private final KubernetesClient client;
  private final URI uri;
  private final Watched<?> watched;
  private final BooleanSupplier wanted;
  private final LongSupplier nanoTime;
  private Connection connection;

  /** Without one that lasted in between. */
  private int failures;

  /** Of these, those while reads were answered. */
  private int unexplained;

  private long notBefore;
  private boolean forbidden;
  private boolean readFailed;
  private boolean stopped;

  /**
   * @param path of the collection, and its selector
   * @param watched is told
   * @param wanted whether to open it again by itself
   */
  Watch(
      KubernetesClient client,
      String path,
      Watched<?> watched,
      BooleanSupplier wanted,
      LongSupplier nanoTime) {
    this.client = client;
    this.uri = URI.create(client.getMasterUrl() + path + "&watch=true");
    this.watched = watched;
    this.wanted = wanted;
    this.nanoTime = nanoTime;
    this.notBefore = nanoTime.getAsLong();
  }

  /**
   * The API server has answered a read: opens it, unless it is open, about to be, or failed a
   * moment ago for no reason that is over now.
   */
  synchronized void arm() {
    if (connection == null && (readFailed || isDue())) {
      open();
    }
    readFailed = false;
  }

  /** The API server has not answered a read, which explains why this fails. */
  synchronized void readFailed() {
    readFailed = true;
    unexplained = 0;
  }

  /** Opens it anew. */
  synchronized void rearm() {
    if (connection != null) {
      connection.ended("it was deaf");
    }
  }

  synchronized void stop() {
    stopped = true;
    if (connection != null) {
      connection.ended("the program stops");
    }
  }

  /** Whether the Role does not grant it. */
  synchronized boolean isForbidden() {
    return forbidden;
  }

  /** Whether it cannot be kept open, though the API server can be reached. */
  synchronized boolean isFailing() {
    return unexplained >= TOO_MANY && (connection == null || connection.socket == null);
  }

  private void open() {
    if (!stopped) {
      connection = new Connection();
      connection.open();
    }
  }

  private synchronized void openAgain() {
    if (connection == null && isDue() && wanted.getAsBoolean()) {
      open();
    }
  }

  private boolean isDue() {
    return nanoTime.getAsLong() - notBefore >= 0;
  }

  private Duration waitBefore() {
    if (failures == 0) {
      return Duration.ZERO;
    }
    Duration wait = FIRST_WAIT.multipliedBy(1L << Math.min(failures - 1, 10));
    return forbidden || wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait;
  }

  private final class Connection implements WebSocket.Listener {
    private WebSocket socket;
    private long openedAt;

    void open() {
      int timeout = client.getConfiguration().getRequestTimeout();
      try {
        client
            .getHttpClient()
            .newWebSocketBuilder()
            .uri(uri)
            .header("Origin", uri.getScheme() + "://" + uri.getAuthority())
            .connectTimeout(timeout, TimeUnit.MILLISECONDS)
            .buildAsync(this)
            .whenComplete((opened, failure) -> answered(failure));
      } catch (RuntimeException e) {
        answered(e);
      }
    }

    private void answered(Throwable failure) {
      Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
      if (cause != null) {
        synchronized (Watch.this) {
          forbidden =
              connection == this
                  && cause instanceof WebSocketHandshakeException refused
                  && refused.getResponse().code() == HttpURLConnection.HTTP_FORBIDDEN;
          ended(cause.toString());
        }
      }
    }

    @Override
    public void onOpen(WebSocket opened) {
      synchronized (Watch.this) {
        socket = opened;
        openedAt = nanoTime.getAsLong();
        if (connection == this) {
          forbidden = false;
          watched.opened();
        } else {
          opened.sendClose(NORMAL_CLOSURE, null);
        }
      }
    }

    @Override
    public void onMessage(WebSocket from, String text) {
      try {
        JsonNode event = client.getKubernetesSerialization().unmarshal(text, JsonNode.class);
        told(event.path("type").asText(), event.path("object"));
      } catch (RuntimeException e) {
        ended("an event that is none");
      } finally {
        from.request();
      }
    }

    private void told(String type, JsonNode object) {
      JsonNode metadata = object.path("metadata");
      synchronized (Watch.this) {
        if (connection != this) {
          return;
        }
        switch (type) {
          case "ADDED", "MODIFIED" ->
              watched.changed(
                  metadata.path("name").asText(), metadata.path("resourceVersion").asText());
          case "DELETED" -> watched.changed(metadata.path("name").asText(), null);
          case "BOOKMARK" -> {}
          // ERROR, such as 410: what it would have to tell is forgotten.
          default -> ended("%s %s".formatted(type, object.path("message").asText()));
        }
      }
    }

    @Override
    public void onClose(WebSocket from, int code, String reason) {
      ended("closed: " + code);
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
      ended(error.toString());
    }

    private void ended(String why) {
      synchronized (Watch.this) {
        if (connection != this) {
          return;
        }
        LOG.debug("the watch of {} ended: {}", uri, why);
        connection = null;
        watched.closed();
        if (socket != null) {
          socket.sendClose(NORMAL_CLOSURE, null);
          Duration lasted = Duration.ofNanos(nanoTime.getAsLong() - openedAt);
          if (lasted.compareTo(LASTING) >= 0) {
            failures = 0;
            unexplained = 0;
          }
        }
        Duration wait = waitBefore();
        notBefore = nanoTime.getAsLong() + wait.toNanos();
        failures++;
        unexplained++;
        CompletableFuture.delayedExecutor(wait.toNanos(), TimeUnit.NANOSECONDS)
            .execute(Watch.this::openAgain);
      }
    }
  }
}
