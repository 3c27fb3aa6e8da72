package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_ANNOTATIONS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_LABELS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_NAME;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_RESOURCE_VERSION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_SUBSETS;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.CREATE_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.DELETE_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.GET_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.LIST_ENDPOINTS_BY_LABELS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.LIST_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.PATCH_ENDPOINTS_OPERATION;
import static io.github.pgendpoints.kubernetes.KubernetesEndpointsOperations.PATCH_OR_CREATE_ENDPOINTS_OPERATION;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.Endpoints;
import java.util.List;
import java.util.Map;
import org.apache.camel.Message;

/**
 * Runs one operation of {@link KubernetesEndpointsOperations} per message. The headers are those of
 * {@link KubernetesEndpointsConstants}.
 */
public class KubernetesEndpointsProducer extends PatchingProducer<Endpoints> {

  private static final Headers HEADERS =
      new Headers(
          KUBERNETES_ENDPOINTS_NAME,
          KUBERNETES_ENDPOINTS_LABELS,
          KUBERNETES_ENDPOINTS_ANNOTATIONS,
          KUBERNETES_ENDPOINTS_SUBSETS,
          KUBERNETES_ENDPOINTS_RESOURCE_VERSION);

  /**
   * @param endpoint whose options and client it uses
   */
  public KubernetesEndpointsProducer(KubernetesEndpointsEndpoint endpoint) {
    super(endpoint, Endpoints.class, HEADERS);
  }

  @Override
  Object run(String operation, Message in) throws Exception {
    return switch (operation) {
      case LIST_ENDPOINTS_OPERATION -> list(in);
      case LIST_ENDPOINTS_BY_LABELS_OPERATION -> listByLabels(in);
      case GET_ENDPOINTS_OPERATION -> get(in);
      case CREATE_ENDPOINTS_OPERATION -> create(in);
      case PATCH_ENDPOINTS_OPERATION -> patch(in);
      case PATCH_OR_CREATE_ENDPOINTS_OPERATION -> patchOrCreate(in);
      case DELETE_ENDPOINTS_OPERATION -> delete(in);
      default -> throw new IllegalArgumentException("Unsupported operation " + operation);
    };
  }

  @Override
  Map<String, Object> content(Message in) {
    List<EndpointSubset> subsets = list(in, KUBERNETES_ENDPOINTS_SUBSETS, EndpointSubset.class);
    return subsets == null ? Map.of() : Map.of("subsets", subsets);
  }
}
