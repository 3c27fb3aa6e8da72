package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.cycle.ExitCode;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.settings.Setting;
import io.github.pgendpoints.settings.SettingsReference;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class ApplicationTest {
  private final CommandLine commandLine = Application.commandLine();

  @ParameterizedTest
  @CsvSource({
    "'', CONTINUOUS",
    "--once, ONCE",
    "--dry-run, DRY_RUN",
    // Tries the arguments of a CronJob without a write.
    "--once --dry-run, DRY_RUN"
  })
  void knowsTheModes(String arguments, Mode mode) {
    String[] words = arguments.isEmpty() ? new String[0] : arguments.split(" ");
    commandLine.parseArgs(words);

    assertEquals(mode, ((Application) commandLine.getCommand()).mode());
    assertEquals(mode == Mode.DRY_RUN ? null : mode, Application.modeOfPod(words));
  }

  @ParameterizedTest
  @CsvSource({
    "--onc",
    "once",
    "--once=5",
    "--once --once",
    "@file",
    "status --output=xml",
    "status --once",
    "--once status",
    "--dry-run status",
    "--force status",
    "--force",
    "--force --dry-run",
    "overrule a b",
    "--once overrule",
    "--dry-run overrule",
    "--force overrule"
  })
  void refusesWhatItDoesNotKnow(String arguments) {
    assertEquals(ExitCode.USAGE, commandLine.execute(arguments.split(" ")));
  }

  /** An empty variable in a script makes an empty argument: it must not mean continuous mode. */
  @Test
  void refusesAnEmptyArgument() {
    assertNull(Application.modeOfPod(""));
    assertEquals(ExitCode.USAGE, commandLine.execute(""));
  }

  /** A pod lacks the memory for a command-line parser beside the manager. */
  @ParameterizedTest
  @CsvSource({
    "status, STATUS",
    "status --output json, STATUS_JSON",
    "status --output=json, STATUS_JSON",
    "status --help,",
    "status --output text, STATUS",
    "status --output xml,"
  })
  void knowsStatusWithoutAParser(String arguments, Mode mode) {
    assertEquals(mode, Application.modeOfPod(arguments.split(" ")));
  }

  @Test
  void knowsStatus() {
    var status = commandLine.parseArgs("status", "--output", "json").subcommand().commandSpec();

    assertEquals("status", status.name());
    assertEquals(Application.Output.JSON, status.findOption("--output").getValue());
  }

  @Test
  void knowsOverrule() {
    var overrule = commandLine.parseArgs("overrule", "db1", "--yes").subcommand().commandSpec();

    assertEquals("overrule", overrule.name());
    assertEquals("db1", overrule.positionalParameters().get(0).getValue());
    assertEquals(true, overrule.findOption("--yes").getValue());
    assertTrue(help().contains("--force"));
    assertTrue(help().contains("overrule"));
  }

  @Test
  void helpNamesEverySettingItsAliasesAndDefault() {
    String help = help();

    for (Setting<?> setting : SettingsReference.all().toList()) {
      assertTrue(help.contains("\n  " + setting + " "), setting + " is missing in " + help);
      setting.aliases().forEach(alias -> assertTrue(help.contains(alias), alias));
      String words = help.replaceAll("\\s+", " ");
      assertTrue(words.contains(" " + setting + " " + setting.description()), help);
      assertTrue(words.contains("Allowed: " + setting.allowed() + "."), setting.allowed());
      assertTrue(
          setting.defaultInWords().isEmpty()
              || words.contains("Default: " + setting.defaultInWords() + "."),
          setting.defaultInWords());
    }
  }

  @Test
  void helpFitsTerminalsOf80Columns() {
    help().lines().forEach(line -> assertTrue(line.length() <= 80, line));
    // A line that the terminal or the library wraps would begin at the left edge.
    help()
        .lines()
        .dropWhile(line -> !line.startsWith("Settings"))
        .skip(1)
        .forEach(line -> assertTrue(line.matches("( {2}[A-Z_]+ +| {26})\\S.*"), line));
  }

  @Test
  void helpDescribesTheExitCodesAsReadme() throws IOException {
    List<String> rows =
        Files.readAllLines(Path.of("README.md")).stream()
            .filter(line -> line.matches("\\| \\d+ \\| .*"))
            .map(line -> line.replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1").replace("`", ""))
            .map(line -> line.replaceAll("[| ]+", " ").strip())
            .toList();

    assertEquals(5, rows.size(), rows.toString());
    String words = help().replaceAll("\\s+", " ");
    rows.forEach(row -> assertTrue(words.contains(row), row + " is missing in " + words));
  }

  @ParameterizedTest
  @CsvSource({
    "> /dev/full, 1, 'ERROR the program failed: its output cannot be written: No space left on device'",
    "> /dev/null, 0, ''",
    "| true, 0, ''"
  })
  void failsIfItsOutputIsLostUnlessNobodyReadsIt(String to, int exitCode, String said)
      throws Exception {
    Process process =
        new ProcessBuilder(
                "bash",
                "-o",
                "pipefail",
                "-c",
                "\"$0\" -cp \"$1\" \"$2\" --help " + to,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                System.getProperty("java.class.path"),
                Application.class.getName())
            .start();
    String error = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);

    assertEquals(exitCode, process.waitFor(), error);
    assertEquals(said, error.strip().replaceFirst("^\\S+ ", ""));
  }

  private String help() {
    StringWriter out = new StringWriter();
    commandLine.setOut(new PrintWriter(out, true));
    assertEquals(0, commandLine.execute("--help"));
    return out.toString();
  }
}
