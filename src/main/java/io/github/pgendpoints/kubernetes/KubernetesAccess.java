package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.Context;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/** Configures access to the Kubernetes API as fabric8 finds it, with limits, and the namespace. */
public final class KubernetesAccess {
  /** A connection is broken if a ping gets no answer before the next ping. */
  private static final Duration PING_INTERVAL = Duration.ofSeconds(10);

  private static final String SET_UP = "access to the Kubernetes API cannot be set up: ";

  private KubernetesAccess() {}

  /**
   * Finds the API: KUBECONFIG, then {@code ~/.kube/config}, then the pod's service account.
   *
   * @throws IllegalArgumentException if there is none of them, or it cannot be used; the message
   *     omits the contents, which are secret
   */
  public static Config find() {
    String files = String.join(File.pathSeparator, Config.getKubeconfigFilenames());
    ApiCredentials access;
    try {
      access = ApiCredentials.find();
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          root(e) instanceof NumberFormatException number
              ? "a variable KUBERNETES_… of the API's client is not a number: "
                  + number.getMessage()
              : "KUBECONFIG='" + files + "' is not a valid kubeconfig",
          e);
    }
    Config config = access.config();
    if (!access.isComplete()) {
      Context context = config.getCurrentContext().getContext();
      throw new IllegalArgumentException(
          "KUBECONFIG='%s' does not define both the cluster '%s' and the user '%s' of its current context"
              .formatted(files, context.getCluster(), context.getUser()));
    }
    if (config.getCurrentContext() != null
        || config.getAutoOAuthToken() != null
        || System.getProperty(Config.KUBERNETES_MASTER_SYSTEM_PROPERTY) != null) {
      // fabric8 itself handles an auth-provider, such as OIDC.
      config.setOauthTokenProvider(config.getAuthProvider() == null ? access : null);
      return config;
    }
    boolean exists =
        Config.getKubeconfigFilenames().stream().anyMatch(name -> new File(name).isFile());
    throw new IllegalArgumentException(
        exists
            ? "KUBECONFIG='" + files + "' does not define its current context, or has none"
            : "KUBECONFIG is not set, and there is neither "
                + files
                + " nor a pod's service account: no access to the Kubernetes API");
  }

  /** The name of this program in managedFields, in conflicts, and in the API server's audit log. */
  static final String MANAGER = "postgres-endpoint-manager";

  /**
   * Creates a client whose requests end in time. The client does not retry: the routes do, within
   * the time of a cycle.
   *
   * @throws IllegalArgumentException if a part of the access, such as a certificate, is invalid
   */
  public static KubernetesClient client(Config config, Duration requestTimeout) {
    int millis = (int) requestTimeout.toMillis();
    config.setConnectionTimeout(millis);
    config.setRequestTimeout(millis);
    config.setRequestRetryBackoffLimit(0);
    // The API server uses the part before the slash as the field manager of a write.
    config.setUserAgent(
        MANAGER + "/" + KubernetesAccess.class.getPackage().getImplementationVersion());
    config.setWebsocketPingInterval(PING_INTERVAL.toMillis());
    ApiCredentials access = access(config);
    access.use(requestTimeout, ApiProxy.of(address(config), access.proxyUrl()));
    try {
      return new KubernetesClientBuilder()
          .withConfig(config)
          .withHttpClientFactory(new ApiHttp(access))
          .build();
    } catch (RuntimeException e) {
      Throwable root = root(e);
      throw new IllegalArgumentException(
          SET_UP + (root instanceof IllegalArgumentException ? root.getMessage() : root), e);
    }
  }

  /** Parses the address of the API. The error omits the address, which may contain a password. */
  private static URI address(Config config) {
    try {
      return new URI(config.getMasterUrl());
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(
          SET_UP
              + "the address of the API is not a URL: %s at index %d"
                  .formatted(e.getReason(), e.getIndex()));
    }
  }

  /** The credentials that a client of this configuration sends. */
  public static ApiCredentials access(Config config) {
    if (config.getOauthTokenProvider() instanceof ApiCredentials access) {
      return access;
    }
    ApiCredentials access = ApiCredentials.of(config);
    if (config.getOauthTokenProvider() == null && config.getAuthProvider() == null) {
      config.setOauthTokenProvider(access);
    }
    return access;
  }

  private static Throwable root(Throwable failure) {
    return Stream.iterate(failure, cause -> cause != null, Throwable::getCause)
        .limit(20)
        .reduce(failure, (outer, inner) -> inner);
  }

  /**
   * Returns the namespace if none is set: that of the pod, then that of the kubeconfig's context,
   * then kubectl's {@code default}.
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
