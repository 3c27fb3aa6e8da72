package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.AuthInfo;
import io.fabric8.kubernetes.api.model.Cluster;
import io.fabric8.kubernetes.api.model.NamedContext;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.OAuthTokenProvider;
import io.fabric8.kubernetes.client.internal.KubeConfigUtils;
import io.fabric8.kubernetes.client.utils.Utils;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The credentials and certificates for the API, from the kubeconfigs or the service account of the
 * pod. The files are read again for each request and each connection, since they change while the
 * program runs. If a file cannot be read, its last contents stay in use.
 */
public final class ApiCredentials implements OAuthTokenProvider {
  /** A plugin does not run again sooner than this for a credential that the API rejects. */
  private static final long MIN_CREDENTIAL_NANOS = Duration.ofSeconds(1).toNanos();

  private final List<File> kubeconfigs;

  /** The file that holds the token of the pod's service account; null outside of a pod. */
  private final String accountToken;

  private Duration timeout = Duration.ofSeconds(5);
  private ApiProxy proxy;

  private Source source;
  private String contents;
  private String token;
  private boolean sendsToken = true;
  private ExecPlugin.Credential credential;
  private long obtainedAt;
  private String failure;
  private long failedAt;

  /**
   * The contents of the kubeconfigs.
   *
   * @param config the configuration that fabric8 creates from them
   * @param cluster the cluster of the current context; null if there is none
   * @param user the user of the current context; null if there is none
   * @param file the file that defines the user; null if there is none
   */
  private record Source(Config config, Cluster cluster, AuthInfo user, File file, String token) {
    /** Keeps the token of the file: after a 401, fabric8 replaces that of the configuration. */
    Source(Config config, Cluster cluster, AuthInfo user, File file) {
      this(config, cluster, user, file, config.getAutoOAuthToken());
    }
  }

  private ApiCredentials(List<File> kubeconfigs, String accountToken) {
    this.kubeconfigs = kubeconfigs;
    this.accountToken = accountToken;
  }

  /**
   * Finds the kubeconfigs or, without them, the service account.
   *
   * @throws RuntimeException if they cannot be read
   */
  static ApiCredentials find() {
    List<File> files =
        Utils.getSystemPropertyOrEnvVar(Config.KUBERNETES_AUTH_TRYKUBECONFIG_SYSTEM_PROPERTY, true)
            ? Config.getKubeconfigFilenames().stream()
                .map(File::new)
                .filter(file -> file.isFile() && file.length() > 0)
                .toList()
            : List.of();
    if (files.isEmpty()) {
      String file =
          Utils.getSystemPropertyOrEnvVar(
              Config.KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN_FILE_SYSTEM_PROPERTY,
              Config.KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH);
      ApiCredentials account = new ApiCredentials(files, file);
      account.source = new Source(Config.autoConfigure(null), null, null, null);
      return account;
    }
    ApiCredentials access = new ApiCredentials(files, null);
    access.contents = access.readKubeconfigs();
    access.source = access.load();
    return access;
  }

  /** Returns the credentials that a configuration already contains. */
  static ApiCredentials of(Config config) {
    ApiCredentials access = new ApiCredentials(List.of(), null);
    access.source = new Source(config, null, null, null);
    return access;
  }

  /** Sets a token provider, without which fabric8 would run a plugin, and without a time limit. */
  private Source load() {
    var models =
        kubeconfigs.stream()
            .map(KubeConfigUtils::parseConfig)
            .toArray(io.fabric8.kubernetes.api.model.Config[]::new);
    Config config = Config.empty();
    config.setOauthTokenProvider(this);
    KubeConfigUtils.merge(config, null, models);
    Config.configFromSysPropsOrEnvVars(config);
    NamedContext context = config.getCurrentContext();
    if (context == null) {
      return new Source(config, null, null, null);
    }
    Cluster cluster =
        Stream.of(models)
            .flatMap(model -> stream(model.getClusters()))
            .filter(named -> named.getName().equals(context.getContext().getCluster()))
            .findFirst()
            .map(named -> named.getCluster())
            .orElse(null);
    var user =
        Stream.of(models)
            .flatMap(model -> stream(model.getUsers()))
            .filter(named -> named.getName().equals(context.getContext().getUser()))
            .findFirst();
    return new Source(
        config,
        cluster,
        user.map(named -> named.getUser()).orElse(null),
        KubeConfigUtils.getFileWithNamedAuthInfo(context));
  }

  private static <T> Stream<T> stream(List<T> list) {
    return list == null ? Stream.empty() : list.stream();
  }

  private String readKubeconfigs() {
    return String.join("\n", kubeconfigs.stream().map(file -> read(file.getPath())).toList());
  }

  private static String read(String file) {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException e) {
      return "";
    }
  }

  private void refresh() {
    String now = kubeconfigs.isEmpty() ? contents : readKubeconfigs();
    if (Objects.equals(now, contents)) {
      return;
    }
    try {
      Source fresh = load();
      if (fresh.config().getCurrentContext() != null) {
        source = fresh;
        contents = now;
        token = null;
        credential = null;
      }
    } catch (RuntimeException e) {
      // A file is half-written. The next request reads it again.
    }
  }

  /** The configuration that was loaded last. */
  synchronized Config config() {
    return source.config();
  }

  /** Whether the current context names a cluster and a user that exist. */
  synchronized boolean isComplete() {
    return source.config().getCurrentContext() == null
        || source.cluster() != null && source.user() != null;
  }

  /** The proxy-url of the cluster; null if there is none. */
  synchronized String proxyUrl() {
    return source.cluster() == null ? null : source.cluster().getProxyUrl();
  }

  /**
   * Sets the remaining parameters of the requests.
   *
   * @param limit the time limit of a run of a credential plugin
   * @param way the proxy to the API; null for none
   */
  synchronized void use(Duration limit, ApiProxy way) {
    timeout = limit;
    proxy = way;
  }

  /** The proxy to the API; null if there is none. */
  synchronized ApiProxy proxy() {
    return proxy;
  }

  /** The proxy and the setting that names it, without its password; null if there is none. */
  public synchronized String proxyInWords() {
    return proxy == null ? null : proxy.toString();
  }

  /** Returns the configuration with the current certificates and certificate files. */
  synchronized Config certificates() {
    refresh();
    Config config = source.config();
    if (credential != null && credential.certificate() != null) {
      config.setClientCertData(credential.certificate());
      config.setClientKeyData(credential.key());
      config.setClientKeyAlgo(Config.getKeyAlgorithm(null, credential.key()));
    }
    return config;
  }

  /**
   * The token to send now; null if there is none.
   *
   * @throws KubernetesClientException without a cause if a credential plugin returns none
   */
  @Override
  public String getToken() {
    long arrived = System.nanoTime();
    synchronized (this) {
      String now = token(arrived);
      sendsToken = Utils.isNotNullOrEmpty(now);
      return now;
    }
  }

  private String token(long arrived) {
    refresh();
    String set = Utils.getSystemPropertyOrEnvVar(Config.KUBERNETES_OAUTH_TOKEN_SYSTEM_PROPERTY);
    if (set != null) {
      return set.strip();
    }
    String file = tokenFile();
    String read = file == null ? "" : read(file).strip();
    if (!read.isEmpty()) {
      token = read;
    }
    String known = token == null ? source.token() : token;
    if (Utils.isNullOrEmpty(known) && runsPlugin()) {
      return credential(arrived).token();
    }
    return known == null ? null : known.strip();
  }

  /** Whether the last request carried a token, or there is a client certificate or a password. */
  public synchronized boolean sendsCredentials() {
    Config config = source.config();
    return sendsToken
        || Utils.isNotNullOrEmpty(config.getClientCertData())
        || Utils.isNotNullOrEmpty(config.getClientCertFile())
        || Utils.isNotNullOrEmpty(config.getPassword());
  }

  private String tokenFile() {
    AuthInfo user = source.user();
    if (user == null || Utils.isNullOrEmpty(user.getTokenFile())) {
      return accountToken;
    }
    return source.file().toPath().toAbsolutePath().resolveSibling(user.getTokenFile()).toString();
  }

  private boolean runsPlugin() {
    return source.user() != null && source.user().getExec() != null;
  }

  /** Runs the plugin if necessary, but not for a request that waited for a run that failed. */
  private ExecPlugin.Credential credential(long arrived) {
    if (credential == null || credential.hasExpired()) {
      if (failure != null && failedAt - arrived > 0) {
        throw new KubernetesClientException(failure);
      }
      try {
        credential =
            new ExecPlugin(source.user().getExec(), source.file(), source.cluster(), timeout).run();
        obtainedAt = System.nanoTime();
      } catch (KubernetesClientException e) {
        failure = e.getMessage();
        failedAt = System.nanoTime();
        throw e;
      }
    }
    return credential;
  }

  /** Drops the credential, which the API rejected, unless the plugin has just returned it. */
  synchronized void rejected() {
    if (System.nanoTime() - obtainedAt > MIN_CREDENTIAL_NANOS) {
      credential = null;
    }
  }

  /** Returns why a request carried no credentials, and how to add them. */
  public synchronized String whyAnonymous() {
    NamedContext context = source.config().getCurrentContext();
    if (context == null) {
      return accountToken == null
          ? "no credentials were sent"
          : "no credentials were sent: there is no token in "
              + accountToken
              + "; set automountServiceAccountToken in the pod, or KUBECONFIG";
    }
    String user = "user '%s' of %s".formatted(context.getContext().getUser(), name(source.file()));
    return tokenFile() != null
        ? "no credentials were sent: the tokenFile of %s, %s, holds no token"
            .formatted(user, tokenFile())
        : "no credentials were accepted: give %s a token, tokenFile, exec, or a client certificate of the cluster"
            .formatted(user);
  }

  private static String name(File file) {
    return file == null ? "the kubeconfig" : file.toString();
  }
}
