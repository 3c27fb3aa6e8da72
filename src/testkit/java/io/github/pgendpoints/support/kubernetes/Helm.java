package io.github.pgendpoints.support.kubernetes;

import static org.junit.jupiter.api.Assumptions.abort;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs the helm of {@code -Dhelm=…}, or the one on PATH. Without either, the test is skipped with a
 * message.
 */
public final class Helm {
  private Helm() {}

  /**
   * The result of a run of helm.
   *
   * @param exitCode 0 if it succeeded
   * @param out the standard output
   * @param err the standard error
   */
  public record Result(int exitCode, String out, String err) {}

  /** Runs helm with those arguments. */
  public static Result run(String... arguments) {
    String helm = System.getProperty("helm");
    List<String> command = new ArrayList<>(List.of(helm == null ? "helm" : helm));
    command.addAll(List.of(arguments));
    try {
      Path err = Files.createTempFile("helm", ".err");
      Process process = new ProcessBuilder(command).redirectError(err.toFile()).start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int exitCode = process.waitFor();
      String errors = Files.readString(err);
      Files.delete(err);
      return new Result(exitCode, out, errors);
    } catch (IOException e) {
      if (helm == null) {
        abort("there is no helm on PATH, so no chart is rendered");
      }
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  /** Returns what helm prints with those arguments, which must succeed. */
  public static String text(String... arguments) {
    Result result = run(arguments);
    if (result.exitCode() != 0) {
      throw new AssertionError("helm " + List.of(arguments) + " failed: " + result.err());
    }
    return result.out();
  }

  /** Returns the objects that {@code helm template} prints with those arguments. */
  public static List<HasMetadata> render(String... arguments) {
    return Kustomize.objects(text(arguments));
  }
}
