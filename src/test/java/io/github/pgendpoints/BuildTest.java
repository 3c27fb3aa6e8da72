package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class BuildTest {
  @Test
  void hasTheVersionOfThePom() throws IOException {
    Matcher version =
        Pattern.compile("(?m)^  <version>(.*)</version>$")
            .matcher(Files.readString(Path.of("pom.xml")));
    assertEquals(true, version.find());

    assertEquals(version.group(1), Build.current().version());
  }

  @Test
  void showsTheFirstDigitsOfAKnownRevision() {
    assertEquals(
        "0.1.0 (0123456789ab)",
        new Build("0.1.0", "0123456789abcdef0123456789abcdef01234567").toString());
    assertEquals("0.1.0", new Build("0.1.0", "unknown").toString());
  }
}
