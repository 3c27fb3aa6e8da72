package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;

/**
 * Reads and writes Kubernetes EndpointSlices: {@code
 * kubernetes-endpoint-slices:local?operation=listEndpointSlices&namespace=db}.
 */
public class KubernetesEndpointSlicesComponent extends ObjectComponent<EndpointSlice> {
  public KubernetesEndpointSlicesComponent() {
    super(ObjectKind.ENDPOINT_SLICES);
  }
}
