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
 * Where the credentials and certificates for the API come from: the kubeconfigs, or the service
 * account of the pod. Their files are read again at each request and each connection, since they
 * change under a running program. A file that cannot be read leaves what was read last.
 */
final class Access implements OAuthTokenProvider {
  /** A plugin is not run again at once for a credential that the API does not accept. */
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
   * What the kubeconfigs hold.
   *
   * @param config as fabric8 makes it of them
   * @param cluster of the current context; null if there is none
   * @param user of the current context; null if there is none
   * @param file that holds the user; null if there is none
   */
  private record Source(Config config, Cluster cluster, AuthInfo user, File file) {}

  private Access(List<File> kubeconfigs, String accountToken) {
    this.kubeconfigs = kubeconfigs;
    this.accountToken = accountToken;
  }

  /**
   * Finds the kubeconfigs, and without them the service account.
   *
   * @throws RuntimeException if what is found cannot be read
   */
  static Access find() {
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
      Access account = new Access(files, file);
      account.source = new Source(Config.autoConfigure(null), null, null, null);
      return account;
    }
    Access access = new Access(files, null);
    access.contents = access.readKubeconfigs();
    access.source = access.load();
    return access;
  }

  /** Access by what a configuration holds already. */
  static Access of(Config config) {
    Access access = new Access(List.of(), null);
    access.source = new Source(config, null, null, null);
    return access;
  }

  /** fabric8 would run a plugin without a limit, but leaves it to a provider of tokens. */
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
      // Half-written: the next request reads it again.
    }
  }

  /** The configuration as found last. */
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
   * Completes what the requests need.
   *
   * @param limit of a run of a credential plugin
   * @param way null for none
   */
  synchronized void use(Duration limit, ApiProxy way) {
    timeout = limit;
    proxy = way;
  }

  /** The proxy on the way to the API; null if there is none. */
  synchronized ApiProxy proxy() {
    return proxy;
  }

  /** The certificates and the files of certificates that count now. */
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
   * @throws KubernetesClientException without a cause if a credential plugin gives none
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
    String known = token == null ? source.config().getAutoOAuthToken() : token;
    if (Utils.isNullOrEmpty(known) && runsPlugin()) {
      return credential(arrived).token();
    }
    return known == null ? null : known.strip();
  }

  /** Whether the last request carried a token, or there is a client certificate or a password. */
  synchronized boolean sendsCredentials() {
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

  /** Who waited for a run that failed does not run it again. */
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

  /** The API did not accept the credential. */
  synchronized void rejected() {
    if (System.nanoTime() - obtainedAt > MIN_CREDENTIAL_NANOS) {
      credential = null;
    }
  }

  /** Why a request carried no credentials, and what adds them. */
  synchronized String whyAnonymous() {
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
