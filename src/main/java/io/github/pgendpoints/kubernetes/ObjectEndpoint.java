package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import org.apache.camel.Category;
import org.apache.camel.Consumer;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.component.kubernetes.AbstractKubernetesEndpoint;
import org.apache.camel.component.kubernetes.KubernetesConfiguration;
import org.apache.camel.spi.UriEndpoint;

/** Performs operations on Kubernetes Endpoints or EndpointSlices. */
@UriEndpoint(
    firstVersion = "4.18.0",
    scheme = "kubernetes-endpoints,kubernetes-endpoint-slices",
    title = "Kubernetes Endpoints",
    syntax = "kubernetes-endpoints:masterUrl",
    producerOnly = true,
    category = {Category.CONTAINER, Category.CLOUD})
class ObjectEndpoint<T extends HasMetadata> extends AbstractKubernetesEndpoint {
  private final ObjectKind<T> kind;

  ObjectEndpoint(
      String uri,
      ObjectComponent<T> component,
      KubernetesConfiguration configuration,
      ObjectKind<T> kind) {
    super(uri, component, configuration);
    this.kind = kind;
  }

  @Override
  public Producer createProducer() {
    return new ObjectProducer<>(this, kind);
  }

  /**
   * There is no consumer: poll from a timer instead.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public Consumer createConsumer(Processor processor) {
    throw new UnsupportedOperationException(
        "You cannot consume from %s: the component is a producer only".formatted(this));
  }
}
