package io.github.pgendpoints.kubernetes;

import static io.github.pgendpoints.kubernetes.KubernetesEndpointSlicesConstants.SCHEME_ENDPOINT_SLICES;

import org.apache.camel.Category;
import org.apache.camel.Consumer;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.component.kubernetes.AbstractKubernetesEndpoint;
import org.apache.camel.component.kubernetes.KubernetesConfiguration;
import org.apache.camel.spi.UriEndpoint;

/** Perform operations on Kubernetes EndpointSlices. */
@UriEndpoint(
    firstVersion = "4.18.0",
    scheme = SCHEME_ENDPOINT_SLICES,
    title = "Kubernetes EndpointSlices",
    syntax = "kubernetes-endpoint-slices:masterUrl",
    producerOnly = true,
    category = {Category.CONTAINER, Category.CLOUD},
    headersClass = KubernetesEndpointSlicesConstants.class)
public class KubernetesEndpointSlicesEndpoint extends AbstractKubernetesEndpoint {

  /**
   * @param uri the whole URI
   * @param component the component it belongs to
   * @param config the options of the URI, with the client to use
   */
  public KubernetesEndpointSlicesEndpoint(
      String uri, KubernetesEndpointSlicesComponent component, KubernetesConfiguration config) {
    super(uri, component, config);
  }

  @Override
  public Producer createProducer() {
    return new KubernetesEndpointSlicesProducer(this);
  }

  /**
   * There is no consumer: poll with {@code listEndpointSlicesByLabels} from a timer instead.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public Consumer createConsumer(Processor processor) {
    throw new UnsupportedOperationException(
        "You cannot consume from %s: the component is a producer only".formatted(this));
  }
}
