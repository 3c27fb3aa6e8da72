package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.publish.ApiBudget;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeException;
import org.apache.camel.Message;
import org.apache.camel.Variable;

/** Says which requests to the Kubernetes API are tried again. */
public final class Retries {

  /** Whether to try again; the message then says how long the API server asks to wait before. */
  public boolean isWorthATry(
      @Variable("cluster") Cluster cluster,
      @ExchangeException KubernetesClientException failure,
      Message message) {
    message.removeHeader(Exchange.REDELIVERY_DELAY);
    ApiBudget.retryAfter(failure)
        .ifPresent(wait -> message.setHeader(Exchange.REDELIVERY_DELAY, wait.toMillis()));
    // Camel has counted the try in question already.
    int retries = message.getHeader(Exchange.REDELIVERY_COUNTER, 1, Integer.class) - 1;
    return cluster.budget().allowsRetry(failure, retries);
  }
}
