package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_ANNOTATIONS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_LABELS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_NAME;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_RESOURCE_VERSION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_SUBSETS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.CREATE_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.GET_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.LIST_ENDPOINTS_BY_LABELS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.LIST_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.PATCH_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.PATCH_OR_CREATE_ENDPOINTS_OPERATION;
import static org.apache.camel.component.kubernetes.KubernetesConstants.KUBERNETES_NAMESPACE_NAME;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.EndpointsList;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.KubernetesClientException;
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
import org.apache.camel.component.kubernetes.KubernetesHelper;
import org.apache.camel.support.DefaultProducer;
import org.apache.camel.util.ObjectHelper;

/**
 * Runs one operation of {@link KubernetesEndpointsOperations} per message. The headers are those of
 * {@link KubernetesEndpointsConstants}; the answer of the API server becomes the body.
 *
 * <p>Every change is a JSON merge patch of what the headers name. It needs the verb {@code patch}
 * alone, it cannot undo what others wrote elsewhere in the object, and {@link
 * KubernetesEndpointsConstants#KUBERNETES_ENDPOINTS_RESOURCE_VERSION} makes it a compare-and-swap.
 */
public class KubernetesEndpointsProducer extends DefaultProducer {

  /** How often patch-or-create goes round when others create and delete the same Endpoints. */
  static final int PATCH_OR_CREATE_ATTEMPTS = 3;

  /**
   * @param endpoint whose options and client it uses
   */
  public KubernetesEndpointsProducer(KubernetesEndpointsEndpoint endpoint) {
    super(endpoint);
  }

  @Override
  public KubernetesEndpointsEndpoint getEndpoint() {
    return (KubernetesEndpointsEndpoint) super.getEndpoint();
  }

  /**
   * Runs the operation of the URI, else that of the header.
   *
   * @throws IllegalArgumentException when the operation or a header it needs is missing or wrong;
   *     nothing was sent then
   * @throws KubernetesClientException as the client threw it, when the API server refused or could
   *     not be asked
   */
  @Override
  public void process(Exchange exchange) {
    Message in = exchange.getIn();
    String operation = KubernetesHelper.extractOperation(getEndpoint(), exchange);
    Object answer =
        switch (operation) {
          case LIST_ENDPOINTS_OPERATION -> list(in);
          case LIST_ENDPOINTS_BY_LABELS_OPERATION -> listByLabels(in);
          case GET_ENDPOINTS_OPERATION -> get(in);
          case CREATE_ENDPOINTS_OPERATION -> create(in);
          case PATCH_ENDPOINTS_OPERATION -> patch(in);
          case PATCH_OR_CREATE_ENDPOINTS_OPERATION -> patchOrCreate(in);
          default -> throw new IllegalArgumentException("Unsupported operation " + operation);
        };
    KubernetesHelper.prepareOutboundMessage(exchange, answer);
  }

  private List<Endpoints> list(Message in) {
    return inNamespaceOrAny(in).list().getItems();
  }

  private List<Endpoints> listByLabels(Message in) {
    Map<String, String> labels = strings(in, KUBERNETES_ENDPOINTS_LABELS);
    if (ObjectHelper.isEmpty(labels)) {
      throw missing(KUBERNETES_ENDPOINTS_LABELS);
    }
    return inNamespaceOrAny(in).withLabels(labels).list().getItems();
  }

  private Endpoints get(Message in) {
    return resource(named(in).build()).get();
  }

  private Endpoints create(Message in) {
    Endpoints endpoints =
        named(in)
            .editMetadata()
            .withLabels(withoutNulls(strings(in, KUBERNETES_ENDPOINTS_LABELS)))
            .withAnnotations(withoutNulls(strings(in, KUBERNETES_ENDPOINTS_ANNOTATIONS)))
            .endMetadata()
            .withSubsets(subsets(in))
            .build();
    return resource(endpoints).create();
  }

  private Endpoints patch(Message in) {
    String patch =
        getEndpoint().getKubernetesClient().getKubernetesSerialization().asJson(diff(in));
    // An item, not a name: for a name the client would first read the object from the server.
    return resource(named(in).build()).patch(PatchContext.of(PatchType.JSON_MERGE), patch);
  }

  /**
   * Somebody else may create the Endpoints after the patch has missed them, and the next patch then
   * finds them. But a patch with a resourceVersion is about an object the sender has seen: the new
   * one it has not, and AlreadyExists says so.
   */
  private Endpoints patchOrCreate(Message in) {
    boolean compareAndSwap = in.getHeader(KUBERNETES_ENDPOINTS_RESOURCE_VERSION) != null;
    for (int attempt = 1; ; attempt++) {
      try {
        return patch(in);
      } catch (KubernetesClientException e) {
        if (!isEndpointsNotFound(e)) {
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

  /** The body of the merge patch: what is not in it stays as it is, and a null removes its key. */
  private static Map<String, Object> diff(Message in) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    putIfGiven(metadata, "labels", strings(in, KUBERNETES_ENDPOINTS_LABELS));
    putIfGiven(metadata, "annotations", strings(in, KUBERNETES_ENDPOINTS_ANNOTATIONS));
    List<EndpointSubset> subsets = subsets(in);
    if (metadata.isEmpty() && subsets == null) {
      throw missing(
          "%s, %s or %s"
              .formatted(
                  KUBERNETES_ENDPOINTS_SUBSETS,
                  KUBERNETES_ENDPOINTS_LABELS,
                  KUBERNETES_ENDPOINTS_ANNOTATIONS));
    }
    putIfGiven(
        metadata,
        "resourceVersion",
        in.getHeader(KUBERNETES_ENDPOINTS_RESOURCE_VERSION, String.class));
    Map<String, Object> diff = new LinkedHashMap<>();
    putIfGiven(diff, "metadata", metadata.isEmpty() ? null : metadata);
    putIfGiven(diff, "subsets", subsets);
    return diff;
  }

  /** A 404 for anything else, such as the namespace, is not mended by creating Endpoints. */
  private static boolean isEndpointsNotFound(KubernetesClientException e) {
    Status status = e.getStatus();
    return e.getCode() == HttpURLConnection.HTTP_NOT_FOUND
        && status != null
        && status.getDetails() != null
        && "endpoints".equals(status.getDetails().getKind());
  }

  /** The code alone would not do: Conflict is a 409 as well. */
  private static boolean isAlreadyExists(KubernetesClientException e) {
    return e.getStatus() != null && "AlreadyExists".equals(e.getStatus().getReason());
  }

  private AnyNamespaceOperation<Endpoints, EndpointsList, Resource<Endpoints>> inNamespaceOrAny(
      Message in) {
    var endpoints = getEndpoint().getKubernetesClient().endpoints();
    String namespace = namespace(in);
    return ObjectHelper.isEmpty(namespace)
        ? endpoints.inAnyNamespace()
        : endpoints.inNamespace(namespace);
  }

  private Resource<Endpoints> resource(Endpoints endpoints) {
    return getEndpoint().getKubernetesClient().resource(endpoints);
  }

  private EndpointsBuilder named(Message in) {
    String namespace = namespace(in);
    if (ObjectHelper.isEmpty(namespace)) {
      throw missing(KUBERNETES_NAMESPACE_NAME + " or the option namespace");
    }
    String name = in.getHeader(KUBERNETES_ENDPOINTS_NAME, String.class);
    if (ObjectHelper.isEmpty(name)) {
      throw missing(KUBERNETES_ENDPOINTS_NAME);
    }
    return new EndpointsBuilder()
        .withNewMetadata()
        .withNamespace(namespace)
        .withName(name)
        .endMetadata();
  }

  private String namespace(Message in) {
    String namespace = in.getHeader(KUBERNETES_NAMESPACE_NAME, String.class);
    return ObjectHelper.isEmpty(namespace)
        ? getEndpoint().getConfiguration().getNamespace()
        : namespace;
  }

  /**
   * Camel's type converters are of no use here: where they cannot convert they answer null, and a
   * header that was given must never pass for one that was not.
   */
  private static List<EndpointSubset> subsets(Message in) {
    Object value = in.getHeader(KUBERNETES_ENDPOINTS_SUBSETS);
    if (value == null) {
      return null;
    }
    if (value instanceof List<?> list && list.stream().allMatch(EndpointSubset.class::isInstance)) {
      return list.stream().map(EndpointSubset.class::cast).toList();
    }
    throw wrongType(KUBERNETES_ENDPOINTS_SUBSETS, "a List of EndpointSubset", value);
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

  private static IllegalArgumentException missing(String what) {
    return new IllegalArgumentException("The operation requires the header " + what);
  }

  private static IllegalArgumentException wrongType(String header, String wanted, Object value) {
    return new IllegalArgumentException(
        "The header %s must be %s, not %s".formatted(header, wanted, value.getClass().getName()));
  }
}
