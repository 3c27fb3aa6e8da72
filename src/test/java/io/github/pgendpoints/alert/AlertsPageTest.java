package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class AlertsPageTest {
  private static final Pattern KINDS = Pattern.compile("(?m)^\\| `kind` \\| (.*) \\|$");

  @Test
  void listsEveryKind() throws IOException {
    MatchResult row =
        KINDS.matcher(Files.readString(Path.of("docs/alerts.md"))).results().findFirst().get();

    assertEquals(
        Arrays.stream(Alert.Kind.values()).map(Alert.Kind::toString).collect(Collectors.toSet()),
        Set.of(row.group(1).split(", ")));
  }
}
