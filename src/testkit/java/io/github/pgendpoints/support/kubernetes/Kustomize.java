package io.github.pgendpoints.support.kubernetes;

import static org.junit.jupiter.api.Assumptions.abort;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Renders a kustomization with the kubectl of {@code -Dkubectl=…}, or the one on PATH. Without
 * either, the test is skipped with a message.
 */
public final class Kustomize {
  private Kustomize() {}

  /** Returns the objects that {@code kubectl apply -k folder} would send. */
  public static List<HasMetadata> render(Path folder) {
    return objects(text(folder));
  }

  /** Returns the objects of a YAML text with one or more documents. */
  public static List<HasMetadata> objects(String documents) {
    return Arrays.stream(documents.split("(?m)^---$"))
        .filter(
            document -> document.lines().anyMatch(line -> !line.isBlank() && !line.startsWith("#")))
        .map(document -> (HasMetadata) Serialization.unmarshal(document, KubernetesResource.class))
        .toList();
  }

  private static String text(Path folder) {
    String kubectl = System.getProperty("kubectl");
    try {
      Process process =
          new ProcessBuilder(kubectl == null ? "kubectl" : kubectl, "kustomize", folder.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new AssertionError("kubectl kustomize " + folder + " failed");
      }
      return out;
    } catch (IOException e) {
      if (kubectl == null) {
        abort("there is no kubectl on PATH, so no manifest is rendered");
      }
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  /** Returns the only object of that type. */
  public static <T extends HasMetadata> T one(List<HasMetadata> objects, Class<T> type) {
    List<T> found = objects.stream().filter(type::isInstance).map(type::cast).toList();
    if (found.size() != 1) {
      throw new AssertionError(found.size() + " objects are a " + type.getSimpleName());
    }
    return found.get(0);
  }
}
