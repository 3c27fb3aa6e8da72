package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.Endpoints;

/**
 * Reads and writes Kubernetes Endpoints: {@code
 * kubernetes-endpoints:local?operation=patchEndpoints&namespace=db}.
 */
public class KubernetesEndpointsComponent extends ObjectComponent<Endpoints> {
  public KubernetesEndpointsComponent() {
    super(ObjectKind.ENDPOINTS);
  }
}
