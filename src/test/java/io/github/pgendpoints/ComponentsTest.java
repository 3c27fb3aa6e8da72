package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import io.github.pgendpoints.support.kubernetes.UnknownFields;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every overlay with every combination of its components: namespace and name of each object. */
class ComponentsTest {
  private static final String NAME = "postgres-endpoint-manager";

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Combinations#all")
  void putEveryObjectIntoTheNamespaceWithItsLabels(Path overlay, Set<String> components)
      throws IOException {
    for (String suffix : List.of("", "-two")) {
      List<HasMetadata> objects =
          Kustomize.render(Manifests.uncomment(overlay, components, suffix));

      assertEquals(expectedNames(overlay, components, suffix), names(objects));
      for (HasMetadata object : objects) {
        ObjectMeta metadata = object.getMetadata();
        assertEquals("other", metadata.getNamespace(), () -> name(object));
        assertTrue(metadata.getLabels() != null, () -> name(object) + " has labels");
        assertEquals(NAME, metadata.getLabels().get("app.kubernetes.io/name"), () -> name(object));
        assertEquals(List.of(), UnknownFields.of(object));
      }
      assertEquals(
          List.of(NAME + suffix),
          Manifests.pod(objects).getVolumes().stream()
              .map(Volume::getSecret)
              .filter(Objects::nonNull)
              .map(secret -> secret.getSecretName())
              .toList(),
          "a second cluster has a password of its own");
      assertEquals(
          "other", Kustomize.one(objects, RoleBinding.class).getSubjects().get(0).getNamespace());
    }
  }

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Combinations#all")
  void shareOnlyTheServicesWithASecondCluster(Path overlay, Set<String> components)
      throws IOException {
    Set<String> shared = new HashSet<>();
    for (HasMetadata object : Kustomize.render(Manifests.uncomment(overlay, components, ""))) {
      if (!(object instanceof Service)) {
        shared.add(name(object));
      }
    }
    shared.retainAll(
        Kustomize.render(Manifests.uncomment(overlay, components, "-two")).stream()
            .map(ComponentsTest::name)
            .collect(Collectors.toSet()));
    assertEquals(Set.of(), shared);
  }

  private static Set<String> expectedNames(Path overlay, Set<String> components, String suffix) {
    Set<String> names = new TreeSet<>();
    Stream.of("ServiceAccount", "Role", "RoleBinding")
        .forEach(kind -> names.add(kind + " " + NAME));
    Stream.of("", "-routes", "-alerts").forEach(part -> names.add("ConfigMap " + NAME + part));
    if (overlay.endsWith("cronjob")) {
      names.add("CronJob " + NAME);
    } else {
      names.add("Deployment " + NAME);
      names.add("PodDisruptionBudget " + NAME);
    }
    if (components.contains("networkpolicy")) {
      names.add("NetworkPolicy " + NAME);
    }
    if (components.contains("monitoring")) {
      names.add("ConfigMap " + NAME + "-dashboard");
      names.add("PodMonitor " + NAME);
      names.add("PrometheusRule " + NAME);
    }
    Set<String> all = names.stream().map(name -> name + suffix).collect(Collectors.toSet());
    all.add("Service postgresql-external-rw");
    all.add("Service postgresql-external-ro");
    return new TreeSet<>(all);
  }

  private static Set<String> names(List<HasMetadata> objects) {
    Set<String> names =
        objects.stream().map(ComponentsTest::name).collect(Collectors.toCollection(TreeSet::new));
    assertEquals(objects.size(), names.size(), names::toString);
    return names;
  }

  /** Returns the kind and name, without the hash of a ConfigMap. */
  private static String name(HasMetadata object) {
    String name = object.getMetadata().getName();
    return object.getKind() + " " + name.replaceFirst("-[bcdfghkmt24-9]{10}$", "");
  }
}
