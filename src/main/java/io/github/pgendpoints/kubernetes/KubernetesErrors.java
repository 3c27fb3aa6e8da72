package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Conditions;
import java.net.URI;
import java.util.stream.Stream;

/** Says in one sentence what the Kubernetes API refused, or that it could not be reached. */
public final class KubernetesErrors {
  private final String server;
  private final Conditions conditions;

  /**
   * @param masterUrl of the API server
   * @param conditions told of each failure
   */
  public KubernetesErrors(String masterUrl, Conditions conditions) {
    URI uri = URI.create(masterUrl);
    int standard = "http".equals(uri.getScheme()) ? 80 : 443;
    this.server = uri.getHost() + ":" + (uri.getPort() < 0 ? standard : uri.getPort());
    this.conditions = conditions;
  }

  /** Tells of a failure, which the cycle survives. */
  public void report(KubernetesClientException failure) {
    conditions.publishFailed(describe(failure));
  }

  /** The sentence: the server's own message, or what kept us from the server. */
  String describe(KubernetesClientException failure) {
    String said =
        failure.getStatus() != null && failure.getStatus().getMessage() != null
            ? failure.getStatus().getMessage()
            : null;
    if (failure.getCode() == 401) {
      return "the Kubernetes API at %s does not accept our token (401): %s"
          .formatted(server, said == null ? "Unauthorized" : said);
    }
    if (failure.getCode() > 0) {
      return "the Kubernetes API at %s said no (%d): %s"
          .formatted(server, failure.getCode(), said == null ? failure.getMessage() : said);
    }
    Throwable root =
        Stream.iterate((Throwable) failure, cause -> cause != null, Throwable::getCause)
            .limit(20)
            .reduce((first, last) -> last)
            .orElse(failure);
    return root == failure
        ? failure.getMessage()
        : "the Kubernetes API at %s cannot be reached: %s".formatted(server, text(root));
  }

  private static String text(Throwable root) {
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }
}
