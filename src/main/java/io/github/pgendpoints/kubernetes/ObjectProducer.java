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
 * Runs the operation of the URI, else that of the header, with the body; the answer of the API
 * server becomes the new body. Before each change it asks the {@link WriteGuard} of the registry,
 * so that no route can forget to, and no retry either.
 */
final class ObjectProducer<T extends HasMetadata> extends DefaultProducer {
  /** How often patch-or-create goes round when others create and delete the same object. */
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
   * @throws IllegalArgumentException when the operation, the namespace or the body is missing or
   *     wrong; nothing was sent then
   * @throws KubernetesClientException as the client threw it, when the API server refused or did
   *     not answer
   * @throws Exception what the {@link WriteGuard} threw; nothing was sent then
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
          case CREATE -> create(client, exchange);
          case PATCH -> patch(client, exchange);
          case PATCH_OR_CREATE -> patchOrCreate(client, exchange);
          case DELETE -> delete(client, exchange);
        };
    KubernetesHelper.prepareOutboundMessage(exchange, answer);
  }

  private T create(ObjectClient<T> client, Exchange exchange) throws Exception {
    T object = object(exchange);
    check(exchange);
    return client.create(object);
  }

  private T patch(ObjectClient<T> client, Exchange exchange) throws Exception {
    T object = object(exchange);
    check(exchange);
    return client.patch(object);
  }

  private boolean delete(ObjectClient<T> client, Exchange exchange) throws Exception {
    T object = object(exchange);
    check(exchange);
    return client.delete(object);
  }

  /**
   * Somebody else may create the object after the patch has missed it, and the next patch then
   * finds it. But a patch with a resourceVersion is about an object that the sender has seen: the
   * new one it has not, and AlreadyExists says so.
   */
  private T patchOrCreate(ObjectClient<T> client, Exchange exchange) throws Exception {
    boolean compareAndSwap = object(exchange).getMetadata().getResourceVersion() != null;
    for (int attempt = 1; ; attempt++) {
      try {
        return patch(client, exchange);
      } catch (KubernetesClientException e) {
        if (!client.isNotFound(e)) {
          throw e;
        }
      }
      try {
        return create(client, exchange);
      } catch (KubernetesClientException e) {
        if (!isAlreadyExists(e) || compareAndSwap || attempt == PATCH_OR_CREATE_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** The code alone would not do: Conflict is a 409 as well. */
  private static boolean isAlreadyExists(KubernetesClientException e) {
    return e.getStatus() != null && "AlreadyExists".equals(e.getStatus().getReason());
  }

  private void check(Exchange exchange) throws Exception {
    if (guard != null) {
      guard.check(exchange);
    }
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

  /** No type converter: it would make a name of whatever the body is. */
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

  /** Null when there is none. */
  private String namespace(Message in) {
    String namespace = in.getHeader(KUBERNETES_NAMESPACE_NAME, String.class);
    return namespace == null || namespace.isEmpty()
        ? getEndpoint().getConfiguration().getNamespace()
        : namespace;
  }
}
