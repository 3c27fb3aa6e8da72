package io.github.pgendpoints.support.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A certificate authority for tests, created by the JDK's keytool; it signs certificates. */
public final class Certificates {
  private static final String PASSWORD = "password";

  private final Path folder;
  private final String authority;

  /**
   * A certificate and its key, both in PEM.
   *
   * @param key in PKCS #8
   */
  public record Signed(Path certificate, Path key) {}

  /**
   * @param folder the folder for the files
   * @param authority the name of the authority
   */
  public Certificates(Path folder, String authority) {
    this.folder = folder;
    this.authority = authority;
    keytool(authority, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + authority, "-ext", "bc:c");
    pem(authority);
  }

  /** The authority's own certificate. */
  public Path certificate() {
    return folder.resolve(authority + ".crt");
  }

  /**
   * Creates a certificate that this authority signs.
   *
   * @param algorithm EC or RSA
   * @param names alternative names, such as {@code dns:db1}; may be empty
   */
  public Signed sign(String name, String algorithm, String names) {
    keytool(name, "-genkeypair", "-keyalg", algorithm, "-dname", "CN=" + name);
    Path request = folder.resolve(name + ".csr");
    Path answer = folder.resolve(name + ".signed");
    keytool(name, "-certreq", "-file", request.toString());
    List<String> sign =
        new ArrayList<>(
            List.of("-gencert", "-infile", request.toString(), "-outfile", answer.toString()));
    if (!names.isEmpty()) {
      sign.addAll(List.of("-ext", "san=" + names));
    }
    keytool(authority, sign.toArray(String[]::new));
    keytool(name, "-importcert", "-noprompt", "-trustcacerts", "-file", answer.toString());
    pem(name);
    return new Signed(folder.resolve(name + ".crt"), folder.resolve(name + ".key"));
  }

  /** All entries share one key store, so that keytool finds the chain of a signed certificate. */
  private void keytool(String alias, String... arguments) {
    OperatingSystem.run(
        OperatingSystem.concat(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                arguments[0],
                "-alias",
                alias,
                "-keystore",
                store().toString(),
                "-storepass",
                PASSWORD),
            List.of(arguments).subList(1, arguments.length)));
  }

  private Path store() {
    return folder.resolve(authority + ".p12");
  }

  private void pem(String alias) {
    char[] password = PASSWORD.toCharArray();
    try {
      KeyStore keys = KeyStore.getInstance(store().toFile(), password);
      Path key = folder.resolve(alias + ".key");
      write(folder.resolve(alias + ".crt"), "CERTIFICATE", keys.getCertificate(alias).getEncoded());
      write(key, "PRIVATE KEY", keys.getKey(alias, password).getEncoded());
      Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void write(Path file, String type, byte[] content) throws IOException {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    Files.writeString(
        file, "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(type, base64, type));
  }
}
