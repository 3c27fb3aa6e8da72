package io.github.pgendpoints.support.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.Response;
import io.fabric8.mockwebserver.http.WebSocket;
import io.fabric8.mockwebserver.http.WebSocketListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What the watches of clients are told, over WebSockets, as kube-apiserver tells it. A watch with a
 * resourceVersion is told what came after it, and 410 when that is forgotten; one without begins
 * with what there is. Called by one thread at a time.
 */
final class Watches {
  private static final int NORMAL_CLOSURE = 1000;
  private static final int REMEMBERED = 1000;

  /**
   * One change.
   *
   * @param before null when there was no such object
   * @param after null when there is none any more; before has the version of the deletion then
   */
  private record Change(ApiRequest.Target object, JsonNode before, JsonNode after) {}

  private final List<Watch> open = new CopyOnWriteArrayList<>();
  private final List<Change> history = new ArrayList<>();
  private long forgotten;
  private volatile boolean mute;

  /**
   * Begins a watch.
   *
   * @param current what the collection has
   */
  MockResponse open(ApiRequest request, List<JsonNode> current) {
    Watch watch = new Watch(request);
    String version = request.query("resourceVersion");
    if (version == null || version.equals("0")) {
      for (JsonNode object : current) {
        if (watch.selects(object)) {
          watch.tell("ADDED", object);
        }
      }
    } else if (Long.parseLong(version) < forgotten) {
      watch.expire("too old resource version: %s (%d)".formatted(version, forgotten));
    } else {
      history.stream()
          .filter(change -> version(change) > Long.parseLong(version))
          .forEach(watch::tell);
    }
    open.add(watch);
    return new MockResponse().withWebSocketUpgrade(watch);
  }

  /**
   * Tells whoever watches it.
   *
   * @param before null when there was no such object
   * @param after null when there is none any more; before has the version of the deletion then
   */
  void changed(ApiRequest.Target object, JsonNode before, JsonNode after) {
    if (history.size() == REMEMBERED) {
      forget();
    }
    Change change = new Change(object, before, after);
    history.add(change);
    if (!mute) {
      open.forEach(watch -> watch.tell(change));
    }
  }

  /** Forgets what has happened so far. */
  void forget() {
    history.forEach(change -> forgotten = Math.max(forgotten, version(change)));
    history.clear();
  }

  /** Ends every watch, as the server does each half an hour or hour. */
  void end() {
    open.forEach(watch -> watch.close());
  }

  /** Ends every watch by an error: what it would have to be told is forgotten. */
  void expire() {
    open.forEach(watch -> watch.expire("The resourceVersion for the provided watch is too old."));
  }

  /** Whether to tell nothing from now on, for no reason that shows. */
  void mute(boolean nothing) {
    mute = nothing;
  }

  int count() {
    return open.size();
  }

  private static long version(Change change) {
    JsonNode object = change.after() == null ? change.before() : change.after();
    return object.path("metadata").path("resourceVersion").asLong();
  }

  private final class Watch extends WebSocketListener {
    private final ApiRequest request;
    private final List<String> queue = new ArrayList<>();
    private WebSocket socket;
    private boolean ended;

    Watch(ApiRequest request) {
      this.request = request;
    }

    /** What a selector takes in or leaves out by a change comes or goes for who watches it. */
    void tell(Change change) {
      if (!request.target().isCollectionOf(change.object())) {
        return;
      }
      boolean was = change.before() != null && selects(change.before());
      boolean is = change.after() != null && selects(change.after());
      if (is) {
        tell(was ? "MODIFIED" : "ADDED", change.after());
      } else if (was) {
        tell("DELETED", change.before());
      }
    }

    boolean selects(JsonNode object) {
      String name = request.nameForRbac();
      return (name == null || name.equals(object.path("metadata").path("name").asText()))
          && request.labels().entrySet().stream()
              .allMatch(
                  label ->
                      Objects.equals(
                          label.getValue(),
                          object.path("metadata").path("labels").path(label.getKey()).asText()));
    }

    void expire(String why) {
      tell("ERROR", ApiDispatcher.parse(Serialization.asJson(ApiException.gone(why).status())));
      close();
    }

    synchronized void tell(String type, JsonNode object) {
      ObjectNode event = JsonNodeFactory.instance.objectNode();
      event.put("type", type);
      event.set("object", object);
      queue.add(event.toString());
      flush();
    }

    synchronized void close() {
      ended = true;
      open.remove(this);
      flush();
    }

    private void flush() {
      if (socket != null) {
        queue.forEach(socket::send);
        queue.clear();
        if (ended) {
          socket.close(NORMAL_CLOSURE, "");
        }
      }
    }

    @Override
    public synchronized void onOpen(WebSocket webSocket, Response response) {
      socket = webSocket;
      flush();
    }

    @Override
    public void onClosing(WebSocket webSocket, int code, String reason) {
      open.remove(this);
      webSocket.close(code, reason);
    }

    @Override
    public void onClosed(WebSocket webSocket, int code, String reason) {
      open.remove(this);
    }

    @Override
    public void onFailure(WebSocket webSocket, Throwable error, Response response) {
      open.remove(this);
    }
  }
}
