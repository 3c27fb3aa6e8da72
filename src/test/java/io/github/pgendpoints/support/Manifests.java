package io.github.pgendpoints.support;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The manifests of this repository. */
public final class Manifests {
  private static final Pattern COMMENTED = Pattern.compile("(?m)^  # - (../../components/(\\w+))$");

  private Manifests() {}

  /** The folders of all overlays. */
  public static Stream<Path> overlays() {
    try (Stream<Path> folders = Files.list(Path.of("k8s/overlays"))) {
      return folders.sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A copy to edit, of k8s/ and routes/. */
  public static Path copy() throws IOException {
    Path copy = Files.createTempDirectory(Path.of("target"), "manifests-");
    for (String folder : List.of("k8s", "routes")) {
      try (Stream<Path> files = Files.walk(Path.of(folder))) {
        for (Path file : files.toList()) {
          Files.copy(file, copy.resolve(file));
        }
      }
    }
    return copy;
  }

  /** The folder of a kustomization of an overlay with a component switched on. */
  public static Path with(String overlay, String component) throws IOException {
    Path folder = Files.createDirectory(copy().resolve("k8s/" + overlay + "-with-" + component));
    Files.writeString(
        folder.resolve("kustomization.yaml"),
        "resources: [../overlays/%s]\ncomponents: [../components/%s]\n"
            .formatted(overlay, component));
    return folder;
  }

  /** The components that an overlay names in comments. */
  public static List<String> components(Path overlay) throws IOException {
    return COMMENTED
        .matcher(Files.readString(overlay.resolve("kustomization.yaml")))
        .results()
        .map(match -> match.group(2))
        .toList();
  }

  /** A copy of an overlay in which the comments of those components are removed. */
  public static Path uncomment(Path overlay, Set<String> components, String nameSuffix)
      throws IOException {
    Path copy = copy();
    Path file = copy.resolve(overlay).resolve("kustomization.yaml");
    Files.writeString(
        file,
        COMMENTED
            .matcher(Files.readString(file))
            .replaceAll(
                match -> components.contains(match.group(2)) ? "  - " + match.group(1) : "$0"));
    Path cluster = copy.resolve("k8s/cluster/kustomization.yaml");
    Files.writeString(
        cluster,
        Files.readString(cluster)
            .replace(
                "namespace: postgresql\n", "namespace: other\nnameSuffix: " + nameSuffix + "\n"));
    return copy.resolve(overlay);
  }

  /** The spec of the one pod that a rendered overlay runs, in whatever way. */
  public static PodSpec pod(List<HasMetadata> objects) {
    return podTemplate(objects).getSpec();
  }

  /** The one pod that a rendered overlay runs, in whatever way. */
  public static PodTemplateSpec podTemplate(List<HasMetadata> objects) {
    return objects.stream()
        .flatMap(
            object ->
                object instanceof CronJob cronJob
                    ? Stream.of(cronJob.getSpec().getJobTemplate().getSpec().getTemplate())
                    : object instanceof Deployment deployment
                        ? Stream.of(deployment.getSpec().getTemplate())
                        : Stream.empty())
        .findFirst()
        .orElseThrow();
  }

  /** The variables that a rendered overlay sets. */
  public static Map<String, String> settings(List<HasMetadata> objects) {
    return objects.stream()
        .filter(ConfigMap.class::isInstance)
        .map(object -> ((ConfigMap) object).getData())
        .filter(data -> data.containsKey("PG_NODES"))
        .findFirst()
        .orElseThrow();
  }

  /** The ConfigMap of that name, without the hash that kustomize puts behind it. */
  public static ConfigMap configMap(List<HasMetadata> objects, String name) {
    return objects.stream()
        .filter(ConfigMap.class::isInstance)
        .map(ConfigMap.class::cast)
        .filter(map -> map.getMetadata().getName().matches(name + "-[a-z0-9]{10}"))
        .findFirst()
        .orElseThrow();
  }
}
