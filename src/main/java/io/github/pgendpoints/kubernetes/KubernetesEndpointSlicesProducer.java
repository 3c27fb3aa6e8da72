package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_ADDRESS_TYPE;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_ANNOTATIONS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_ENDPOINTS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_LABELS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_NAME;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_PORTS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.KUBERNETES_ENDPOINT_SLICES_RESOURCE_VERSION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesOperations.CREATE_ENDPOINT_SLICE_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesOperations.DELETE_ENDPOINT_SLICE_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesOperations.GET_ENDPOINT_SLICE_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesOperations.LIST_ENDPOINT_SLICES_BY_LABELS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesOperations.LIST_ENDPOINT_SLICES_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesOperations.PATCH_ENDPOINT_SLICE_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesOperations.PATCH_OR_CREATE_ENDPOINT_SLICE_OPERATION;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.camel.Message;

/**
 * Runs one operation of {@link KubernetesEndpointSlicesOperations} per message. The headers are
 * those of {@link KubernetesEndpointSlicesConstants}.
 */
public class KubernetesEndpointSlicesProducer extends PatchingProducer<EndpointSlice> {

  private static final Headers HEADERS =
      new Headers(
          KUBERNETES_ENDPOINT_SLICES_NAME,
          KUBERNETES_ENDPOINT_SLICES_LABELS,
          KUBERNETES_ENDPOINT_SLICES_ANNOTATIONS,
          KUBERNETES_ENDPOINT_SLICES_ENDPOINTS,
          KUBERNETES_ENDPOINT_SLICES_RESOURCE_VERSION);

  /**
   * @param endpoint whose options and client it uses
   */
  public KubernetesEndpointSlicesProducer(KubernetesEndpointSlicesEndpoint endpoint) {
    super(endpoint, EndpointSlice.class, HEADERS);
  }

  @Override
  Object run(String operation, Message in) throws Exception {
    return switch (operation) {
      case LIST_ENDPOINT_SLICES_OPERATION -> list(in);
      case LIST_ENDPOINT_SLICES_BY_LABELS_OPERATION -> listByLabels(in);
      case GET_ENDPOINT_SLICE_OPERATION -> get(in);
      case CREATE_ENDPOINT_SLICE_OPERATION -> create(in);
      case PATCH_ENDPOINT_SLICE_OPERATION -> patch(in);
      case PATCH_OR_CREATE_ENDPOINT_SLICE_OPERATION -> patchOrCreate(in);
      case DELETE_ENDPOINT_SLICE_OPERATION -> delete(in);
      default -> throw new IllegalArgumentException("Unsupported operation " + operation);
    };
  }

  @Override
  Map<String, Object> content(Message in) {
    Map<String, Object> content = new LinkedHashMap<>();
    content.put("addressType", string(in, KUBERNETES_ENDPOINT_SLICES_ADDRESS_TYPE));
    content.put("endpoints", list(in, KUBERNETES_ENDPOINT_SLICES_ENDPOINTS, Endpoint.class));
    content.put("ports", list(in, KUBERNETES_ENDPOINT_SLICES_PORTS, EndpointPort.class));
    content.values().removeIf(value -> value == null);
    return content;
  }
}
