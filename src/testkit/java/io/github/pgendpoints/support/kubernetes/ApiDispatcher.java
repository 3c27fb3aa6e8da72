package io.github.pgendpoints.support.kubernetes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusCause;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.crud.AttributeSet;
import io.fabric8.mockwebserver.dsl.HttpMethod;
import io.fabric8.mockwebserver.http.Buffer;
import io.fabric8.mockwebserver.http.Headers;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.fabric8.zjsonpatch.JsonPatch;
import io.fabric8.zjsonpatch.JsonPatchException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Responds as kube-apiserver does where fabric8's dispatcher does not: in errors, patches and
 * rejections. {@link Watches} serves the watches; fabric8 serves storage, lists and selectors. As
 * in the real server, a patch is an update to the patched object, so watches receive it like any
 * other change.
 */
final class ApiDispatcher extends KubernetesCrudDispatcher {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration NEVER = Duration.ofDays(1);
  private static final List<String> KEPT_METADATA =
      List.of("namespace", "uid", "creationTimestamp", "generation", "resourceVersion");

  private final List<ApiRequest> requests = new CopyOnWriteArrayList<>();
  private final Faults faults;
  private final String user;
  private final boolean allowLoopback;
  private final List<Runnable> observers = new CopyOnWriteArrayList<>();
  private final Watches watches = new Watches();
  private EndpointsMirror mirror;

  ApiDispatcher(Faults faults, String user, boolean allowLoopback) {
    this.faults = faults;
    this.user = user;
    this.allowLoopback = allowLoopback;
  }

  synchronized void mirror(EndpointsMirror to) {
    mirror = to;
  }

  /** Runs an action on the watches, between two changes. */
  synchronized void watches(Consumer<Watches> doing) {
    doing.accept(watches);
  }

  int openWatches() {
    return watches.count();
  }

  /** Receives every change of the stored objects. */
  @Override
  public void processEvent(
      String path,
      AttributeSet pathAttributes,
      AttributeSet oldAttributes,
      GenericKubernetesResource resource,
      String newState) {
    String existing = oldAttributes == null ? null : map.get(oldAttributes);
    super.processEvent(path, pathAttributes, oldAttributes, resource, newState);
    if (!Objects.equals(existing, newState)) {
      ObjectNode before = existing == null ? null : parse(existing);
      if (newState == null) {
        metadata(before).put("resourceVersion", String.valueOf(requestResourceVersion()));
      }
      watches.changed(
          ApiRequest.Target.of(path.split("\\?")[0]),
          before,
          newState == null ? null : parse(newState));
    }
  }

  /** Registers an observer that runs after each change by any writer, before the next change. */
  void observe(Runnable observer) {
    observers.add(observer);
  }

  private void changed(ApiRequest.Target target, String name) {
    observers.forEach(Runnable::run);
    if (mirror != null && (target.isCore("endpoints") || target.isCore("services"))) {
      mirror.changed(target.namespace(), name);
    }
  }

  List<ApiRequest> requests() {
    return requests;
  }

  /** Runs on the server's only event loop, which this method must not block. */
  @Override
  public MockResponse dispatch(RecordedRequest recorded) {
    ApiRequest request = ApiRequest.of(recorded);
    requests.add(request);
    MockResponse response;
    try {
      faults.takeHook(request).ifPresent(Runnable::run);
      if (faults.isHanging()) {
        return json(200, "{}").setBodyDelay(NEVER);
      }
      faults.check(request, user);
      response = serve(request);
    } catch (ApiException e) {
      response = failure(e.status());
    } catch (RuntimeException | AssertionError e) {
      // Without a response, a mistake in a test's hook would look like a timeout.
      response = failure(ApiException.internal(e.toString()).status());
    }
    if (request.target().isCore("endpoints")) {
      response.addHeader(
          "Warning",
          "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\"");
    }
    Duration delay = faults.delay();
    return delay.isZero() ? response : response.setBodyDelay(delay);
  }

  private synchronized MockResponse serve(ApiRequest request) {
    ApiRequest.Target target = request.target();
    if (target.resource() == null) {
      return serveServer(target.path());
    }
    return switch (request.verb()) {
      case "list", "deletecollection" -> super.dispatch(toRecorded(request));
      case "watch" -> watches.open(request, list(target.path()));
      case "get" -> json(200, require(target).toString());
      case "create" -> create(target, parse(request.body()));
      case "update" -> update(target, require(target), parse(request.body()));
      case "patch" -> update(target, require(target), patched(request, require(target)));
      default -> {
        expectVersion(request, require(target));
        MockResponse deleted = ok(super.handleDelete(target.path()));
        changed(target, target.name());
        yield deleted;
      }
    };
  }

  private static MockResponse serveServer(String path) {
    return switch (path) {
      case "/version" ->
          json(200, "{\"major\": \"1\", \"minor\": \"36\", \"gitVersion\": \"v1.36.0\"}");
      case "/livez", "/readyz", "/healthz" -> new MockResponse().setResponseCode(200).setBody("ok");
      default -> throw ApiException.noSuchPath();
    };
  }

  private MockResponse create(ApiRequest.Target target, ObjectNode object) {
    if (target.namespace() != null && find(namespacePath(target.namespace())) == null) {
      throw ApiException.notFound("namespaces", target.namespace());
    }
    admit(target, object, null);
    String name = object.path("metadata").path("name").asText();
    if (!name.isEmpty() && find(target.path() + "/" + name) != null) {
      throw ApiException.alreadyExists(target.resource(), name);
    }
    MockResponse created =
        ok(super.handleCreate(toRecorded(HttpMethod.POST, target.path(), object.toString())));
    changed(target, name);
    return created;
  }

  /** Checks the preconditions of a delete. */
  private static void expectVersion(ApiRequest request, JsonNode current) {
    String expected =
        request.body().isEmpty()
            ? ""
            : parse(request.body()).path("preconditions").path("resourceVersion").asText("");
    if (!expected.isEmpty() && !expected.equals(version(current))) {
      throw ApiException.conflict(request.target().resource(), request.target().name());
    }
  }

  private MockResponse update(ApiRequest.Target target, ObjectNode current, ObjectNode wanted) {
    ObjectNode metadata = metadata(wanted);
    String expected = metadata.path("resourceVersion").asText("");
    if (!expected.isEmpty() && !expected.equals(version(current))) {
      throw ApiException.conflict(target.resource(), target.name());
    }
    admit(target, wanted, current);
    KEPT_METADATA.forEach(
        field -> {
          JsonNode kept = current.path("metadata").get(field);
          metadata.remove(field);
          if (kept != null) {
            metadata.set(field, kept);
          }
        });
    if (wanted.equals(current)) {
      return json(200, current.toString());
    }
    MockResponse updated =
        ok(super.handleUpdate(toRecorded(HttpMethod.PUT, target.path(), wanted.toString())));
    changed(target, target.name());
    return updated;
  }

  private ObjectNode patched(ApiRequest request, ObjectNode current) {
    String type = request.contentType() == null ? "" : request.contentType().split(";")[0].trim();
    return switch (type) {
      case "application/merge-patch+json" -> (ObjectNode) merge(current, parse(request.body()));
      case "application/strategic-merge-patch+json" -> {
        // Only the lists of Endpoints are replaced as a merge patch replaces them.
        if (!request.target().isCore("endpoints")) {
          throw ApiException.unsupportedMediaType(type);
        }
        yield (ObjectNode) merge(current, parse(request.body()));
      }
      case "application/json-patch+json" -> {
        try {
          yield (ObjectNode) JsonPatch.apply(read(request.body()), current);
        } catch (JsonPatchException e) {
          throw ApiException.invalidPatch();
        }
      }
      default -> throw ApiException.unsupportedMediaType(type);
    };
  }

  /** Merges as in RFC 7396. */
  private static JsonNode merge(JsonNode target, JsonNode patch) {
    if (!patch.isObject()) {
      return patch;
    }
    ObjectNode merged =
        target.isObject()
            ? ((ObjectNode) target).deepCopy()
            : JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, JsonNode> field : patch.properties()) {
      if (field.getValue().isNull()) {
        merged.remove(field.getKey());
      } else {
        merged.set(field.getKey(), merge(merged.path(field.getKey()), field.getValue()));
      }
    }
    return merged;
  }

  /** Brings an object into the form in which it is stored, or rejects it. */
  private void admit(ApiRequest.Target target, ObjectNode object, ObjectNode current) {
    EndpointsRules.dropEmpty(metadata(object), "labels", "annotations");
    if (target.isSlices()) {
      SlicesRules.canonicalize(object);
      refuse("EndpointSlice", object, SlicesRules.faults(object, current, allowLoopback));
    }
    if (!target.isCore("endpoints")) {
      return;
    }
    EndpointsRules.canonicalize(object);
    refuse("Endpoints", object, EndpointsRules.faults(object, allowLoopback));
  }

  private static void refuse(String kind, ObjectNode object, List<StatusCause> causes) {
    if (!causes.isEmpty()) {
      String name = object.path("metadata").path("name").asText();
      throw ApiException.invalid(kind, name, causes);
    }
  }

  /** Creates or replaces an object as it is, without any checks. */
  synchronized void store(String collection, HasMetadata item) {
    ObjectNode object = parse(Serialization.asJson(item));
    EndpointsRules.dropEmpty(metadata(object), "labels", "annotations");
    EndpointsRules.canonicalize(object);
    metadata(object).remove("resourceVersion");
    String path = collection + "/" + item.getMetadata().getName();
    if (find(path) == null) {
      ok(super.handleCreate(toRecorded(HttpMethod.POST, collection, object.toString())));
    } else {
      ok(super.handleUpdate(toRecorded(HttpMethod.PUT, path, object.toString())));
    }
    changed(ApiRequest.Target.of(path), item.getMetadata().getName());
  }

  synchronized void remove(String path) {
    super.handleDelete(path);
    ApiRequest.Target target = ApiRequest.Target.of(path);
    changed(target, target.name());
  }

  /** Returns the object at the path, or null. */
  synchronized ObjectNode find(String path) {
    MockResponse response = super.handleGet(path);
    return response.code() == 200 ? parse(text(response)) : null;
  }

  /** Returns the objects of a collection, in the order of their creation. */
  synchronized List<JsonNode> list(String collection) {
    List<JsonNode> items = new ArrayList<>();
    parse(text(super.handleGet(collection))).path("items").forEach(items::add);
    return items;
  }

  static String namespacePath(String namespace) {
    return "/api/v1/namespaces/" + namespace;
  }

  private ObjectNode require(ApiRequest.Target target) {
    ObjectNode object = find(target.path());
    if (object == null) {
      throw ApiException.notFound(target.resource(), target.name());
    }
    return object;
  }

  private static ObjectNode metadata(ObjectNode object) {
    return object.withObject("/metadata");
  }

  private static String version(JsonNode object) {
    return object.path("metadata").path("resourceVersion").asText();
  }

  static ObjectNode parse(String body) {
    if (read(body) instanceof ObjectNode object) {
      return object;
    }
    throw ApiException.badRequest("the body of the request is not a JSON object");
  }

  private static JsonNode read(String body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw ApiException.badRequest(
          "the body of the request is not JSON: " + e.getOriginalMessage());
    }
  }

  /** Passes on a response of fabric8's handlers, and turns a rejection into a proper Status. */
  private static MockResponse ok(MockResponse response) {
    if (response.code() >= 300) {
      throw ApiException.badRequest(parse(text(response)).path("message").asText());
    }
    return response.setHeader("Content-Type", "application/json");
  }

  private static MockResponse failure(Status status) {
    MockResponse response = json(status.getCode(), Serialization.asJson(status));
    if (status.getDetails() != null && status.getDetails().getRetryAfterSeconds() != null) {
      response.setHeader("Retry-After", status.getDetails().getRetryAfterSeconds());
    }
    return response;
  }

  private static MockResponse json(int code, String body) {
    return new MockResponse()
        .setResponseCode(code)
        .setHeader("Content-Type", "application/json")
        .setBody(body);
  }

  private static String text(MockResponse response) {
    return new String(response.getBody().getBytes(), StandardCharsets.UTF_8);
  }

  private static RecordedRequest toRecorded(ApiRequest request) {
    return toRecorded(HttpMethod.valueOf(request.method()), request.path(), request.body());
  }

  private static RecordedRequest toRecorded(HttpMethod method, String path, String body) {
    return new RecordedRequest(
        "HTTP/1.1", method, path, Headers.builder().build(), new Buffer().writeUtf8(body));
  }
}
