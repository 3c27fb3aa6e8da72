package io.github.pgendpoints.kubernetes;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Checks and reads the certificates and keys that a user configures. */
public final class Certificates {
  private static final String NONE = "holds no certificate (PEM)";
  private static final Pattern PKCS8 =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]*)-----END PRIVATE KEY-----");

  private Certificates() {}

  /** Returns what is wrong with the contents of a certificate file; null if nothing is. */
  public static String fault(byte[] certificates) {
    if (isBlank(certificates)) {
      return "is empty";
    }
    try {
      return read(certificates).isEmpty() ? NONE : null;
    } catch (CertificateException e) {
      return NONE;
    }
  }

  /** Returns what is obviously wrong with the contents of a PEM key file; null if nothing is. */
  static String faultOfKey(byte[] key) {
    if (isBlank(key)) {
      return "is empty";
    }
    return text(key).contains("PRIVATE KEY-----") ? null : "holds no private key (PEM)";
  }

  /** Returns what is wrong with a PKCS #8 key for the first certificate; null if nothing is. */
  public static String faultOfPkcs8(byte[] key, byte[] certificates) {
    if (isBlank(key)) {
      return "is empty";
    }
    Matcher pem = PKCS8.matcher(text(key));
    try {
      byte[] der = pem.find() ? Base64.getMimeDecoder().decode(pem.group(1)) : key;
      String algorithm = read(certificates).iterator().next().getPublicKey().getAlgorithm();
      KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      return null;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return "holds no unencrypted PKCS #8 key for the certificate";
    }
  }

  private static Collection<? extends Certificate> read(byte[] certificates)
      throws CertificateException {
    return CertificateFactory.getInstance("X.509")
        .generateCertificates(new ByteArrayInputStream(certificates));
  }

  private static boolean isBlank(byte[] content) {
    return text(content).isBlank();
  }

  private static String text(byte[] content) {
    return new String(content, StandardCharsets.ISO_8859_1);
  }

  /**
   * Returns trust managers that trust only these certificates.
   *
   * @param pem the certificates as PEM
   * @param problem the error message if there is no certificate
   */
  public static TrustManager[] trusting(InputStream pem, String problem)
      throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
      store.setCertificateEntry(String.valueOf(store.size()), each);
    }
    if (store.size() == 0) {
      throw new IOException(problem);
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }
}
