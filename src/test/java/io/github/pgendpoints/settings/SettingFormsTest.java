package io.github.pgendpoints.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SettingFormsTest {
  /** Returns right and wrong values, and variants of them, to try with each setting. */
  private static Set<String> texts() {
    return Stream.of(SettingsSchemaTest.rightValues(), SettingsSchemaTest.wrongValues())
        .flatMap(columns -> columns.stream())
        .map(Map::values)
        .flatMap(values -> values.stream().map(String::valueOf))
        .flatMap(
            text ->
                Stream.of(
                    text,
                    "0" + text,
                    "+" + text,
                    "-" + text,
                    " " + text,
                    text + "0",
                    text + ".0",
                    text + " ",
                    text + ",",
                    text + "s",
                    text + "\n",
                    "9" + text,
                    text + "999",
                    text + ".0001",
                    "1" + text,
                    text + ".499ms",
                    text + "," + text,
                    "!" + text,
                    text.toUpperCase(Locale.ROOT),
                    text.toLowerCase(Locale.ROOT),
                    text + "MB",
                    text + "\u212a"))
        .collect(Collectors.toSet());
  }

  @Test
  void matchWhatTheProgramAccepts() {
    Set<String> texts = texts();
    SettingsReference.all()
        .filter(setting -> setting != SettingsCatalog.PG_NODES)
        .forEach(
            setting -> {
              Form form = SettingForms.of(setting);
              if (form.regex() != null) {
                texts.forEach(
                    text ->
                        assertEquals(
                            form.matches(text),
                            isAccepted(setting, text),
                            setting + "='" + text + "'"));
              }
            });
  }

  private static boolean isAccepted(Setting<?> setting, String text) {
    try {
      return setting.type().parser().andThen(value -> true).apply(text);
    } catch (IllegalArgumentException e) {
      assertEquals(null, e.getMessage(), setting + "='" + text + "'");
      return false;
    }
  }
}
