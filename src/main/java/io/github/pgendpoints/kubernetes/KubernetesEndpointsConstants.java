package io.github.pgendpoints.kubernetes;

import org.apache.camel.component.kubernetes.KubernetesConstants;
import org.apache.camel.spi.Metadata;

/**
 * The scheme and the message headers of the {@code kubernetes-endpoints} component. The namespace
 * and the operation have the headers that all Kubernetes components share: {@link
 * KubernetesConstants#KUBERNETES_NAMESPACE_NAME} and {@link
 * KubernetesConstants#KUBERNETES_OPERATION}.
 */
public final class KubernetesEndpointsConstants {

  public static final String SCHEME_ENDPOINTS = "kubernetes-endpoints";

  @Metadata(
      label = "producer",
      description = "The name of the Endpoints, which is the name of their Service",
      javaType = "String")
  public static final String KUBERNETES_ENDPOINTS_NAME = "CamelKubernetesEndpointsName";

  @Metadata(
      label = "producer",
      description =
          "The subsets. A patch replaces all of them, and an empty list empties the Endpoints;"
              + " without the header a patch leaves them as they are.",
      javaType = "List<io.fabric8.kubernetes.api.model.EndpointSubset>")
  public static final String KUBERNETES_ENDPOINTS_SUBSETS = "CamelKubernetesEndpointsSubsets";

  @Metadata(
      label = "producer",
      description =
          "The labels to select by or to set. A patch keeps every label that is not named here and"
              + " removes one whose value is null.",
      javaType = "Map<String, String>")
  public static final String KUBERNETES_ENDPOINTS_LABELS = "CamelKubernetesEndpointsLabels";

  @Metadata(
      label = "producer",
      description =
          "The annotations to set. A patch keeps every annotation that is not named here and"
              + " removes one whose value is null.",
      javaType = "Map<String, String>")
  public static final String KUBERNETES_ENDPOINTS_ANNOTATIONS =
      "CamelKubernetesEndpointsAnnotations";

  @Metadata(
      label = "producer",
      description =
          "The resourceVersion that a patch or a delete expects to find: when the Endpoints were"
              + " written since, the API server refuses it with 409 Conflict. Without the header it"
              + " applies to whatever is there.",
      javaType = "String")
  public static final String KUBERNETES_ENDPOINTS_RESOURCE_VERSION =
      "CamelKubernetesEndpointsResourceVersion";

  private KubernetesEndpointsConstants() {}
}
