package io.github.pgendpoints.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Prometheus's own checks, by the promtool of {@code -Dpromtool=…}, or by the one on PATH: without
 * any the test is skipped, and says so.
 */
public final class Promtool {
  private Promtool() {}

  /** Fails with what promtool says when it is not content. */
  public static void run(Path folder, String input, String... arguments) {
    String promtool = System.getProperty("promtool");
    List<String> command = new ArrayList<>(List.of(promtool == null ? "promtool" : promtool));
    command.addAll(List.of(arguments));
    try {
      Path in = Files.createTempFile("promtool-", ".txt");
      try {
        Files.writeString(in, input);
        Process process =
            new ProcessBuilder(command)
                .directory(folder.toAbsolutePath().toFile())
                .redirectErrorStream(true)
                .redirectInput(in.toFile())
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
      } finally {
        Files.delete(in);
      }
    } catch (IOException e) {
      if (promtool == null) {
        abort("there is no promtool on PATH (Debian: package prometheus), so rules are not tried");
      }
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }
}
