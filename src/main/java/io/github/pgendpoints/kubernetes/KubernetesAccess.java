package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Utils;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;

/** Access to the Kubernetes API as fabric8 finds it, with bounds, and the namespace we work in. */
public final class KubernetesAccess {
  /** A connection over which a ping is not answered until the next one is broken. */
  private static final Duration PING_INTERVAL = Duration.ofSeconds(10);

  private static final String TRUST = "javax.net.ssl.trustStore";

  private KubernetesAccess() {}

  /**
   * Finds the API: KUBECONFIG, then {@code ~/.kube/config}, then the pod's service account.
   *
   * @throws IllegalArgumentException when there is none of them, or it cannot be used; the message
   *     says so without the contents, which are secret
   */
  public static Config find() {
    String files = String.join(File.pathSeparator, Config.getKubeconfigFilenames());
    Config config;
    try {
      config = Config.autoConfigure(null);
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          root(e) instanceof NumberFormatException number
              ? "a variable KUBERNETES_… of the API's client is not a number: "
                  + number.getMessage()
              : "KUBECONFIG='" + files + "' is not a valid kubeconfig",
          e);
    }
    if (config.getCurrentContext() != null
        || config.getAutoOAuthToken() != null
        || System.getProperty(Config.KUBERNETES_MASTER_SYSTEM_PROPERTY) != null) {
      return config;
    }
    boolean exists =
        Config.getKubeconfigFilenames().stream().anyMatch(name -> new File(name).isFile());
    throw new IllegalArgumentException(
        exists
            ? "KUBECONFIG='" + files + "' has no current context that it defines"
            : "KUBECONFIG is not set, and there is neither "
                + files
                + " nor a pod's service account: no access to the Kubernetes API");
  }

  /**
   * A client whose requests end in time. It does not try again by itself: the routes do, within the
   * time a cycle has.
   *
   * @throws IllegalArgumentException when what was found cannot be used, such as a certificate
   */
  public static KubernetesClient client(Config config, Duration requestTimeout) {
    int millis = (int) requestTimeout.toMillis();
    config.setConnectionTimeout(millis);
    config.setRequestTimeout(millis);
    config.setRequestRetryBackoffLimit(0);
    config.setWebsocketPingInterval(PING_INTERVAL.toMillis());
    try {
      URI.create(config.getMasterUrl());
      return trustingTheClusterAlone(
          config,
          () ->
              new KubernetesClientBuilder()
                  .withConfig(config)
                  .withHttpClientFactory(new ApiHttp())
                  .build());
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          "access to the Kubernetes API cannot be set up: " + withoutPasswords(root(e)), e);
    }
  }

  private static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  /** What is wrong with an address is told with the address, and that may hold a password. */
  private static String withoutPasswords(Throwable failure) {
    return failure instanceof URISyntaxException address
        ? "the address of the API or of a proxy is not a URL: %s at index %d"
            .formatted(address.getReason(), address.getIndex())
        : failure.toString().replaceAll("//.*@", "//…@");
  }

  /**
   * Builds it so that, as for kubectl, the certificate authority that comes with the access is the
   * only one that can vouch for the API. fabric8 adds those that Java itself trusts, some 140 that
   * also take a while to read; it finds them by this property.
   */
  private static KubernetesClient trustingTheClusterAlone(
      Config config, Supplier<KubernetesClient> builder) {
    boolean hasAuthority =
        Utils.isNotNullOrEmpty(config.getCaCertData())
            || Utils.isNotNullOrEmpty(config.getCaCertFile());
    if (!hasAuthority
        || Utils.isNotNullOrEmpty(config.getTrustStoreFile())
        || System.getProperty(TRUST) != null) {
      return builder.get();
    }
    // No file, which fabric8 takes for an empty store.
    System.setProperty(TRUST, "/dev/null");
    try {
      return builder.get();
    } finally {
      System.clearProperty(TRUST);
    }
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
