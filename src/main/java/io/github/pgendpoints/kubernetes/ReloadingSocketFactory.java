package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.internal.CertUtils;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import io.fabric8.kubernetes.client.utils.Utils;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Opens TLS connections to the API with the current certificates of the files: a cluster replaces
 * its CA, and an issuer replaces a client certificate, while the program runs.
 */
final class ReloadingSocketFactory extends SSLSocketFactory {
  private final Supplier<Config> access;
  private Context current;

  /** A TLS context and the file contents that it was created from. */
  private record Context(List<String> contents, X509TrustManager trust, SSLContext tls) {}

  /**
   * @param access supplies the current certificates and files
   * @throws IllegalArgumentException if they cannot be used
   */
  ReloadingSocketFactory(Supplier<Config> access) {
    this.access = access;
    Config config = access.get();
    try {
      this.current = context(config, contents(config));
    } catch (GeneralSecurityException | IOException | RuntimeException e) {
      String fault = fault(config);
      throw fault == null ? new IllegalArgumentException(e) : new IllegalArgumentException(fault);
    }
  }

  /** Returns which file or text is invalid, and why; null if each is valid by itself. */
  private static String fault(Config config) {
    return Stream.of(
            fault(
                "certificate-authority",
                config.getCaCertData(),
                config.getCaCertFile(),
                Certificates::fault),
            fault(
                "client-certificate",
                config.getClientCertData(),
                config.getClientCertFile(),
                Certificates::fault),
            fault(
                "client-key",
                config.getClientKeyData(),
                config.getClientKeyFile(),
                Certificates::faultOfKey))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  private static String fault(
      String name, String data, String file, Function<byte[], String> check) {
    boolean isText = Utils.isNotNullOrEmpty(data);
    if (!isText && Utils.isNullOrEmpty(file)) {
      return null;
    }
    String what = isText ? name + "-data" : name + " '" + file + "'";
    try {
      String fault =
          check.apply(
              isText ? Base64.getMimeDecoder().decode(data) : Files.readAllBytes(Path.of(file)));
      return fault == null ? null : what + " " + fault;
    } catch (IOException | IllegalArgumentException e) {
      return what + (isText ? " is not base64" : " is not a readable file");
    }
  }

  /** The trust manager of the current context. */
  synchronized X509TrustManager trust() {
    return current.trust();
  }

  /** Returns the sockets of the last valid context: a file may be half-written. */
  private synchronized SSLSocketFactory sockets() {
    try {
      Config config = access.get();
      List<String> contents = contents(config);
      if (!contents.equals(current.contents())) {
        current = context(config, contents);
      }
    } catch (GeneralSecurityException | IOException | RuntimeException e) {
      // The TLS handshake shows whether the last context is still valid.
    }
    return current.tls().getSocketFactory();
  }

  private static List<String> contents(Config config) throws IOException {
    List<String> contents = new ArrayList<>();
    contents.add(content(config.getCaCertData(), config.getCaCertFile()));
    contents.add(content(config.getClientCertData(), config.getClientCertFile()));
    contents.add(content(config.getClientKeyData(), config.getClientKeyFile()));
    return contents;
  }

  private static String content(String data, String file) throws IOException {
    return Utils.isNotNullOrEmpty(data)
        ? data
        : Utils.isNotNullOrEmpty(file) ? Files.readString(Path.of(file)) : "";
  }

  private static Context context(Config config, List<String> contents)
      throws GeneralSecurityException, IOException {
    TrustManager[] trust = trustManagers(config);
    SSLContext tls = SSLUtils.sslContext(keyManagers(config), trust);
    return new Context(contents, (X509TrustManager) trust[0], tls);
  }

  /**
   * Returns trust managers that trust only the certificate authority of the cluster, as in kubectl.
   * fabric8 adds the authorities that Java trusts, some 140, which also take a while to read.
   */
  private static TrustManager[] trustManagers(Config config)
      throws GeneralSecurityException, IOException {
    boolean hasAuthority =
        Utils.isNotNullOrEmpty(config.getCaCertData())
            || Utils.isNotNullOrEmpty(config.getCaCertFile());
    if (!hasAuthority
        || config.isTrustCerts()
        || Utils.isNotNullOrEmpty(config.getTrustStoreFile())
        || System.getProperty("javax.net.ssl.trustStore") != null) {
      return SSLUtils.trustManagers(config);
    }
    try (InputStream pem =
        CertUtils.getInputStreamFromDataOrFile(config.getCaCertData(), config.getCaCertFile())) {
      return Certificates.trusting(pem, "the certificate authority of the cluster is empty");
    }
  }

  /** Tries EC, too: fabric8 takes a PKCS #8 key, which does not name its algorithm, for RSA. */
  private static KeyManager[] keyManagers(Config config)
      throws GeneralSecurityException, IOException {
    if (config.getClientKeyAlgo() != null) {
      return SSLUtils.keyManagers(config);
    }
    try {
      return SSLUtils.keyManagers(config);
    } catch (GeneralSecurityException | IOException e) {
      config.setClientKeyAlgo("EC");
      return SSLUtils.keyManagers(config);
    }
  }

  @Override
  public String[] getDefaultCipherSuites() {
    return sockets().getDefaultCipherSuites();
  }

  @Override
  public String[] getSupportedCipherSuites() {
    return sockets().getSupportedCipherSuites();
  }

  @Override
  public Socket createSocket(Socket socket, String host, int port, boolean autoClose)
      throws IOException {
    return sockets().createSocket(socket, host, port, autoClose);
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    return sockets().createSocket(host, port);
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress local, int localPort)
      throws IOException {
    return sockets().createSocket(host, port, local, localPort);
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    return sockets().createSocket(host, port);
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort)
      throws IOException {
    return sockets().createSocket(host, port, local, localPort);
  }
}
