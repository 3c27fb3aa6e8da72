package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.support.Chart;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.kubernetes.Helm;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code helm install} would send. */
class ChartTest {
  /** The hash that kustomize appends to the name of a ConfigMap. */
  private static final String HASH = "(postgres-endpoint-manager[a-z-]*)-[bcdfghkmt24-9]{10}\\b";

  private static final Map<String, List<String>> VALUES_OF_COMPONENT =
      Map.of(
          "endpointslices", List.of("settings.PUBLISH=endpointslices"),
          "networkpolicy", List.of("networkPolicy.enabled=true"),
          "monitoring",
              List.of(
                  "podMonitor.enabled=true",
                  "prometheusRule.enabled=true",
                  "dashboard.enabled=true"));

  @TempDir private Path folder;

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Combinations#all")
  void renderWhatTheOverlaysRender(Path overlay, Set<String> components) throws IOException {
    List<String> values = new ArrayList<>();
    values.add("mode=" + overlay.getFileName());
    components.forEach(component -> values.addAll(VALUES_OF_COMPONENT.get(component)));

    Map<String, JsonNode> chart = comparable(Chart.render(values.toArray(String[]::new)));
    Map<String, JsonNode> kustomize =
        comparable(Kustomize.render(Manifests.uncomment(overlay, components, "")));

    assertEquals(kustomize.keySet(), chart.keySet());
    kustomize.forEach(
        (name, object) ->
            assertEquals(object.toPrettyString(), chart.get(name).toPrettyString(), name));
  }

  /** Argo CD and Flux compare what they render now with what they rendered before. */
  @Test
  void renderTheSameEachTime() {
    assertEquals(
        Helm.text("template", "a", Chart.FOLDER, "-f", Chart.ALL),
        Helm.text("template", "a", Chart.FOLDER, "-f", Chart.ALL));
  }

  @Test
  void passLintStrict() {
    for (String values : List.of("all.yaml", "original.yaml")) {
      String out =
          Helm.text("lint", "--strict", Chart.FOLDER, "-f", "src/test/resources/chart/" + values);
      assertTrue(out.contains("1 chart(s) linted, 0 chart(s) failed"), out);
      assertTrue(!out.contains("[WARNING]") && !out.contains("[ERROR]"), out);
    }
  }

  /** A test of the release must not count as a pod of the Deployment. */
  @Test
  void runStatusAsTheTestOfTheRelease() {
    List<HasMetadata> objects =
        Kustomize.objects(Helm.text("template", "a", Chart.FOLDER, "-n", "other"));
    Pod test = Kustomize.one(objects, Pod.class);

    assertEquals("test", test.getMetadata().getAnnotations().get("helm.sh/hook"));
    assertEquals(List.of("status"), test.getSpec().getContainers().get(0).getArgs());
    assertEquals("Never", test.getSpec().getRestartPolicy());
    Map<String, String> selected =
        Kustomize.one(objects, Deployment.class).getSpec().getSelector().getMatchLabels();
    assertTrue(!test.getMetadata().getLabels().entrySet().containsAll(selected.entrySet()));
    assertEquals(
        Manifests.pod(objects).getVolumes(), test.getSpec().getVolumes(), "what the manager has");
  }

  @Test
  void renderFromThePackageWhatTheFolderRenders() throws IOException {
    Helm.text("package", Chart.FOLDER, "-d", folder.toString());
    List<Path> packages;
    try (Stream<Path> files = Files.list(folder)) {
      packages = files.toList();
    }
    assertEquals(1, packages.size(), packages::toString);
    String[] values = {"-f", Chart.ALL};
    assertEquals(
        Helm.text("template", "a", Chart.FOLDER, values[0], values[1]),
        Helm.text("template", "a", packages.get(0).toString(), values[0], values[1]));
  }

  /** The API server itself validates every object, without storing it. */
  @Test
  @EnabledIfEnvironmentVariable(named = "IT_KUBECONFIG", matches = ".+")
  void beAcceptedByAnApiServer() {
    String kubeconfig = System.getenv("IT_KUBECONFIG");
    for (String mode : List.of("deployment", "cronjob")) {
      Helm.text(
          "upgrade",
          "--install",
          "pgendpoints-dry-run",
          Chart.FOLDER,
          "-n",
          "default",
          "--kubeconfig",
          kubeconfig,
          "--dry-run=server",
          "--set",
          "fullnameOverride=pgendpoints-dry-run,networkPolicy.enabled=true,mode=" + mode);
    }
  }

  /** The objects by kind and name, without the intended differences between kustomize and Helm. */
  private static Map<String, JsonNode> comparable(List<HasMetadata> objects) {
    Map<String, JsonNode> comparable = new TreeMap<>();
    for (HasMetadata object : objects) {
      ObjectNode node = (ObjectNode) read(Serialization.asJson(object).replaceAll(HASH, "$1"));
      ObjectNode labels = (ObjectNode) node.at("/metadata/labels");
      labels.remove(List.of("app.kubernetes.io/managed-by", "helm.sh/chart"));
      if (node.at("/spec/template/metadata") instanceof ObjectNode pod) {
        pod.remove("annotations");
      }
      if (node.get("rules") instanceof ArrayNode rules) {
        List<JsonNode> sorted = new ArrayList<>();
        rules.forEach(sorted::add);
        sorted.sort(Comparator.comparing(JsonNode::toString));
        rules.removeAll().addAll(sorted);
      }
      comparable.put(object.getKind() + " " + node.at("/metadata/name").asText(), sorted(node));
    }
    assertEquals(objects.size(), comparable.size());
    return comparable;
  }

  private static JsonNode read(String json) {
    return Serialization.unmarshal(json, JsonNode.class);
  }

  /** Returns the node with the fields of each object in alphabetical order. */
  private static JsonNode sorted(JsonNode node) {
    if (node instanceof ArrayNode array) {
      List<JsonNode> items =
          StreamSupport.stream(array.spliterator(), false).map(ChartTest::sorted).toList();
      return array.removeAll().addAll(items);
    }
    if (node instanceof ObjectNode object) {
      TreeMap<String, JsonNode> fields = new TreeMap<>();
      object.properties().forEach(field -> fields.put(field.getKey(), sorted(field.getValue())));
      object.removeAll();
      return object.setAll(fields);
    }
    return node;
  }
}
