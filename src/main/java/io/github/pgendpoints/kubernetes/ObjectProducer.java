package io.github.pgendpoints.kubernetes;

import static org.apache.camel.component.kubernetes.KubernetesConstants.KUBERNETES_NAMESPACE_NAME;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kubernetes.AbstractKubernetesEndpoint;
import org.apache.camel.component.kubernetes.KubernetesHelper;
import org.apache.camel.support.DefaultProducer;

/**
 * Runs the operation of the URI, otherwise that of the header, with the body. The answer of the API
 * server becomes the new body. Before each change, it calls the {@link WriteGuard} of the registry,
 * so that no route and no retry can omit the check.
 */
final class ObjectProducer<T extends HasMetadata> extends DefaultProducer {
  /** The most attempts of patch-or-create while others create and delete the same object. */
  static final int PATCH_OR_CREATE_ATTEMPTS = 3;

  private final ObjectKind<T> kind;
  private WriteGuard guard;
  private RequestListener listener;

  ObjectProducer(AbstractKubernetesEndpoint endpoint, ObjectKind<T> kind) {
    super(endpoint);
    this.kind = kind;
  }

  @Override
  public AbstractKubernetesEndpoint getEndpoint() {
    return (AbstractKubernetesEndpoint) super.getEndpoint();
  }

  @Override
  protected void doInit() throws Exception {
    super.doInit();
    var registry = getEndpoint().getCamelContext().getRegistry();
    guard = registry.findSingleByType(WriteGuard.class);
    RequestListener bound = registry.findSingleByType(RequestListener.class);
    listener = bound == null ? RequestListener.NONE : bound;
  }

  /**
   * @throws IllegalArgumentException if the operation, the namespace, or the body is missing or
   *     wrong; then nothing was sent
   * @throws KubernetesClientException as the client threw it, if the API server refused the request
   *     or did not answer
   * @throws Exception as the {@link WriteGuard} threw it; then nothing was sent
   */
  @Override
  public void process(Exchange exchange) throws Exception {
    ObjectOperation operation =
        ObjectOperation.named(KubernetesHelper.extractOperation(getEndpoint(), exchange), kind);
    ObjectClient<T> client =
        new ObjectClient<>(
            getEndpoint().getKubernetesClient(), kind, namespace(exchange.getIn()), listener);
    Object answer =
        switch (operation) {
          case LIST -> client.list(labels(exchange.getIn()));
          case GET -> client.get(name(exchange.getIn()));
          case CREATE -> client.create(checked(exchange));
          case PATCH -> client.patch(checked(exchange));
          case PATCH_OR_CREATE -> patchOrCreate(client, exchange);
          case DELETE -> client.delete(checked(exchange));
        };
    KubernetesHelper.prepareOutboundMessage(exchange, answer);
  }

  /**
   * Patches the object, or creates it. If another writer creates it in between, the next patch
   * finds it. But a patch with a resourceVersion is for an object that the sender has read. It has
   * not read the new one, so this throws AlreadyExists.
   */
  private T patchOrCreate(ObjectClient<T> client, Exchange exchange) throws Exception {
    boolean compareAndSwap = object(exchange).getMetadata().getResourceVersion() != null;
    for (int attempt = 1; ; attempt++) {
      try {
        return client.patch(checked(exchange));
      } catch (KubernetesClientException e) {
        if (!client.isNotFound(e)) {
          throw e;
        }
      }
      try {
        return client.create(checked(exchange));
      } catch (KubernetesClientException e) {
        if (!isAlreadyExists(e) || compareAndSwap || attempt == PATCH_OR_CREATE_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** Checks the reason, not only the code: Conflict is a 409 as well. */
  private static boolean isAlreadyExists(KubernetesClientException e) {
    return e.getStatus() != null && "AlreadyExists".equals(e.getStatus().getReason());
  }

  /** Returns the object in the body if the guard allows to write it. */
  private T checked(Exchange exchange) throws Exception {
    T object = object(exchange);
    if (guard != null) {
      guard.check(exchange);
    }
    return object;
  }

  private T object(Exchange exchange) {
    Object body = exchange.getIn().getBody();
    if (!kind.type().isInstance(body)) {
      throw wrongBody("an object of kind " + kind.name(), body);
    }
    T object = kind.type().cast(body);
    ObjectMeta metadata = object.getMetadata();
    if (metadata == null || metadata.getName() == null || metadata.getName().isEmpty()) {
      throw new IllegalArgumentException("The operation requires a name");
    }
    return object;
  }

  /** Uses no type converter, which would convert any body to a name. */
  private static String name(Message in) {
    if (!(in.getBody() instanceof String name)) {
      throw wrongBody("the name of an object", in.getBody());
    }
    return name;
  }

  private static IllegalArgumentException wrongBody(String wanted, Object body) {
    return new IllegalArgumentException(
        "The body must be %s, not %s"
            .formatted(wanted, body == null ? "null" : body.getClass().getName()));
  }

  private static Map<String, String> labels(Message in) {
    if (in.getBody() == null) {
      return Map.of();
    }
    if (!(in.getBody() instanceof Map<?, ?> map)) {
      throw wrongBody("a Map of labels, or null", in.getBody());
    }
    Map<String, String> labels = new LinkedHashMap<>();
    map.forEach((key, value) -> labels.put(String.valueOf(key), String.valueOf(value)));
    return labels;
  }

  /** Returns null if there is none. */
  private String namespace(Message in) {
    String namespace = in.getHeader(KUBERNETES_NAMESPACE_NAME, String.class);
    return namespace == null || namespace.isEmpty()
        ? getEndpoint().getConfiguration().getNamespace()
        : namespace;
  }
}
