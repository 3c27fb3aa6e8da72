package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Endpoint;
import org.apache.camel.component.kubernetes.AbstractKubernetesComponent;
import org.apache.camel.component.kubernetes.AbstractKubernetesEndpoint;
import org.apache.camel.component.kubernetes.KubernetesConfiguration;

/**
 * A component for objects of one kind. It checks its options when the route starts.
 *
 * <p>The client is the one on the URI ({@code kubernetesClient=#name}), otherwise the one of the
 * component, otherwise the only one in the registry. With {@code local} or {@code client} as the
 * master URL, a client must exist. The other Kubernetes components would create their own client,
 * without the timeouts of the application's client, and possibly for another server.
 */
class ObjectComponent<T extends HasMetadata> extends AbstractKubernetesComponent {
  private static final Set<String> LOCAL = Set.of("local", "client");

  private final ObjectKind<T> kind;

  ObjectComponent(ObjectKind<T> kind) {
    this.kind = kind;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the operation is unknown or there is no client
   */
  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    AbstractKubernetesEndpoint endpoint =
        (AbstractKubernetesEndpoint) super.createEndpoint(uri, remaining, parameters);
    KubernetesConfiguration configuration = endpoint.getConfiguration();
    // The options are in the configuration, which only a generated configurer would set.
    setProperties(configuration, parameters);
    if (configuration.getOperation() != null) {
      ObjectOperation.named(configuration.getOperation(), kind);
    }
    if (configuration.getKubernetesClient() == null && LOCAL.contains(remaining)) {
      configuration.setKubernetesClient(clientOfRegistry());
    }
    return endpoint;
  }

  @Override
  protected AbstractKubernetesEndpoint doCreateEndpoint(
      String uri, String remaining, KubernetesConfiguration configuration) {
    return new ObjectEndpoint<>(uri, this, configuration, kind);
  }

  private KubernetesClient clientOfRegistry() {
    KubernetesClient client =
        getCamelContext().getRegistry().findSingleByType(KubernetesClient.class);
    if (client == null) {
      throw new IllegalArgumentException(
          "The registry has no KubernetesClient, or more than one: bind one, or name it by"
              + " kubernetesClient=#name");
    }
    return client;
  }
}
