package io.github.pgendpoints.kubernetes;

import org.apache.camel.component.kubernetes.KubernetesConstants;
import org.apache.camel.spi.Metadata;

/**
 * The scheme and the message headers of the {@code kubernetes-endpoint-slices} component. The
 * namespace and the operation have the headers that all Kubernetes components share: {@link
 * KubernetesConstants#KUBERNETES_NAMESPACE_NAME} and {@link
 * KubernetesConstants#KUBERNETES_OPERATION}.
 */
public final class KubernetesEndpointSlicesConstants {

  public static final String SCHEME_ENDPOINT_SLICES = "kubernetes-endpoint-slices";

  @Metadata(label = "producer", description = "The name of the EndpointSlice", javaType = "String")
  public static final String KUBERNETES_ENDPOINT_SLICES_NAME = "CamelKubernetesEndpointSlicesName";

  @Metadata(
      label = "producer",
      description =
          "The address family, IPv4 or IPv6, which a slice is created with and never changes.",
      javaType = "String")
  public static final String KUBERNETES_ENDPOINT_SLICES_ADDRESS_TYPE =
      "CamelKubernetesEndpointSlicesAddressType";

  @Metadata(
      label = "producer",
      description =
          "The endpoints. A patch replaces all of them, and an empty list empties the slice; without"
              + " the header a patch leaves them as they are.",
      javaType = "List<io.fabric8.kubernetes.api.model.discovery.v1.Endpoint>")
  public static final String KUBERNETES_ENDPOINT_SLICES_ENDPOINTS =
      "CamelKubernetesEndpointSlicesEndpoints";

  @Metadata(
      label = "producer",
      description =
          "The ports, which hold for every endpoint of the slice. A patch replaces all of them;"
              + " without the header it leaves them as they are.",
      javaType = "List<io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort>")
  public static final String KUBERNETES_ENDPOINT_SLICES_PORTS =
      "CamelKubernetesEndpointSlicesPorts";

  @Metadata(
      label = "producer",
      description =
          "The labels to select by or to set, of which kubernetes.io/service-name ties a slice to"
              + " its Service. A patch keeps every label that is not named here and removes one"
              + " whose value is null.",
      javaType = "Map<String, String>")
  public static final String KUBERNETES_ENDPOINT_SLICES_LABELS =
      "CamelKubernetesEndpointSlicesLabels";

  @Metadata(
      label = "producer",
      description =
          "The annotations to set. A patch keeps every annotation that is not named here and"
              + " removes one whose value is null.",
      javaType = "Map<String, String>")
  public static final String KUBERNETES_ENDPOINT_SLICES_ANNOTATIONS =
      "CamelKubernetesEndpointSlicesAnnotations";

  @Metadata(
      label = "producer",
      description =
          "The resourceVersion that a patch or a delete expects to find: when the slice was written"
              + " since, the API server refuses it with 409 Conflict. Without the header it applies"
              + " to whatever is there.",
      javaType = "String")
  public static final String KUBERNETES_ENDPOINT_SLICES_RESOURCE_VERSION =
      "CamelKubernetesEndpointSlicesResourceVersion";

  private KubernetesEndpointSlicesConstants() {}
}
