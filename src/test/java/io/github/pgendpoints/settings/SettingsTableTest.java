package io.github.pgendpoints.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** That README and {@code --help} say of each setting what the code does. */
class SettingsTableTest {
  @Test
  void readmeListsEverySettingAsTheCodeHasIt() throws Exception {
    List<String> rows =
        Files.readAllLines(Path.of("README.md")).stream()
            .dropWhile(line -> !line.startsWith("| Variable |"))
            .skip(2)
            .takeWhile(line -> line.startsWith("|"))
            .toList();

    assertEquals(
        String.join("\n", Arrays.stream(Setting.values()).map(SettingsTableTest::row).toList()),
        String.join("\n", rows));
  }

  private static String row(Setting setting) {
    String aliases =
        setting.aliases().isEmpty() ? "" : " (alias " + String.join(", ", setting.aliases()) + ")";
    return "| `%s`%s | %s | %s | %s |"
        .formatted(setting, aliases, setting.defaultText(), setting.allowed(), setting.meaning());
  }

  @ParameterizedTest
  @EnumSource
  void helpListsTheSettingToo(Setting setting) {
    String help = Setting.help().replaceAll("\\s+", " ");

    assertTrue(help.contains(" " + setting + " " + setting.meaning()), help);
    assertTrue(help.contains(setting.allowed()), help);
    assertTrue(help.contains(setting.defaultText()), help);
  }
}
