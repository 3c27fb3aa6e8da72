package io.github.pgendpoints.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the settings in the documentation with the code. To write them instead: {@code mvn test
 * -Dtest=SettingsTableTest -Dupdate.docs}.
 */
class SettingsTableTest {
  private static final String HEADER =
      "| Variable | Default | Allowed | Meaning |\n| --- | --- | --- | --- |\n";
  private static final Pattern GENERATED =
      Pattern.compile("(?s)(?<=<!-- generated: settings -->\n).*(?=<!-- end of generated -->\n)");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `([A-Z_]+)`[^\n]*$");

  /** The pages about settings. Each page replaces its table by the one from the code. */
  enum Page {
    /** All settings. */
    REFERENCE("docs/settings.md") {
      @Override
      String corrected(String page) {
        String tables =
            SettingsReference.SECTIONS.stream()
                .map(
                    section ->
                        "\n## %s\n\n%s%s\n"
                            .formatted(section.title(), HEADER, rows(section.settings())))
                .collect(Collectors.joining());
        return GENERATED.matcher(page).replaceFirst(Matcher.quoteReplacement(tables + "\n"));
      }
    },
    /** Some settings, in the page's own order. */
    README("README.md") {
      @Override
      String corrected(String page) {
        int start = page.indexOf(HEADER) + HEADER.length();
        int end = page.indexOf("\n\n", start);
        Map<String, Setting<?>> settings =
            SettingsReference.all().collect(Collectors.toMap(Setting::name, Function.identity()));
        UnaryOperator<String> row =
            name -> settings.containsKey(name) ? row(settings.get(name)) : name + "?";
        String table =
            ROW.matcher(page.substring(start, end))
                .replaceAll(match -> Matcher.quoteReplacement(row.apply(match.group(1))));
        return page.substring(0, start) + table + page.substring(end);
      }
    };

    private final Path file;

    Page(String file) {
      this.file = Path.of(file);
    }

    abstract String corrected(String page);
  }

  @ParameterizedTest
  @MethodSource
  void documentsSettingsAsTheCodeDefinesThem(Page page) throws IOException {
    String written = Files.readString(page.file);
    String expected = page.corrected(written);
    assertTrue(expected.contains(row(SettingsCatalog.PG_NODES)), page.file + " has no table");

    if (System.getProperty("update.docs") != null) {
      Files.writeString(page.file, expected);
    } else {
      assertEquals(expected, written, "update it: mvn test -Dtest=SettingsTableTest -Dupdate.docs");
    }
  }

  static List<Page> documentsSettingsAsTheCodeDefinesThem() {
    return List.of(Page.values());
  }

  @Test
  void referenceListsEverySettingOnce() throws IllegalAccessException {
    List<Setting<?>> declared = new ArrayList<>();
    for (var field : SettingsCatalog.class.getDeclaredFields()) {
      if (field.getType() == Setting.class && Modifier.isStatic(field.getModifiers())) {
        Setting<?> setting = (Setting<?>) field.get(null);
        assertEquals(field.getName(), setting.name());
        declared.add(setting);
      }
    }

    assertEquals(
        declared.stream().map(Setting::name).sorted().toList(),
        SettingsReference.all().map(Setting::name).sorted().toList());
  }

  @ParameterizedTest
  @MethodSource("settings")
  void defaultIsAllowed(Setting<?> setting) throws Exception {
    String text = setting.defaultInWords();
    if (setting.defaultValue() != null) {
      assertEquals(setting.defaultValue(), setting.type().parser().apply(text));
    }
    assertEquals(
        text.isEmpty() ? "" : text,
        text.strip(),
        "the words of a default must not begin or end with blanks");
  }

  static List<Setting<?>> settings() {
    return SettingsReference.all().toList();
  }

  private static String rows(List<Setting<?>> settings) {
    return settings.stream().map(SettingsTableTest::row).collect(Collectors.joining("\n"));
  }

  private static String row(Setting<?> setting) {
    String aliases =
        setting.aliases().isEmpty() ? "" : " (alias " + String.join(", ", setting.aliases()) + ")";
    return Arrays.asList(
            "`" + setting + "`" + aliases,
            setting.defaultInWords(),
            setting.allowed(),
            setting.description())
        .stream()
        .collect(Collectors.joining(" | ", "| ", " |"));
  }
}
