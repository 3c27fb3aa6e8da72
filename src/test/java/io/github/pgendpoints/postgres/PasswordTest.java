package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.topology.Nodes.node;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.pgendpoints.settings.InvalidSettingsException;
import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Addresses;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PasswordTest {
  private static final byte[] LATIN_1 = "# Müller\n".getBytes(StandardCharsets.ISO_8859_1);

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "db1:5432:repmgr:repmgr:secret, secret",
    "*:*:*:repmgr:secret, secret",
    "*:*:*:*:se\\:cr\\\\et, se:cr\\et",
    "d\\b1:5432:repmgr:repmgr:secret, secret",
    "DB1:5432:repmgr:repmgr:secret, secret",
    "db1:5432:Repmgr:repmgr:secret,",
    "*:*:*:*:geheimnüs, geheimnüs",
    "*:*:*:*:secret:rest, secret",
    "db2:5432:repmgr:repmgr:secret,",
    "db1:5433:repmgr:repmgr:secret,",
    "db1:5432:other:repmgr:secret,",
    "db1:5432:repmgr:other:secret,",
    "#*:*:*:*:secret,",
    "db1,",
    "db1:5432:repmgr:repmgr,",
    "db1\\,",
  })
  void readsLibpqsFormat(String line, String password) throws Exception {
    Path file = Files.writeString(folder.resolve("pgpass"), "\n" + line + "\n");
    assertEquals(password, password(Map.of("PGPASSFILE", file.toString())));
  }

  @Test
  void takesTheFirstMatchAndRereadsTheFile() throws Exception {
    Path file = Files.writeString(folder.resolve("pgpass"), "db1:*:*:*:first\n*:*:*:*:second\n");
    PostgresSettings settings = settings(Map.of("PGPASSFILE", file.toString()));

    assertEquals("first", settings.password().of(node("db1"), settings));
    assertEquals("second", settings.password().of(node("db2"), settings));
    Files.writeString(file, "*:*:*:*:third\n");
    assertEquals("third", settings.password().of(node("db1"), settings));
  }

  @Test
  void rereadsAMountedSecretAndReportsItsLoss() throws Exception {
    Path file = Files.writeString(folder.resolve("secret"), "one\n");
    PostgresSettings settings = settings(Map.of("PGPASSWORD_FILE", file.toString()));

    assertEquals("one", settings.password().of(node("db1"), settings));
    Files.writeString(file, "two");
    assertEquals("two", settings.password().of(node("db1"), settings));
    Files.delete(file);
    SQLException gone =
        assertThrows(SQLException.class, () -> settings.password().of(node("db1"), settings));
    assertEquals("28000", gone.getSQLState());
    assertEquals(
        "PGPASSWORD_FILE " + file + " cannot be read: there is no such file", reason(gone));
    Files.write(file, LATIN_1);
    SQLException mangled =
        assertThrows(SQLException.class, () -> settings.password().of(node("db1"), settings));
    assertEquals("PGPASSWORD_FILE " + file + " cannot be read: it is not UTF-8", reason(mangled));
    assertFalse(settings.toString().contains("two"));
  }

  @Test
  void takesACommentInAnotherEncoding() throws Exception {
    Path file = Files.write(folder.resolve("pgpass"), LATIN_1);
    Files.writeString(file, "*:*:*:*:secret\n", StandardOpenOption.APPEND);

    assertEquals("secret", password(Map.of("PGPASSFILE", file.toString())));
  }

  @Test
  void namesAPasswordFileThatIsGone() throws Exception {
    Path file = Files.writeString(folder.resolve("pgpass"), "*:*:*:*:secret\n");
    PostgresSettings settings = settings(Map.of("PGPASSFILE", file.toString()));
    Files.delete(file);

    SQLException gone =
        assertThrows(SQLException.class, () -> settings.password().of(node("db1"), settings));
    assertEquals("PGPASSFILE " + file + " cannot be read: there is no such file", reason(gone));
  }

  @Test
  void needsNoPasswordFile() throws Exception {
    String home = System.getProperty("user.home");
    System.setProperty("user.home", folder.toString());
    try {
      assertNull(password(Map.of()));
    } finally {
      System.setProperty("user.home", home);
    }
  }

  /** The reason that the log gives for the state of a node. */
  private static String reason(SQLException failure) {
    return Probe.failed(node("db1"), Addresses.parse("10.0.0.1"), failure).reason();
  }

  private static String password(Map<String, String> environment)
      throws SQLException, InvalidSettingsException, IOException {
    PostgresSettings settings = settings(environment);
    return settings.password().of(node("db1"), settings);
  }

  private static PostgresSettings settings(Map<String, String> environment)
      throws InvalidSettingsException {
    return TestSettings.read(environment).postgres();
  }
}
