package io.github.pgendpoints.kubernetes;

import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Certificates of authorities that a user gives. */
public final class Certificates {
  private Certificates() {}

  /**
   * Trusts these certificates and no other ones.
   *
   * @param pem certificates as PEM
   * @param problem what it is if there is none
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
