package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Access to the Kubernetes API as fabric8 finds it, with bounds, and the namespace we work in. */
public final class KubernetesAccess {
  private KubernetesAccess() {}

  /**
   * Finds the API: KUBECONFIG, then {@code ~/.kube/config}, then the pod's service account.
   *
   * @return null when there is none of them
   */
  public static Config find() {
    Config config = Config.autoConfigure(null);
    boolean found =
        config.getCurrentContext() != null
            || config.getAutoOAuthToken() != null
            || System.getProperty(Config.KUBERNETES_MASTER_SYSTEM_PROPERTY) != null;
    return found ? config : null;
  }

  /**
   * A client whose requests end in time. It does not try again by itself: the routes do, within the
   * time a cycle has.
   */
  public static KubernetesClient client(Config config, Duration requestTimeout) {
    int millis = (int) requestTimeout.toMillis();
    config.setConnectionTimeout(millis);
    config.setRequestTimeout(millis);
    config.setRequestRetryBackoffLimit(0);
    return new KubernetesClientBuilder().withConfig(config).build();
  }

  /**
   * The namespace when none is set: the pod's own, then that of the kubeconfig's context, then
   * kubectl's {@code default}.
   */
  public static String namespace(Config config) throws IOException {
    Path pod =
        Path.of(
            System.getProperty(Config.KUBERNETES_NAMESPACE_FILE, Config.KUBERNETES_NAMESPACE_PATH));
    if (Files.isReadable(pod)) {
      return Files.readString(pod).strip();
    }
    return config.getNamespace() == null ? "default" : config.getNamespace();
  }
}
