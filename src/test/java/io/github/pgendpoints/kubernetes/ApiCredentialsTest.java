package io.github.pgendpoints.kubernetes;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.support.ForwardProxy;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.Tls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Credentials and certificates from every place where a kubeconfig or a pod has them. */
class ApiCredentialsTest {
  @TempDir private Path folder;

  private final FakeApiServer api = new FakeApiServer("db").withTls().start();
  private final Map<String, String> before = new HashMap<>();

  @AfterEach
  void restore() {
    before.forEach(
        (key, value) -> {
          if (value == null) {
            System.clearProperty(key);
          } else {
            System.setProperty(key, value);
          }
        });
    api.close();
  }

  // --- tokens -----------------------------------------------------------------------------------

  @Test
  void readsATokenFileAgain() throws IOException {
    Path token = Files.writeString(folder.resolve("token"), "first\n");
    kubeconfig("tokenFile: token");
    api.requireToken("first");

    try (KubernetesClient client = client()) {
      list(client);
      api.requireToken("second");
      Files.writeString(token, "second\n");
      list(client);
      // The file is empty for a moment while it is replaced.
      Files.writeString(token, "");
      list(client);
    }
    assertFalse(api.requests().isEmpty());
  }

  @Test
  void reportsThatATokenFileHoldsNoToken() throws IOException {
    kubeconfig("tokenFile: none");
    api.denyAnonymous();

    try (KubernetesClient client = client()) {
      String said = failure(client);
      assertTrue(
          said.endsWith(
              "; no credentials were sent: the tokenFile of user 'u' of %s, %s, holds no token"
                  .formatted(folder.resolve("config"), folder.resolve("none"))),
          said);
      assertFalse(said.contains("add to the Role"), said);
    }
  }

  @Test
  void reportsThatAUserHasNoCredentials() throws IOException {
    kubeconfig("as-user-extra: {}");
    api.denyAnonymous();

    try (KubernetesClient client = client()) {
      String said = failure(client);
      assertTrue(said.contains("give user 'u' of " + folder.resolve("config")), said);
    }
  }

  @Test
  void reportsThatNoCredentialsWereSent() throws IOException {
    kubeconfig("as-user-extra: {}");
    api.requireToken("t");

    try (KubernetesClient client = client()) {
      String said = failure(client);
      assertTrue(said.contains(" does not accept requests without credentials (401): "), said);
      assertTrue(said.contains("give user 'u' of " + folder.resolve("config")), said);
    }
    kubeconfig("token: wrong");
    try (KubernetesClient client = client()) {
      assertTrue(failure(client).contains(" does not accept our token (401): "));
    }
  }

  // --- exec plugins -----------------------------------------------------------------------------

  private static final String ANSWER =
      "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",";

  @Test
  void runsAPluginOnceAndAgainWhenItsTokenIsRefused() throws Exception {
    Path token = Files.writeString(folder.resolve("token"), "first");
    plugin(
        "echo warning >&2; echo run >> runs; test \"$A\" = 'b $c' || exit 9",
        ANSWER + "\"status\":{\"token\":\"'$(cat " + token + ")'\"}}'");
    api.requireToken("first");

    try (KubernetesClient client = client()) {
      list(client);
      list(client);
      assertEquals(1, runs());
      api.requireToken("second");
      Files.writeString(token, "second");
      // A plugin does not run again within a second.
      await().ignoreException(KubernetesClientException.class).untilAsserted(() -> list(client));
      assertEquals(2, runs());
    }
  }

  @Test
  void runsAPluginAgainWhenItsTokenExpires() throws Exception {
    plugin(
        "echo run >> runs",
        ANSWER + "\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"}}'");
    api.requireToken("t");

    try (KubernetesClient client = client()) {
      list(client);
      list(client);
    }
    assertEquals(2, runs());
  }

  private long runs() throws IOException {
    return Files.readAllLines(folder.resolve("runs")).size();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "echo; echo not logged in >&2; echo more >&2; exit 3 | failed with exit code 3: not logged in",
        "echo '{' | gave an answer that is not JSON",
        "echo '{}' | gave an answer of apiVersion ''",
        "sleep 61.7 | did not answer within KUBERNETES_TIMEOUT, 2000 ms",
        "echo asks >&2; sleep 61.7 & sleep 61.7 | did not answer within KUBERNETES_TIMEOUT, 2000 ms: asks",
      })
  void reportsAPluginThatFails(String line, String what) throws Exception {
    plugin("echo $$ > pid", line);

    try (KubernetesClient client = client(Duration.ofSeconds(2))) {
      long start = System.nanoTime();
      String said = failure(client);
      assertTrue(
          said.contains(
              ": the exec plugin './plugin' of %s %s".formatted(folder.resolve("config"), what)),
          said);
      assertTrue(System.nanoTime() - start < Duration.ofSeconds(10).toNanos());
    }
    assertEquals(
        List.of(),
        ProcessHandle.current()
            .descendants()
            .filter(
                child -> child.info().commandLine().orElse("").matches(".*(sleep 61.7|/plugin).*"))
            .toList());
    ProcessHandle.allProcesses()
        .filter(process -> process.info().commandLine().orElse("").equals("sleep 61.7"))
        .forEach(process -> assertFalse(process.isAlive(), process.info().toString()));
  }

  @Test
  void reportsAPluginThatDoesNotExist() throws IOException {
    kubeconfig(
        """
        exec:
          apiVersion: client.authentication.k8s.io/v1
          command: no-such-plugin
        """);
    try (KubernetesClient client = client()) {
      String said = failure(client);
      assertTrue(said.contains("the exec plugin 'no-such-plugin' of "), said);
      assertTrue(said.contains("does not start: "), said);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "apiVersion: client.authentication.k8s.io/v1, '' of %s has no command there",
    "command: plugin, 'plugin' of %s has no apiVersion there"
  })
  void reportsAPluginThatIsNotFullyDescribed(String given, String said) throws IOException {
    kubeconfig("exec:\n  " + given + "\n");
    try (KubernetesClient client = client()) {
      String expected = "the exec plugin " + said.formatted(folder.resolve("config"));
      assertTrue(failure(client).contains(expected), failure(client));
    }
  }

  private void plugin(String... lines) throws IOException {
    Path plugin = folder.resolve("plugin");
    Files.writeString(plugin, "#!/bin/sh\ncd " + folder + "\n" + String.join("\n", lines) + "\n");
    Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwx------"));
    kubeconfig(
        """
        exec:
          apiVersion: client.authentication.k8s.io/v1
          command: ./plugin
          args: [x]
          env: [{name: A, value: 'b $c'}]
        """);
  }

  // --- certificates -----------------------------------------------------------------------------

  /** The test replaces the files as the kubelet replaces those of a volume. */
  @Test
  void trustsANewAuthorityAndSendsANewToken() throws IOException {
    Path volume = folder.resolve("volume");
    Files.createDirectories(volume);
    publish(volume, "first", "token-1");
    Files.createSymbolicLink(volume.resolve("ca.crt"), Path.of("..data/ca.crt"));
    Files.createSymbolicLink(volume.resolve("token"), Path.of("..data/token"));
    api.requireToken("token-1");
    set("KUBERNETES_SERVICE_HOST", "127.0.0.1");
    set("KUBERNETES_SERVICE_PORT", String.valueOf(api.port()));
    set(Config.KUBERNETES_AUTH_TRYKUBECONFIG_SYSTEM_PROPERTY, "false");
    set(
        Config.KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN_FILE_SYSTEM_PROPERTY,
        volume.resolve("token").toString());
    set(Config.KUBERNETES_CA_CERTIFICATE_FILE_SYSTEM_PROPERTY, volume.resolve("ca.crt").toString());

    try (KubernetesClient client = client()) {
      list(client);
      api.stop().withTls().start();
      api.requireToken("token-2");
      assertTrue(failure(client).contains(" cannot be trusted: "), "the old CA counts");
      publish(volume, "second", "token-2");
      list(client);
    }
  }

  private void publish(Path volume, String version, String token) throws IOException {
    Path data = Files.createDirectory(volume.resolve(".." + version));
    api.caCertificate(data.resolve("ca.crt"));
    Files.writeString(data.resolve("token"), token);
    Path link = Files.createSymbolicLink(volume.resolve("..data_tmp"), data.getFileName());
    Files.move(link, volume.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
  }

  @Test
  void trustsTheAuthorityOfAChangedKubeconfig() throws IOException {
    kubeconfig("token: t");
    try (KubernetesClient client = client()) {
      list(client);
      api.stop().withTls().start();
      kubeconfig("token: t");
      list(client);
    }
  }

  @ParameterizedTest
  @CsvSource({"RSA, true", "EC, true", "EC, false"})
  void showsAClientCertificate(String algorithm, boolean inFiles) throws IOException {
    Tls.Client certificate = Tls.client(algorithm);
    api.stop().withClientCertificates(certificate).start();
    Files.writeString(folder.resolve("client.crt"), certificate.certificate());
    Files.writeString(folder.resolve("client.key"), certificate.key());
    kubeconfig(
        inFiles
            ? "client-certificate: client.crt\nclient-key: client.key"
            : "client-certificate-data: %s\nclient-key-data: %s"
                .formatted(
                    FakeApiServer.base64(certificate.certificate()),
                    FakeApiServer.base64(certificate.key())));
    try (KubernetesClient client = client()) {
      list(client);
    }
    kubeconfig("token: t");
    try (KubernetesClient client = client()) {
      assertThrows(KubernetesClientException.class, () -> list(client));
    }
  }

  // --- contexts, files, proxies -----------------------------------------------------------------

  @Test
  void mergesSeveralFiles() throws IOException {
    kubeconfig("token: t");
    Path first =
        Files.writeString(
            folder.resolve("first"),
            """
            current-context: c
            contexts:
              - {name: other, context: {cluster: none, user: none}}
            users:
              - {name: u, user: {tokenFile: token}}
            """);
    Files.writeString(folder.resolve("token"), "of-the-first");
    api.requireToken("of-the-first");
    set(
        Config.KUBERNETES_KUBECONFIG_FILE,
        "/none:%s:%s".formatted(first, folder.resolve("config")));

    try (KubernetesClient client = client()) {
      list(client);
    }
  }

  @Test
  void reportsThatAContextIsIncomplete() throws IOException {
    Path config = kubeconfig("token: t");
    Files.writeString(config, Files.readString(config).replace("user: u}", "user: other}"));

    assertEquals(
        "KUBECONFIG='%s' does not define both the cluster 'k' and the user 'other' of its current context"
            .formatted(config),
        assertThrows(IllegalArgumentException.class, ApiCredentialsTest::client).getMessage());
  }

  @Test
  void usesTheProxyOfTheCluster() throws IOException {
    try (ForwardProxy proxy = ForwardProxy.start()) {
      Path config = kubeconfig("token: t");
      Files.writeString(
          config,
          Files.readString(config)
              .replace(
                  "      server:",
                  "      proxy-url: http://127.0.0.1:" + proxy.port() + "\n      server:"));
      try (KubernetesClient client = client()) {
        list(client);
      }
      assertEquals(1, proxy.requests().size());
    }
  }

  // --- helpers ----------------------------------------------------------------------------------

  private Path kubeconfig(String user) throws IOException {
    Path file = folder.resolve("config");
    String indented = user.indent(6);
    Files.writeString(
        file,
        """
        current-context: c
        contexts:
          - {name: c, context: {cluster: k, user: u}}
        clusters:
          - name: k
            cluster:
              server: %s
              certificate-authority-data: %s
        users:
          - name: u
            user:
        %s"""
            .formatted(
                api.url(),
                FakeApiServer.base64(Files.readString(api.caCertificate(folder.resolve("ca")))),
                indented));
    set(Config.KUBERNETES_KUBECONFIG_FILE, file.toString());
    return file;
  }

  private static KubernetesClient client() {
    return client(Duration.ofSeconds(10));
  }

  private static KubernetesClient client(Duration timeout) {
    return KubernetesAccess.client(KubernetesAccess.find(), timeout);
  }

  private static void list(KubernetesClient client) {
    client.endpoints().inNamespace("db").list();
  }

  private static String failure(KubernetesClient client) {
    return new KubernetesErrors(client.getConfiguration())
        .describe(assertThrows(KubernetesClientException.class, () -> list(client)));
  }

  private void set(String key, String value) {
    before.putIfAbsent(key, System.getProperty(key));
    System.setProperty(key, value);
  }
}
