package io.github.pgendpoints.support;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.github.pgendpoints.support.kubernetes.Helm;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The Helm chart of this repository. */
public final class Chart {
  /** Its folder. */
  public static final String FOLDER = "charts/postgres-endpoint-manager";

  /** Every value that is not a default. */
  public static final String ALL = "src/test/resources/chart/all.yaml";

  /** Values of the original chart. */
  public static final String ORIGINAL = "src/test/resources/chart/original.yaml";

  private Chart() {}

  /** Renders the chart: arguments that are no option or file of one are values to set. */
  public static List<HasMetadata> render(String... values) {
    List<String> arguments = new ArrayList<>(List.of("template", "release", FOLDER, "-n", "other"));
    for (int i = 0; i < values.length; i++) {
      if (values[i].equals("-f")) {
        arguments.addAll(List.of("-f", values[++i]));
      } else {
        arguments.addAll(List.of("--set", values[i]));
      }
    }
    return Helm.render(arguments.toArray(String[]::new)).stream()
        .filter(object -> !(object instanceof Pod))
        .toList();
  }

  /** The data of the ConfigMap of that name. */
  public static Map<String, String> configMap(List<HasMetadata> objects, String name) {
    return objects.stream()
        .filter(ConfigMap.class::isInstance)
        .map(ConfigMap.class::cast)
        .filter(map -> map.getMetadata().getName().equals(name))
        .findFirst()
        .orElseThrow()
        .getData();
  }

  /** Copies the chart, with what its links point to. */
  public static void copy(Path target) throws IOException {
    Path source = Path.of(FOLDER);
    try (Stream<Path> files = Files.walk(source, FileVisitOption.FOLLOW_LINKS)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = target.resolve(source.relativize(file));
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
  }
}
