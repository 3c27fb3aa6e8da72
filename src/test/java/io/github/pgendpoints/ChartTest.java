package io.github.pgendpoints;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.kubernetes.Helm;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import io.github.pgendpoints.support.kubernetes.UnknownFields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code helm install} would send. */
class ChartTest {
  private static final String CHART = "charts/postgres-endpoint-manager";

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

    Map<String, JsonNode> chart = comparable(render(values.toArray(String[]::new)));
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
        Helm.text("template", "a", CHART, "-f", "src/test/resources/chart/all.yaml"),
        Helm.text("template", "a", CHART, "-f", "src/test/resources/chart/all.yaml"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"deployment", "cronjob"})
  void fitTheirTypes(String mode) {
    List<HasMetadata> objects =
        render(
            "-f",
            "src/test/resources/chart/all.yaml",
            "mode=" + mode,
            "podMonitor.enabled=false",
            "prometheusRule.enabled=false");

    assertEquals(List.of(), objects.stream().flatMap(o -> UnknownFields.of(o).stream()).toList());
    assertEquals(0, objects.stream().filter(Endpoints.class::isInstance).count());
    for (HasMetadata object : objects) {
      assertEquals("other", object.getMetadata().getNamespace(), object::toString);
    }
    PodSpec pod = Manifests.pod(objects);
    Container container = pod.getContainers().get(0);
    assertEquals(
        "registry.example:5000/pgendpoints@sha256:" + "0123456789abcdef".repeat(4),
        container.getImage());
    assertEquals("jars", pod.getInitContainers().get(0).getName());
    assertTrue(
        container.getVolumeMounts().stream()
            .anyMatch(mount -> mount.getMountPath().equals("/opt/postgres-endpoint-manager/ext")));
    Map<String, String> sinks = configMap(objects, "pgendpoints-alerts");
    assertTrue(sinks.containsKey("on-call.camel.yaml"), sinks::toString);
    assertTrue(sinks.containsKey("events.camel.yaml"), "beside the shipped ones");
    Map<String, String> routes = configMap(objects, "pgendpoints-routes");
    assertTrue(routes.containsKey("60-own.camel.yaml"), routes::toString);
    assertEquals("# replaced\n", routes.get("30-verify.camel.yaml"));
    assertEquals("16777216", configMap(objects, "pgendpoints").get("RO_MAX_LAG"));
    assertEquals(0, objects.stream().filter(Service.class::isInstance).count(), "they exist");
    assertEquals("given", pod.getVolumes().get(0).getSecret().getSecretName());
    assertEquals(0, objects.stream().filter(Secret.class::isInstance).count());
    assertEquals(Map.of("disk", "fast"), pod.getNodeSelector());
    assertEquals("1Gi", container.getResources().getLimits().get("memory").toString());
  }

  /** Nodes that listen on other ports than PGPORT have slices of their own. */
  @Test
  void grantTheSlicesAndThePortsOfEveryNode() {
    List<HasMetadata> objects =
        render(
            "networkPolicy.enabled=true",
            "settings.PUBLISH=EndpointSlices",
            "settings.PG_NODES=10.0.0.1\\,db2:05433\\,[fd00::3]:5434\\,fd00::5435");

    List<String> named =
        Kustomize.one(objects, Role.class).getRules().stream()
            .filter(rule -> rule.getResources().contains("endpointslices"))
            .flatMap(rule -> rule.getResourceNames().stream())
            .filter(name -> name.startsWith("postgresql-external-rw-ipv4"))
            .toList();
    assertEquals(
        List.of(
            "postgresql-external-rw-ipv4",
            "postgresql-external-rw-ipv4-5433",
            "postgresql-external-rw-ipv4-5434"),
        named);
    String policy =
        objects.stream()
            .filter(object -> object.getKind().equals("NetworkPolicy"))
            .map(Serialization::asYaml)
            .findFirst()
            .orElseThrow();
    assertTrue(policy.contains("port: 5433") && policy.contains("port: 5434"), policy);
    assertTrue(!policy.contains("port: 5435"), "the end of an address is no port");
  }

  /** With PUBLISH=endpoints, the way back still deletes slices. */
  @Test
  void keepTheRightsOnSlicesOnTheWayBack() {
    List<PolicyRule> there =
        Kustomize.one(render("settings.PUBLISH=endpointslices"), Role.class).getRules();
    List<PolicyRule> back =
        Kustomize.one(render("settings.PUBLISH=endpoints", "rbac.endpointSlices=true"), Role.class)
            .getRules();
    assertEquals(there, back);
    assertNotEquals(there, Kustomize.one(render(), Role.class).getRules());
  }

  @Test
  void takeTheValuesOfTheOriginalChart() {
    List<HasMetadata> objects = render("-f", "src/test/resources/chart/original.yaml");

    CronJob cronJob = Kustomize.one(objects, CronJob.class);
    assertEquals("postgres-endpoint-manager", cronJob.getMetadata().getName());
    assertEquals("*/5 * * * *", cronJob.getSpec().getSchedule());
    assertEquals(120L, cronJob.getSpec().getJobTemplate().getSpec().getActiveDeadlineSeconds());
    Container container = Manifests.pod(objects).getContainers().get(0);
    assertEquals("quay.io/example/manager:1.0.0", container.getImage());
    assertEquals("Always", container.getImagePullPolicy());
    assertEquals(
        new TreeMap<>(
            Map.of(
                "ALERT_SINKS", "events",
                "PG_NODES", "192.0.2.1,192.0.2.2,192.0.2.3",
                "PGCONNECT_TIMEOUT", "10",
                "PGDATABASE", "monitor",
                "PGPORT", "5433",
                "PGSSLMODE", "prefer",
                "PGUSER", "probe",
                "RO_SERVICE", "postgresql-external-ro",
                "RW_SERVICE", "postgresql-external-rw")),
        new TreeMap<>(configMap(objects, "postgres-endpoint-manager")));
    assertEquals(
        Map.of("password", Base64.getEncoder().encodeToString("s3cret".getBytes(UTF_8))),
        Kustomize.one(objects, Secret.class).getData());
    assertEquals(
        List.of(5433, 5433),
        objects.stream()
            .filter(Service.class::isInstance)
            .map(service -> ((Service) service).getSpec().getPorts().get(0).getPort())
            .toList());
    String all =
        Serialization.asYaml(objects.stream().filter(o -> !(o instanceof Secret)).toList());
    assertTrue(!all.contains("s3cret"), "the password is in the Secret alone");
    for (String kind : List.of("ServiceAccount", "Role", "RoleBinding", "CronJob")) {
      assertTrue(
          comparable(objects).containsKey(kind + " postgres-endpoint-manager"),
          kind + " has the name of the original's");
    }
  }

  /** Helm reads it as a floating-point number. */
  @Test
  void takeAPasswordThatLooksLikeANumber() {
    String value = "cronJob.env={\"PGPASSWORD\":12345678}";
    assertEquals(
        Map.of("password", Base64.getEncoder().encodeToString("12345678".getBytes(UTF_8))),
        Kustomize.one(Helm.render("template", "a", CHART, "--set-json", value), Secret.class)
            .getData());
  }

  @Test
  void preferAnImageOfThisProgramToTheOneOfTheOriginalChart() {
    List<HasMetadata> objects =
        render(
            "-f",
            "src/test/resources/chart/original.yaml",
            "image.repository=registry.example/pgendpoints",
            "image.tag=0.1.0");
    assertEquals(
        "registry.example/pgendpoints:0.1.0",
        Manifests.pod(objects).getContainers().get(0).getImage());
  }

  @ParameterizedTest
  @CsvSource({
    "mode=job, /mode",
    "replicas=3, /replicas",
    "replicas=0, /replicas",
    "settings.PUBLISH=slices, /settings/PUBLISH",
    "settings.PGSSLMODE=yes, /settings/PGSSLMODE",
    "settings.PGPORT=70000, /settings/PGPORT",
    "settings.PGPASSWORD=secret, PGPASSWORD",
    "settings.PG_NODE=10.0.0.1, PG_NODE",
    "settings.RW_SERVICE=No_Name, /settings/RW_SERVICE",
    "image.digest=latest, /image/digest",
    "image.name=a, name",
    "services.create=perhaps, /services/create",
    "sinks.on-call=x, on-call",
    "extraEnv[0].name=STATE, /extraEnv/0/name",
    "RWIPs[0]=db 1, /RWIPs/0",
    "resources.limit.memory=1Gi, limit",
    "podMonitor.interval=often, /podMonitor/interval",
    "unknown=1, unknown",
  })
  void rejectAWrongValueByName(String value, String name) {
    Helm.Result result = Helm.run("template", "a", CHART, "--set", value);

    assertEquals(1, result.exitCode(), value);
    // Helm 3 writes settings.PUBLISH, Helm 4 writes /settings/PUBLISH.
    String dotted = name.replaceFirst("^/", "").replace('/', '.');
    assertTrue(result.err().contains(name) || result.err().contains(dotted), result::err);
  }

  @ParameterizedTest
  @CsvSource({
    "'password.value=a,password.existingSecret=b', set existingSecret or value",
    "'mode=cronjob,podMonitor.enabled=true', a CronJob has no metrics",
    "settings.RW_SERVICE=postgresql-external-ro, RO_SERVICE is also the RW_SERVICE",
    "settings.PGSSLCERT=/run/a, PGSSLCERT and PGSSLKEY need each other",
    "'jars.image.reference=a,jars.volume.emptyDir.medium=Memory', set volume or image.reference",
  })
  void rejectValuesThatContradictEachOther(String values, String message) {
    Helm.Result result = Helm.run("template", "a", CHART, "--set", values);

    assertEquals(1, result.exitCode(), values);
    assertTrue(result.err().contains(message), result::err);
  }

  @Test
  void passLintStrict() {
    for (String values : List.of("all.yaml", "original.yaml")) {
      String out = Helm.text("lint", "--strict", CHART, "-f", "src/test/resources/chart/" + values);
      assertTrue(out.contains("1 chart(s) linted, 0 chart(s) failed"), out);
      assertTrue(!out.contains("[WARNING]") && !out.contains("[ERROR]"), out);
    }
  }

  /** A test of the release must not count as a pod of the Deployment. */
  @Test
  void runStatusAsTheTestOfTheRelease() {
    List<HasMetadata> objects = Kustomize.objects(Helm.text("template", "a", CHART, "-n", "other"));
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
    Helm.text("package", CHART, "-d", folder.toString());
    List<Path> packages;
    try (Stream<Path> files = Files.list(folder)) {
      packages = files.toList();
    }
    assertEquals(1, packages.size(), packages::toString);
    String[] values = {"-f", "src/test/resources/chart/all.yaml"};
    assertEquals(
        Helm.text("template", "a", CHART, values[0], values[1]),
        Helm.text("template", "a", packages.get(0).toString(), values[0], values[1]));
  }

  /** The API server itself checks every object, without keeping it. */
  @Test
  @EnabledIfEnvironmentVariable(named = "IT_KUBECONFIG", matches = ".+")
  void beAcceptedByAnApiServer() {
    String kubeconfig = System.getenv("IT_KUBECONFIG");
    for (String mode : List.of("deployment", "cronjob")) {
      Helm.text(
          "upgrade",
          "--install",
          "pgendpoints-dry-run",
          CHART,
          "-n",
          "default",
          "--kubeconfig",
          kubeconfig,
          "--dry-run=server",
          "--set",
          "fullnameOverride=pgendpoints-dry-run,networkPolicy.enabled=true,mode=" + mode);
    }
  }

  /** Renders the chart: arguments that are no option or file of one are values to set. */
  private static List<HasMetadata> render(String... values) {
    List<String> arguments = new ArrayList<>(List.of("template", "release", CHART, "-n", "other"));
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

  private static Map<String, String> configMap(List<HasMetadata> objects, String name) {
    return objects.stream()
        .filter(ConfigMap.class::isInstance)
        .map(ConfigMap.class::cast)
        .filter(map -> map.getMetadata().getName().equals(name))
        .findFirst()
        .orElseThrow()
        .getData();
  }

  /** The objects by kind and name, without what differs on purpose between kustomize and Helm. */
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

  /** The same with the fields of each object in alphabetical order. */
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
