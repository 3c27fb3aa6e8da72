package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointsConstants.SCHEME_ENDPOINTS;

import java.util.List;
import org.apache.camel.component.kubernetes.KubernetesConfiguration;
import org.apache.camel.spi.annotations.Component;

/**
 * Reads and writes Kubernetes Endpoints: {@code
 * kubernetes-endpoints:local?operation=getEndpoints&namespace=db}.
 */
@Component(SCHEME_ENDPOINTS)
public class KubernetesEndpointsComponent extends PatchingComponent {

  @Override
  List<String> operations() {
    return KubernetesEndpointsOperations.ALL;
  }

  @Override
  protected KubernetesEndpointsEndpoint doCreateEndpoint(
      String uri, String remaining, KubernetesConfiguration config) {
    return new KubernetesEndpointsEndpoint(uri, this, config);
  }
}
