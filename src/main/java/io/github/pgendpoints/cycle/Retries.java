package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.publish.ApiBudget;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeException;
import org.apache.camel.Message;
import org.apache.camel.Variable;

/** Decides which requests to the Kubernetes API are retried, and when. */
public final class Retries {

  /**
   * Decides whether to retry, and sets the delay that the API server requests.
   *
   * @return whether to retry
   */
  public boolean prepareRetry(
      @Variable("cluster") Cluster cluster,
      @ExchangeException KubernetesClientException failure,
      Message message) {
    message.removeHeader(Exchange.REDELIVERY_DELAY);
    ApiBudget.retryAfter(failure)
        .ifPresent(wait -> message.setHeader(Exchange.REDELIVERY_DELAY, wait.toMillis()));
    // Camel has already counted the retry in question.
    int retries = message.getHeader(Exchange.REDELIVERY_COUNTER, 1, Integer.class) - 1;
    return cluster.budget().allowsRetry(failure, retries);
  }
}
