package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.support.Chart;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.kubernetes.Helm;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import io.github.pgendpoints.support.kubernetes.UnknownFields;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the values of the chart change, and which values the chart rejects. */
class ChartValuesTest {
  @ParameterizedTest
  @ValueSource(strings = {"deployment", "cronjob"})
  void fitTheirTypes(String mode) {
    List<HasMetadata> objects =
        Chart.render(
            "-f",
            Chart.ALL,
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
    Map<String, String> sinks = Chart.configMap(objects, "pgendpoints-alerts");
    assertTrue(sinks.containsKey("on-call.camel.yaml"), sinks::toString);
    assertTrue(sinks.containsKey("events.camel.yaml"), "beside the shipped ones");
    Map<String, String> routes = Chart.configMap(objects, "pgendpoints-routes");
    assertTrue(routes.containsKey("60-own.camel.yaml"), routes::toString);
    assertEquals("# replaced\n", routes.get("30-verify.camel.yaml"));
    assertEquals("16777216", Chart.configMap(objects, "pgendpoints").get("RO_MAX_LAG"));
    assertEquals(0, objects.stream().filter(Service.class::isInstance).count(), "they exist");
    assertEquals("given", pod.getVolumes().get(0).getSecret().getSecretName());
    assertEquals(0, objects.stream().filter(Secret.class::isInstance).count());
    assertEquals(Map.of("disk", "fast"), pod.getNodeSelector());
    assertEquals("1Gi", container.getResources().getLimits().get("memory").toString());
  }

  /** Nodes that listen on other ports than PGPORT have separate slices. */
  @Test
  void grantTheSlicesAndThePortsOfEveryNode() {
    List<HasMetadata> objects =
        Chart.render(
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

  /** A switch back to PUBLISH=endpoints still deletes slices. */
  @Test
  void keepTheRightsOnSlicesOnTheWayBack() {
    List<PolicyRule> there =
        Kustomize.one(Chart.render("settings.PUBLISH=endpointslices"), Role.class).getRules();
    List<PolicyRule> back =
        Kustomize.one(
                Chart.render("settings.PUBLISH=endpoints", "rbac.endpointSlices=true"), Role.class)
            .getRules();
    assertEquals(there, back);
    assertNotEquals(there, Kustomize.one(Chart.render(), Role.class).getRules());
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
    Helm.Result result = Helm.run("template", "a", Chart.FOLDER, "--set", value);

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
    Helm.Result result = Helm.run("template", "a", Chart.FOLDER, "--set", values);

    assertEquals(1, result.exitCode(), values);
    assertTrue(result.err().contains(message), result::err);
  }

  /** If a YAML mapping has a key twice, parsers differ in the value that they use. */
  @ParameterizedTest
  @CsvSource({
    "deployment, podLabels, app.kubernetes.io/name",
    "deployment, podLabels, app.kubernetes.io/instance",
    "deployment, podAnnotations, checksum/config",
    "cronjob, podLabels, app.kubernetes.io/name",
    "deployment, podMonitor.labels, helm.sh/chart",
    "deployment, prometheusRule.labels, app.kubernetes.io/managed-by",
    "deployment, dashboard.labels, app.kubernetes.io/name",
  })
  void rejectAKeyThatTheChartSets(String mode, String value, String key) {
    String component =
        value.startsWith("pod") && !value.contains(".")
            ? "services.create=true"
            : value.replace("labels", "enabled=true");
    String set = "%s={\"%s\":\"mine\"}".formatted(value, key);
    Helm.Result result =
        Helm.run(
            "template", "a", Chart.FOLDER, "--set", component + ",mode=" + mode, "--set-json", set);

    assertEquals(1, result.exitCode(), set);
    assertTrue(result.err().contains(value + ": the chart sets " + key + " itself"), result::err);
  }

  @ParameterizedTest
  @ValueSource(strings = {"deployment", "cronjob"})
  void addLabelsAndAnnotationsToThePods(String mode) {
    ObjectMeta pod =
        Manifests.podTemplate(
                Chart.render("mode=" + mode, "podLabels.team=red", "podAnnotations.note=a"))
            .getMetadata();

    assertEquals("red", pod.getLabels().get("team"));
    assertEquals("postgres-endpoint-manager", pod.getLabels().get("app.kubernetes.io/name"));
    assertEquals("a", pod.getAnnotations().get("note"));
    assertEquals(mode.equals("deployment"), pod.getAnnotations().containsKey("checksum/config"));
  }
}
