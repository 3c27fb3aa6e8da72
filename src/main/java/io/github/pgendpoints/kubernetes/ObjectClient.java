package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.ResourceNotFoundException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Reads and writes the objects of one kind in one namespace.
 *
 * <p>Every change is a JSON merge patch with the given fields of the object. It needs only the verb
 * {@code patch}, it cannot undo what others wrote to other fields, and with a resourceVersion it is
 * a compare-and-swap.
 *
 * <p>An answer is valid only if it is the requested object, and 'not found' only if the API server
 * returns it for that object. Otherwise, an object would seem missing if a proxy in between answers
 * 404 or an empty page.
 *
 * @param <T> the kind
 * @param namespace null for all namespaces, which only {@link #list} accepts
 */
public record ObjectClient<T extends HasMetadata>(
    KubernetesClient client, ObjectKind<T> kind, String namespace, RequestListener listener) {
  /**
   * Returns the objects that have all these labels.
   *
   * @throws KubernetesClientException in all methods here: as the client threw it, if the API
   *     server refused the request or did not answer, or if it returned something else
   */
  public List<T> list(Map<String, String> labels) {
    return notifying(
        ObjectOperation.LIST,
        null,
        () -> {
          var objects = client.resources(kind.type());
          var inScope =
              namespace == null ? objects.inAnyNamespace() : objects.inNamespace(namespace);
          KubernetesResourceList<T> list =
              labels.isEmpty() ? inScope.list() : inScope.withLabels(labels).list();
          if (list == null || list.getItems() == null) {
            throw unexpectedAnswer("a list of " + HasMetadata.getKind(kind.type()));
          }
          return list.getItems();
        });
  }

  /** Returns the object with that name; null if it does not exist. */
  public T get(String name) {
    return notifying(ObjectOperation.GET, null, () -> require(named(name)));
  }

  private T require(ObjectMeta named) {
    try {
      return verified(resource(named).require(), named);
    } catch (ResourceNotFoundException e) {
      // The client throws this exception for every failure. Its cause is the real failure.
      if (e.getCause() instanceof KubernetesClientException failure) {
        if (isNotFound(failure)) {
          return null;
        }
        throw failure;
      }
      throw e;
    }
  }

  /** Creates an object. Labels and annotations with the value null are left out. */
  public T create(T object) {
    return notifying(
        ObjectOperation.CREATE,
        object,
        () -> {
          ObjectMeta metadata =
              named(object)
                  .edit()
                  .withLabels(withoutNulls(object.getMetadata().getLabels()))
                  .withAnnotations(withoutNulls(object.getMetadata().getAnnotations()))
                  .build();
          Map<String, Object> fields = new LinkedHashMap<>(kind.content().apply(object));
          fields.put("metadata", metadata);
          T item = client.getKubernetesSerialization().convertValue(fields, kind.type());
          return verified(client.resource(item).create(), named(object));
        });
  }

  /**
   * Changes the fields that the object has. A label, an annotation, or an entry of a map with the
   * value null is removed. With a resourceVersion, this fails with 409 if another writer was first.
   */
  public T patch(T object) {
    String patch = client.getKubernetesSerialization().asJson(diff(object));
    return notifying(
        ObjectOperation.PATCH,
        object,
        () ->
            verified(
                resource(named(object)).patch(PatchContext.of(PatchType.JSON_MERGE), patch),
                named(object)));
  }

  /**
   * Deletes the object; with a resourceVersion, only if no other writer has changed it since.
   *
   * @return whether the object existed
   */
  public boolean delete(T object) {
    return notifying(
        ObjectOperation.DELETE,
        object,
        () -> {
          Resource<T> resource = resource(named(object));
          String version = object.getMetadata().getResourceVersion();
          return !(version == null ? resource : resource.lockResourceVersion(version))
              .delete()
              .isEmpty();
        });
  }

  private <R> R notifying(ObjectOperation operation, T object, Supplier<R> request) {
    if (object != null) {
      listener.writing(kind, object);
    }
    try {
      R answer = request.get();
      HasMetadata now =
          object != null && kind.type().isInstance(answer) ? kind.type().cast(answer) : object;
      listener.ended(operation, kind, now, null);
      return answer;
    } catch (KubernetesClientException e) {
      listener.ended(operation, kind, object, e);
      throw e;
    }
  }

  /** Returns the body of the merge patch. The patch does not change fields that are not in it. */
  private Map<String, Object> diff(T object) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    putIfGiven(metadata, "labels", object.getMetadata().getLabels());
    putIfGiven(metadata, "annotations", object.getMetadata().getAnnotations());
    Map<String, Object> diff = new LinkedHashMap<>(kind.content().apply(object));
    String version = object.getMetadata().getResourceVersion();
    if (version != null) {
      metadata.put("resourceVersion", version);
    }
    if (!metadata.isEmpty()) {
      diff.put("metadata", metadata);
    }
    return diff;
  }

  private static void putIfGiven(Map<String, Object> map, String key, Map<String, String> value) {
    if (value != null) {
      map.put(key, value);
    }
  }

  private static Map<String, String> withoutNulls(Map<String, String> map) {
    Map<String, String> without = new LinkedHashMap<>(map == null ? Map.of() : map);
    without.values().removeIf(value -> value == null);
    return without;
  }

  /** Whether this object is missing. After a 404 for its namespace, creating it does not help. */
  boolean isNotFound(KubernetesClientException e) {
    Status status = e.getStatus();
    return e.getCode() == HttpURLConnection.HTTP_NOT_FOUND
        && status != null
        && status.getDetails() != null
        && HasMetadata.getPlural(kind.type()).equals(status.getDetails().getKind());
  }

  private T verified(T answer, ObjectMeta asked) {
    String name = HasMetadata.getKind(kind.type());
    ObjectMeta metadata = answer == null ? null : answer.getMetadata();
    if (metadata == null
        || metadata.getResourceVersion() == null
        || !name.equals(answer.getKind())
        || !asked.getName().equals(metadata.getName())
        || !asked.getNamespace().equals(metadata.getNamespace())) {
      throw unexpectedAnswer("%s %s".formatted(name, asked.getName()));
    }
    return answer;
  }

  private static KubernetesClientException unexpectedAnswer(String asked) {
    return new KubernetesClientException("the answer is not " + asked);
  }

  private Resource<T> resource(ObjectMeta named) {
    // An item, not a name: with a name, the client would read the object before it patches it.
    T item = org.apache.camel.support.ObjectHelper.newInstance(kind.type());
    item.setMetadata(named);
    return client.resource(item);
  }

  private ObjectMeta named(T object) {
    return named(object.getMetadata().getName());
  }

  private ObjectMeta named(String name) {
    if (namespace == null || namespace.isEmpty()) {
      throw new IllegalArgumentException("The operation requires a namespace");
    }
    if (name == null || name.isEmpty()) {
      throw new IllegalArgumentException("The operation requires a name");
    }
    return new ObjectMetaBuilder().withNamespace(namespace).withName(name).build();
  }
}
