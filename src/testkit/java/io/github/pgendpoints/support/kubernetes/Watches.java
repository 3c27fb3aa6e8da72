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
 * Sends events to the watches of clients over WebSockets, as kube-apiserver does. A watch with a
 * resourceVersion receives the later changes, or 410 if those are forgotten; a watch without one
 * begins with the current objects. Called by one thread at a time.
 */
final class Watches {
  private static final int NORMAL_CLOSURE = 1000;
  private static final int REMEMBERED = 1000;

  /**
   * One change.
   *
   * @param before null when the object did not exist
   * @param after null when the object was deleted; before then has the version of the deletion
   */
  private record Change(ApiRequest.Target object, JsonNode before, JsonNode after) {}

  private final List<Watch> open = new CopyOnWriteArrayList<>();
  private final List<Change> history = new ArrayList<>();
  private long forgotten;
  private volatile boolean mute;

  /**
   * Begins a watch.
   *
   * @param current the objects of the collection
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
   * Records a change and sends it to the watches that select the object.
   *
   * @param before null when the object did not exist
   * @param after null when the object was deleted; before then has the version of the deletion
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

  /** Forgets the changes so far. */
  void forget() {
    history.forEach(change -> forgotten = Math.max(forgotten, version(change)));
    history.clear();
  }

  /** Ends every watch, as the server does after 30 to 60 minutes. */
  void end() {
    open.forEach(watch -> watch.close());
  }

  /** Ends every watch with an error: the next change for the watch is forgotten. */
  void expire() {
    open.forEach(watch -> watch.expire("The resourceVersion for the provided watch is too old."));
  }

  /** Sets whether to send nothing from now on, without a visible reason. */
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

    /** Sends a change. An object that enters or leaves the selection is ADDED or DELETED. */
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
