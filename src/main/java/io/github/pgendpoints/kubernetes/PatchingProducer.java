package io.github.pgendpoints.kubernetes;

import static org.apache.camel.component.kubernetes.KubernetesConstants.KUBERNETES_NAMESPACE_NAME;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.ResourceNotFoundException;
import io.fabric8.kubernetes.client.dsl.AnyNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kubernetes.AbstractKubernetesEndpoint;
import org.apache.camel.component.kubernetes.KubernetesHelper;
import org.apache.camel.support.DefaultProducer;
import org.apache.camel.util.ObjectHelper;

/**
 * Reads and writes the objects of one kind, as the headers of a message say; the answer of the API
 * server becomes the body.
 *
 * <p>Every change is a JSON merge patch of what the headers name. It needs the verb {@code patch}
 * alone, it cannot undo what others wrote elsewhere in the object, and with a resourceVersion it is
 * a compare-and-swap.
 *
 * <p>An answer counts only when it is the object that was asked for, and 'not found' only when the
 * API server says it of that object. A proxy on the way that answers 404 or with an empty page
 * would otherwise pass for an object that does not exist.
 *
 * @param <T> the kind
 */
abstract class PatchingProducer<T extends HasMetadata> extends DefaultProducer {

  /** How often patch-or-create goes round when others create and delete the same object. */
  static final int PATCH_OR_CREATE_ATTEMPTS = 3;

  /**
   * The names of the headers.
   *
   * @param content the one that says most of what {@link #content} returns
   */
  record Headers(
      String name, String labels, String annotations, String content, String resourceVersion) {}

  private final Class<T> type;
  private final Headers headers;

  /** Null when there is none. */
  private WriteGuard guard;

  PatchingProducer(AbstractKubernetesEndpoint endpoint, Class<T> type, Headers headers) {
    super(endpoint);
    this.type = type;
    this.headers = headers;
  }

  @Override
  public AbstractKubernetesEndpoint getEndpoint() {
    return (AbstractKubernetesEndpoint) super.getEndpoint();
  }

  @Override
  protected void doInit() throws Exception {
    super.doInit();
    guard = getEndpoint().getCamelContext().getRegistry().findSingleByType(WriteGuard.class);
  }

  /**
   * Runs the operation of the URI, else that of the header.
   *
   * @throws IllegalArgumentException when the operation or a header it needs is missing or wrong;
   *     nothing was sent then
   * @throws KubernetesClientException as the client threw it, when the API server refused or could
   *     not be asked
   * @throws Exception what the {@link WriteGuard} threw; nothing was sent then
   */
  @Override
  public void process(Exchange exchange) throws Exception {
    String operation = KubernetesHelper.extractOperation(getEndpoint(), exchange);
    KubernetesHelper.prepareOutboundMessage(exchange, run(operation, exchange.getIn()));
  }

  /** Runs an operation by one of the methods below. */
  abstract Object run(String operation, Message in) throws Exception;

  /** What the headers say of the object besides its metadata, by field; empty when nothing. */
  abstract Map<String, Object> content(Message in);

  final List<T> list(Message in) {
    return items(inNamespaceOrAny(in).list());
  }

  final List<T> listByLabels(Message in) {
    Map<String, String> labels = strings(in, headers.labels());
    if (ObjectHelper.isEmpty(labels)) {
      throw missing(headers.labels());
    }
    return items(inNamespaceOrAny(in).withLabels(labels).list());
  }

  /** Null when the object does not exist. */
  final T get(Message in) {
    ObjectMeta named = named(in);
    try {
      return verified(resource(named).require(), named);
    } catch (ResourceNotFoundException e) {
      // The client's name for every failure: what it was is the cause.
      if (e.getCause() instanceof KubernetesClientException failure) {
        if (isNotFound(failure)) {
          return null;
        }
        throw failure;
      }
      throw e;
    }
  }

  final T create(Message in) throws Exception {
    ObjectMeta named = named(in);
    guard(in);
    ObjectMeta metadata =
        named
            .edit()
            .withLabels(withoutNulls(strings(in, headers.labels())))
            .withAnnotations(withoutNulls(strings(in, headers.annotations())))
            .build();
    Map<String, Object> object = new LinkedHashMap<>(content(in));
    object.put("metadata", metadata);
    T item = client().getKubernetesSerialization().convertValue(object, type);
    return verified(client().resource(item).create(), named);
  }

  final T patch(Message in) throws Exception {
    ObjectMeta named = named(in);
    String patch = client().getKubernetesSerialization().asJson(diff(in));
    guard(in);
    return verified(resource(named).patch(PatchContext.of(PatchType.JSON_MERGE), patch), named);
  }

  /**
   * Somebody else may create the object after the patch has missed it, and the next patch then
   * finds it. But a patch with a resourceVersion is about an object the sender has seen: the new
   * one it has not, and AlreadyExists says so.
   */
  final T patchOrCreate(Message in) throws Exception {
    boolean compareAndSwap = in.getHeader(headers.resourceVersion()) != null;
    for (int attempt = 1; ; attempt++) {
      try {
        return patch(in);
      } catch (KubernetesClientException e) {
        if (!isNotFound(e)) {
          throw e;
        }
      }
      try {
        return create(in);
      } catch (KubernetesClientException e) {
        if (!isAlreadyExists(e) || compareAndSwap || attempt == PATCH_OR_CREATE_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /**
   * Deletes the object, and with a resourceVersion only when nobody wrote it since.
   *
   * @return whether there was one
   */
  final boolean delete(Message in) throws Exception {
    Resource<T> object = resource(named(in));
    guard(in);
    String version = in.getHeader(headers.resourceVersion(), String.class);
    return !(version == null ? object : object.lockResourceVersion(version)).delete().isEmpty();
  }

  private void guard(Message in) throws Exception {
    if (guard != null) {
      guard.check(in.getExchange());
    }
  }

  /** The body of the merge patch: what is not in it stays as it is, and a null removes its key. */
  private Map<String, Object> diff(Message in) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    putIfGiven(metadata, "labels", strings(in, headers.labels()));
    putIfGiven(metadata, "annotations", strings(in, headers.annotations()));
    Map<String, Object> diff = new LinkedHashMap<>(content(in));
    if (metadata.isEmpty() && diff.isEmpty()) {
      throw missing(
          "%s, %s or %s".formatted(headers.content(), headers.labels(), headers.annotations()));
    }
    putIfGiven(metadata, "resourceVersion", in.getHeader(headers.resourceVersion(), String.class));
    putIfGiven(diff, "metadata", metadata.isEmpty() ? null : metadata);
    return diff;
  }

  /** A 404 for anything else, such as the namespace, is not mended by creating the object. */
  private boolean isNotFound(KubernetesClientException e) {
    return isNotFound(e, type);
  }

  static boolean isNotFound(KubernetesClientException e, Class<? extends HasMetadata> type) {
    Status status = e.getStatus();
    return e.getCode() == HttpURLConnection.HTTP_NOT_FOUND
        && status != null
        && status.getDetails() != null
        && HasMetadata.getPlural(type).equals(status.getDetails().getKind());
  }

  /** The code alone would not do: Conflict is a 409 as well. */
  private static boolean isAlreadyExists(KubernetesClientException e) {
    return e.getStatus() != null && "AlreadyExists".equals(e.getStatus().getReason());
  }

  /**
   * @throws KubernetesClientException when the answer is not that object
   */
  private T verified(T answer, ObjectMeta asked) {
    return verified(answer, type, asked);
  }

  static <T extends HasMetadata> T verified(T answer, Class<T> type, ObjectMeta asked) {
    String kind = HasMetadata.getKind(type);
    ObjectMeta metadata = answer == null ? null : answer.getMetadata();
    if (metadata == null
        || metadata.getResourceVersion() == null
        || !kind.equals(answer.getKind())
        || !asked.getName().equals(metadata.getName())
        || !asked.getNamespace().equals(metadata.getNamespace())) {
      throw unexpectedAnswer("%s %s".formatted(kind, asked.getName()));
    }
    return answer;
  }

  private List<T> items(KubernetesResourceList<T> list) {
    if (list == null || list.getItems() == null) {
      throw unexpectedAnswer("a list of " + HasMetadata.getKind(type));
    }
    return list.getItems();
  }

  private AnyNamespaceOperation<T, KubernetesResourceList<T>, Resource<T>> inNamespaceOrAny(
      Message in) {
    var objects = client().resources(type);
    String namespace = namespace(in);
    return ObjectHelper.isEmpty(namespace)
        ? objects.inAnyNamespace()
        : objects.inNamespace(namespace);
  }

  private Resource<T> resource(ObjectMeta named) {
    // An item, not a name: for a name the client would read the object before it patches it.
    T item = org.apache.camel.support.ObjectHelper.newInstance(type);
    item.setMetadata(named);
    return client().resource(item);
  }

  private KubernetesClient client() {
    return getEndpoint().getKubernetesClient();
  }

  private ObjectMeta named(Message in) {
    String namespace = namespace(in);
    if (ObjectHelper.isEmpty(namespace)) {
      throw missing(KUBERNETES_NAMESPACE_NAME + " or the option namespace");
    }
    String name = in.getHeader(headers.name(), String.class);
    if (ObjectHelper.isEmpty(name)) {
      throw missing(headers.name());
    }
    return new ObjectMetaBuilder().withNamespace(namespace).withName(name).build();
  }

  private String namespace(Message in) {
    String namespace = in.getHeader(KUBERNETES_NAMESPACE_NAME, String.class);
    return ObjectHelper.isEmpty(namespace)
        ? getEndpoint().getConfiguration().getNamespace()
        : namespace;
  }

  /**
   * A header with a list of some type; null when it is not there.
   *
   * <p>Camel's type converters are of no use here: where they cannot convert they answer null, and
   * a header that was given must never pass for one that was not.
   */
  static <E> List<E> list(Message in, String header, Class<E> element) {
    Object value = in.getHeader(header);
    if (value == null) {
      return null;
    }
    if (value instanceof List<?> list && list.stream().allMatch(element::isInstance)) {
      return list.stream().map(element::cast).toList();
    }
    throw wrongType(header, "a List of " + element.getSimpleName(), value);
  }

  /** A header with a text; null when it is not there. */
  static String string(Message in, String header) {
    Object value = in.getHeader(header);
    if (value == null || value instanceof String) {
      return (String) value;
    }
    throw wrongType(header, "a String", value);
  }

  private static Map<String, String> strings(Message in, String header) {
    Object value = in.getHeader(header);
    if (value == null) {
      return null;
    }
    Map<String, String> strings = new LinkedHashMap<>();
    if (value instanceof Map<?, ?> map) {
      map.forEach(
          (key, text) -> {
            if (!(key instanceof String) || text != null && !(text instanceof String)) {
              throw wrongType(header, "a Map of String to String", value);
            }
            strings.put((String) key, (String) text);
          });
      return strings;
    }
    throw wrongType(header, "a Map of String to String", value);
  }

  private static Map<String, String> withoutNulls(Map<String, String> map) {
    if (map != null) {
      map.values().removeIf(value -> value == null);
    }
    return map;
  }

  private static void putIfGiven(Map<String, Object> map, String key, Object value) {
    if (value != null) {
      map.put(key, value);
    }
  }

  private static KubernetesClientException unexpectedAnswer(String asked) {
    return new KubernetesClientException("the answer is not " + asked);
  }

  private static IllegalArgumentException missing(String what) {
    return new IllegalArgumentException("The operation requires the header " + what);
  }

  private static IllegalArgumentException wrongType(String header, String wanted, Object value) {
    return new IllegalArgumentException(
        "The header %s must be %s, not %s".formatted(header, wanted, value.getClass().getName()));
  }
}
