package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SinkSettingsTest {
  private static IllegalArgumentException fault(String file) {
    SinkSettings settings = new SinkSettings(Map.of("A_FILE", file));
    return assertThrows(IllegalArgumentException.class, () -> settings.get("A"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/nosuch", "./nosuch", "../nosuch", "~/nosuch"})
  void showsThePathOfAFileThatCannotBeRead(String file) {
    assertEquals("A_FILE='" + file + "' is not a readable file", fault(file).getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"hunter2secret", "src", ".secret", "/nosuch\nsecret", "se\0cret"})
  void doesNotShowWhatMayBeASecret(String secret) {
    IllegalArgumentException fault = fault(secret);
    assertEquals("A_FILE is not the path of a readable file", fault.getMessage());
    // A log shows the message of the innermost cause, which would be the name of the file.
    assertNull(fault.getCause());
  }

  @ParameterizedTest
  @CsvSource({
    "http://h/x,",
    "https://[::1]:8443/x?y=z,",
    "http://h:/x,",
    "hooks.invalid/x, is not a URL with http:// or https://",
    "ftp://h/x, is not a URL with http:// or https://",
    "http://h:99999/, has a port beyond 1 to 65535",
    "http://h:0/, has a port beyond 1 to 65535",
    "http://sekret@h/, 'has a user or password; allowed: http:// or https:// with host, port, and path'",
    "http://user:sekret@h/x, 'has a user or password; allowed: http:// or https:// with host, port, and path'"
  })
  void takesUrlsThatCanBePostedTo(String url, String fault) {
    SinkSettings settings = new SinkSettings(Map.of("A_URL", url));
    if (fault == null) {
      settings.check("A_URL");
    } else {
      assertEquals(
          "A_URL " + fault,
          assertThrows(IllegalArgumentException.class, () -> settings.check("A_URL")).getMessage());
    }
  }

  @Test
  void reportsThatAFileIsEmpty(@TempDir Path folder) throws Exception {
    Path file = Files.createFile(folder.resolve("a"));
    assertEquals("A_FILE='" + file + "' is empty", fault(file.toString()).getMessage());
  }
}
