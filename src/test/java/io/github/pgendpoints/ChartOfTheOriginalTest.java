package io.github.pgendpoints;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.support.Chart;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.kubernetes.Helm;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Values of the original chart, which users may still have. */
class ChartOfTheOriginalTest {
  @Test
  void takeTheValuesOfTheOriginalChart() {
    List<HasMetadata> objects = Chart.render("-f", Chart.ORIGINAL);

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
        new TreeMap<>(Chart.configMap(objects, "postgres-endpoint-manager")));
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
          objects.stream()
              .anyMatch(
                  object ->
                      object.getKind().equals(kind)
                          && object.getMetadata().getName().equals("postgres-endpoint-manager")),
          kind + " has the name of the original's");
    }
  }

  /** Helm reads such a password as a floating-point number. */
  @Test
  void takeAPasswordThatLooksLikeANumber() {
    String value = "cronJob.env={\"PGPASSWORD\":12345678}";
    assertEquals(
        Map.of("password", Base64.getEncoder().encodeToString("12345678".getBytes(UTF_8))),
        Kustomize.one(Helm.render("template", "a", Chart.FOLDER, "--set-json", value), Secret.class)
            .getData());
  }

  @Test
  void preferImageOfThisProgram() {
    List<HasMetadata> objects =
        Chart.render(
            "-f",
            Chart.ORIGINAL,
            "image.repository=registry.example/pgendpoints",
            "image.tag=0.1.0");
    assertEquals(
        "registry.example/pgendpoints:0.1.0",
        Manifests.pod(objects).getContainers().get(0).getImage());
  }

  /** The program reads older names, but the chart's Services, rights, and ports need them too. */
  @ParameterizedTest
  @CsvSource({
    "'\"PG_PORT\":6000,\"CHART_NAME\":\"orders\"', 6000, orders-rw, orders-ro",
    "'\"PG_PORT\":\"6000\",\"PGPORT\":5433,\"HELM_RELEASE\":\"x\"', 5433, x-rw, x-ro",
    "'\"CHART_NAME\":\"y\",\"HELM_RELEASE\":\"x\",\"RO_SERVICE\":\"z\"', 5432, y-rw, z",
    "'\"PG_PORT\":\"\",\"DEFAULT_NAMESPACE\":\"other\"', 5432, postgresql-external-rw, postgresql-external-ro",
  })
  void mapOlderNamesOfVariables(String env, int port, String readWrite, String readOnly) {
    List<HasMetadata> objects =
        Helm.render(
            "template",
            "a",
            Chart.FOLDER,
            "-n",
            "other",
            "--set-json",
            "cronJob.env={" + env + "}");

    Map<String, String> settings = Manifests.settings(objects);
    assertEquals(String.valueOf(port), settings.get("PGPORT"));
    assertEquals(readWrite, settings.get("RW_SERVICE"));
    assertEquals(readOnly, settings.get("RO_SERVICE"));
    for (String old :
        List.of("PG_PORT", "CHART_NAME", "HELM_RELEASE", "NAMESPACE", "DEFAULT_NAMESPACE")) {
      assertFalse(settings.containsKey(old), old);
    }
    assertEquals(
        Map.of(readWrite, port, readOnly, port),
        objects.stream()
            .filter(Service.class::isInstance)
            .map(Service.class::cast)
            .collect(
                Collectors.toMap(
                    service -> service.getMetadata().getName(),
                    service -> service.getSpec().getPorts().get(0).getPort())));
  }

  @Test
  void rejectAnotherNamespaceThanTheOneOfTheRelease() {
    String env = "cronJob.env={\"NAMESPACE\":\"db\"}";
    Helm.Result result = Helm.run("template", "a", Chart.FOLDER, "-n", "x", "--set-json", env);

    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("NAMESPACE is db, but the release is in x"), result::err);
  }

  /** Helm renders notes only at an installation, so a copy of the chart has them in a template. */
  @Test
  void reportMappedNamesInTheNotes(@TempDir Path folder) throws IOException {
    Chart.copy(folder);
    Files.writeString(
        folder.resolve("templates/notes.yaml"),
        "notes: |\n{{ include (print $.Template.BasePath \"/NOTES.txt\") . | indent 2 }}\n");
    String env = "cronJob.env={\"PG_PORT\":6000,\"CHART_NAME\":\"orders\"}";
    String notes =
        Helm.text(
            "template", "a", folder.toString(), "-s", "templates/notes.yaml", "--set-json", env);

    assertTrue(notes.contains("CHART_NAME: RW_SERVICE=orders-rw, RO_SERVICE=orders-ro"), notes);
    assertTrue(notes.contains("PG_PORT: PGPORT=6000"), notes);
    assertFalse(notes.contains("HELM_RELEASE"), notes);
  }
}
