package io.github.pgendpoints.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.okhttp.OkHttpClientImpl;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KubernetesAccessTest {
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

  @Test
  void readsARotatedTokenOfTheServiceAccountAgain() throws IOException {
    Path token = Files.writeString(folder.resolve("token"), "first");
    set("KUBERNETES_SERVICE_HOST", "127.0.0.1");
    set("KUBERNETES_SERVICE_PORT", String.valueOf(api.port()));
    set(Config.KUBERNETES_AUTH_TRYKUBECONFIG_SYSTEM_PROPERTY, "false");
    set(Config.KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN_FILE_SYSTEM_PROPERTY, token.toString());
    set(
        Config.KUBERNETES_CA_CERTIFICATE_FILE_SYSTEM_PROPERTY,
        api.caCertificate(folder.resolve("ca.crt")).toString());
    api.requireToken("first");

    try (KubernetesClient client = client()) {
      ask(client);
      api.requireToken("second");
      assertEquals(401, assertThrows(KubernetesClientException.class, () -> ask(client)).getCode());
      Files.writeString(token, "second");
      ask(client);
    }
  }

  @Test
  void readsAChangedKubeconfigAgain() {
    Path kubeconfig = folder.resolve("config");
    set(Config.KUBERNETES_KUBECONFIG_FILE, api.kubeconfig(kubeconfig).toString());

    try (KubernetesClient client = client()) {
      ask(client);
      api.requireToken("second").kubeconfig(kubeconfig);
      ask(client);
    }
  }

  /** As kubectl does. To trust more authorities, an operator sets a separate trust store. */
  @Test
  void trustsTheAuthorityOfTheClusterAlone() {
    set(Config.KUBERNETES_KUBECONFIG_FILE, api.kubeconfig(folder.resolve("config")).toString());

    try (KubernetesClient client = client()) {
      assertEquals(1, authorities(client));
      ask(client);
    }
    assertNull(System.getProperty("javax.net.ssl.trustStore"));
  }

  /** A kubeconfig may name no authority: then a public one has signed the API's certificate. */
  @Test
  void trustsPublicAuthoritiesWithoutAClusterOne() throws IOException {
    Path kubeconfig = api.kubeconfig(folder.resolve("config"));
    String text = Files.readString(kubeconfig);
    Files.writeString(
        kubeconfig,
        text.replaceFirst("certificate-authority-data: .*", "certificate-authority-data: ''"));
    assertNotEquals(text, Files.readString(kubeconfig));
    set(Config.KUBERNETES_KUBECONFIG_FILE, kubeconfig.toString());

    try (KubernetesClient client = client()) {
      assertTrue(authorities(client) > 50);
      assertThrows(KubernetesClientException.class, () -> ask(client));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ftp://svc:s3cret@h:1", "http://svc:s3cret@h:99999", "svc:s3cret@", "a b"})
  void namesTheVariableOfAProxyThatCannotBeRead(String proxy) {
    set(Config.KUBERNETES_KUBECONFIG_FILE, api.kubeconfig(folder.resolve("config")).toString());
    set(Config.KUBERNETES_HTTPS_PROXY, proxy);

    assertEquals(
        "https.proxy does not name a proxy; allowed: [scheme://][user:password@]host[:port] with the"
            + " scheme http, https, socks4, or socks5",
        assertThrows(IllegalArgumentException.class, KubernetesAccessTest::client).getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "certificate-authority | ca.crt | | is not a readable file",
        "certificate-authority | ca.crt | ' ' | is empty",
        "certificate-authority | ca.crt | hunter2 | holds no certificate (PEM)",
        "client-certificate | client.crt | | is not a readable file",
        "client-certificate | client.crt | ' ' | is empty",
        "client-certificate | client.crt | hunter2 | holds no certificate (PEM)",
        "client-key | client.key | | is not a readable file",
        "client-key | client.key | ' ' | is empty",
        "client-key | client.key | hunter2 | holds no private key (PEM)",
      })
  void namesTheFileOfTheAccessThatCannotBeUsed(
      String name, String broken, String content, String problem) throws IOException {
    Path tls = Path.of("src/test/resources/tls");
    Files.copy(tls.resolve("client.crt"), folder.resolve("ca.crt"));
    Files.copy(tls.resolve("client.crt"), folder.resolve("client.crt"));
    Files.copy(tls.resolve("client.key"), folder.resolve("client.key"));
    Path kubeconfig =
        Files.writeString(
            folder.resolve("config"),
            """
            clusters: [{name: c, cluster: {server: "https://h", certificate-authority: ca.crt}}]
            users: [{name: u, user: {client-certificate: client.crt, client-key: client.key}}]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x
            """);
    set(Config.KUBERNETES_KUBECONFIG_FILE, kubeconfig.toString());
    client().close();

    Files.delete(folder.resolve(broken));
    if (content != null) {
      Files.writeString(folder.resolve(broken), content);
    }
    assertEquals(
        "access to the Kubernetes API cannot be set up: %s '%s' %s"
            .formatted(name, folder.resolve(broken), problem),
        assertThrows(IllegalArgumentException.class, KubernetesAccessTest::client).getMessage());
  }

  @Test
  void namesTheTextOfTheAccessThatCannotBeUsed() throws IOException {
    Path kubeconfig = api.kubeconfig(folder.resolve("config"));
    Files.writeString(
        kubeconfig,
        Files.readString(kubeconfig)
            .replaceFirst("(certificate-authority-data:) .*", "$1 aHVudGVyMg=="));
    set(Config.KUBERNETES_KUBECONFIG_FILE, kubeconfig.toString());

    assertEquals(
        "access to the Kubernetes API cannot be set up: certificate-authority-data holds no"
            + " certificate (PEM)",
        assertThrows(IllegalArgumentException.class, KubernetesAccessTest::client).getMessage());
  }

  @Test
  void hidesAPasswordInTheAddressOfTheApi() throws IOException {
    Path kubeconfig = api.kubeconfig(folder.resolve("config"));
    Files.writeString(
        kubeconfig, Files.readString(kubeconfig).replace("https://", "https://svc:s3^cret@"));
    set(Config.KUBERNETES_KUBECONFIG_FILE, kubeconfig.toString());

    assertNoPassword();
  }

  private static void assertNoPassword() {
    String message =
        assertThrows(IllegalArgumentException.class, KubernetesAccessTest::client).getMessage();
    assertTrue(message.startsWith("access to the Kubernetes API cannot be set up: "), message);
    assertFalse(message.contains("s3"), message);
  }

  @Test
  void doesNotBlameAKubeconfigForAVariable() {
    set(Config.KUBERNETES_KUBECONFIG_FILE, api.kubeconfig(folder.resolve("config")).toString());
    set(Config.KUBERNETES_REQUEST_TIMEOUT_SYSTEM_PROPERTY, "abc");

    assertEquals(
        "a variable KUBERNETES_… of the API's client is not a number: For input string: \"abc\"",
        assertThrows(IllegalArgumentException.class, KubernetesAccess::find).getMessage());
  }

  private static int authorities(KubernetesClient client) {
    return ((OkHttpClientImpl) client.getHttpClient())
        .getOkHttpClient()
        .x509TrustManager()
        .getAcceptedIssuers()
        .length;
  }

  private static KubernetesClient client() {
    Config config = KubernetesAccess.find();
    assertNotNull(config);
    return KubernetesAccess.client(config, Duration.ofSeconds(10));
  }

  private static void ask(KubernetesClient client) {
    client.endpoints().inNamespace("db").list();
  }

  private void set(String key, String value) {
    before.putIfAbsent(key, System.getProperty(key));
    System.setProperty(key, value);
  }
}
