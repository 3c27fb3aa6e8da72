package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.NamespacedKubernetesClient;
import io.fabric8.kubernetes.client.RequestConfigBuilder;
import java.util.UUID;
import org.apache.camel.support.cluster.AbstractCamelClusterService;

/**
 * Leader election among the replicas for Camel's {@code master:} component, whose namespace is the
 * name of a Lease.
 *
 * <p>Camel's own service for Kubernetes never looks at when a Lease was renewed: a leader that was
 * killed stays leader as long as its pod is listed as ready. It also needs the right to list pods.
 */
public final class LeaseClusterService extends AbstractCamelClusterService<LeaseView> {
  /** An answer that takes longer comes too late to renew by. */
  private static final int MAX_REQUEST_MILLIS = 2000;

  private final KubernetesClient client;
  private final String kubernetesNamespace;
  private final Leadership leadership;
  private final KubernetesErrors errors;
  private final String identity;

  /**
   * @param client for the Kubernetes API
   * @param kubernetesNamespace the Lease's
   * @param host the pod's name: the first half of what the Lease says of its holder
   * @param leadership told of each renewal
   * @param errors for the words of a failure
   */
  public LeaseClusterService(
      KubernetesClient client,
      String kubernetesNamespace,
      String host,
      Leadership leadership,
      KubernetesErrors errors) {
    this.client =
        client
            .adapt(NamespacedKubernetesClient.class)
            .withRequestConfig(
                new RequestConfigBuilder()
                    .withRequestTimeout(
                        Math.min(client.getConfiguration().getRequestTimeout(), MAX_REQUEST_MILLIS))
                    .withRequestRetryBackoffLimit(0)
                    .build())
            .call(bounded -> bounded);
    this.kubernetesNamespace = kubernetesNamespace;
    this.leadership = leadership;
    this.errors = errors;
    // A container that was restarted has its pod's name again, and is another process.
    this.identity = host + "_" + UUID.randomUUID().toString().substring(0, 8);
  }

  @Override
  protected LeaseView createView(String leaseName) {
    return new LeaseView(
        this, leaseName, kubernetesNamespace, identity, client, leadership, errors);
  }
}
