package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.SCHEME_ENDPOINT_SLICES;

import java.util.List;
import org.apache.camel.component.kubernetes.KubernetesConfiguration;
import org.apache.camel.spi.annotations.Component;

/**
 * Reads and writes Kubernetes EndpointSlices: {@code
 * kubernetes-endpoint-slices:local?operation=listEndpointSlices&namespace=db}.
 */
@Component(SCHEME_ENDPOINT_SLICES)
public class KubernetesEndpointSlicesComponent extends PatchingComponent {

  @Override
  List<String> operations() {
    return KubernetesEndpointSlicesOperations.ALL;
  }

  @Override
  protected KubernetesEndpointSlicesEndpoint doCreateEndpoint(
      String uri, String remaining, KubernetesConfiguration config) {
    return new KubernetesEndpointSlicesEndpoint(uri, this, config);
  }
}
