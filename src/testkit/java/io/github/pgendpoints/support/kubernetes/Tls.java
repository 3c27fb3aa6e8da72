package io.github.pgendpoints.support.kubernetes;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * A self-signed certificate for 127.0.0.1, created by the JDK's keytool.
 *
 * @param certificate in PEM
 * @param context the context of a server that presents the certificate
 * @param asksClients whether clients must present a certificate that the context trusts
 */
public record Tls(String certificate, SSLContext context, boolean asksClients) {

  private static final String PASSWORD = "changeit";

  /**
   * The credentials that a client presents.
   *
   * @param certificate in PEM
   * @param key in PEM, PKCS #8
   */
  public record Client(String certificate, String key, Certificate x509) {}

  public static Tls selfMade() {
    return selfMade(null);
  }

  /**
   * @param client the only client accepted; null to request no client certificate
   */
  static Tls selfMade(Client client) {
    try {
      KeyStore store = store("EC");
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, PASSWORD.toCharArray());
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), client == null ? null : trusting(client), null);
      return new Tls(
          pem("CERTIFICATE", store.getCertificate("server").getEncoded()), context, client != null);
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("cannot make a certificate", e);
    }
  }

  private static TrustManager[] trusting(Client client)
      throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setCertificateEntry("client", client.x509());
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  /**
   * Creates a client's key and certificate.
   *
   * @param algorithm of the key, RSA or EC
   */
  public static Client client(String algorithm) {
    try {
      KeyStore store = store(algorithm);
      Certificate certificate = store.getCertificate("server");
      return new Client(
          pem("CERTIFICATE", certificate.getEncoded()),
          pem("PRIVATE KEY", store.getKey("server", PASSWORD.toCharArray()).getEncoded()),
          certificate);
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("cannot make a certificate", e);
    }
  }

  /** Returns a factory of listeners that present the certificate. */
  public ServerSocketFactory sockets() {
    ServerSocketFactory sockets = context.getServerSocketFactory();
    return new ServerSocketFactory() {
      @Override
      public ServerSocket createServerSocket() throws IOException {
        return asking(sockets.createServerSocket());
      }

      @Override
      public ServerSocket createServerSocket(int port) throws IOException {
        return asking(sockets.createServerSocket(port));
      }

      @Override
      public ServerSocket createServerSocket(int port, int backlog) throws IOException {
        return asking(sockets.createServerSocket(port, backlog));
      }

      @Override
      public ServerSocket createServerSocket(int port, int backlog, InetAddress address)
          throws IOException {
        return asking(sockets.createServerSocket(port, backlog, address));
      }
    };
  }

  private ServerSocket asking(ServerSocket socket) {
    ((SSLServerSocket) socket).setNeedClientAuth(asksClients);
    return socket;
  }

  private static KeyStore store(String algorithm) throws IOException, GeneralSecurityException {
    Path folder = Files.createTempDirectory("tls");
    Path file = folder.resolve("server.p12");
    try {
      keytool(file, algorithm);
      KeyStore store = KeyStore.getInstance("PKCS12");
      try (InputStream in = Files.newInputStream(file)) {
        store.load(in, PASSWORD.toCharArray());
      }
      return store;
    } catch (InterruptedException e) {
      throw new IOException(e);
    } finally {
      Files.deleteIfExists(file);
      Files.delete(folder);
    }
  }

  private static void keytool(Path file, String algorithm)
      throws IOException, InterruptedException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-alias",
            "server",
            "-keyalg",
            algorithm,
            "-dname",
            "CN=fake-api-server",
            "-ext",
            "san=ip:127.0.0.1",
            "-storetype",
            "PKCS12",
            "-keystore",
            file.toString(),
            "-storepass",
            PASSWORD);
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("keytool failed");
    }
  }

  private static String pem(String what, byte[] content) {
    return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n"
        .formatted(what, Base64.getMimeEncoder().encodeToString(content));
  }
}
