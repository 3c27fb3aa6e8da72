package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapEnvSource;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PodAffinityTerm;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobSpec;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetSpec;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitor;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitorSpec;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import io.github.pgendpoints.settings.InvalidSettingsException;
import io.github.pgendpoints.settings.SettingsReader;
import io.github.pgendpoints.settings.SettingsReference;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import io.github.pgendpoints.support.kubernetes.UnknownFields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code kubectl apply -k} would send, for each overlay, alone and with each component. */
class ManifestsTest {
  private static final Path CRON_JOB = Path.of("k8s/overlays/cronjob");
  private static final Path DEPLOYMENT = Path.of("k8s/overlays/deployment");
  private static final Set<String> OF_ONE_OVERLAY =
      Set.of("LEASE_NAME", "MANAGEMENT_PORT", "POD_UID", "STATE");

  @ParameterizedTest
  @MethodSource("renderings")
  void fitTheirTypes(Path folder) {
    List<HasMetadata> objects = Kustomize.render(folder);

    assertEquals(List.of(), objects.stream().flatMap(o -> UnknownFields.of(o).stream()).toList());
    assertEquals(
        List.of(),
        objects.stream()
            .filter(object -> object instanceof Endpoints || object instanceof Secret)
            .toList(),
        "Endpoints are the manager's, Secrets the user's");
  }

  @Test
  void findsAFieldThatNoTypeHas() {
    Object misspelt =
        Serialization.unmarshal(
            """
            {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template":
              {"spec": {"containers": [{"name": "a", "ressources": {}}]}}}}}}
            """,
            CronJob.class);
    assertEquals(
        List.of("CronJob.spec.jobTemplate.spec.template.spec.containers[0].ressources"),
        UnknownFields.of(misspelt));
  }

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Manifests#overlays")
  void nameOnlyWhatIsThere(Path overlay) throws IOException {
    List<HasMetadata> objects = Kustomize.render(overlay);
    Set<String> configMaps = names(objects, ConfigMap.class);
    PodSpec pod = Manifests.pod(objects);
    Container container = container(pod);
    Secret secret =
        Serialization.unmarshal(
            Files.readString(Path.of("k8s/examples/secret.yaml")), Secret.class);

    Set<String> used = new TreeSet<>();
    container.getEnvFrom().stream()
        .map(source -> source.getConfigMapRef())
        .map(ConfigMapEnvSource::getName)
        .forEach(used::add);
    for (Volume volume : pod.getVolumes()) {
      if (volume.getConfigMap() != null) {
        used.add(volume.getConfigMap().getName());
      }
      if (volume.getSecret() != null) {
        assertEquals(secret.getMetadata().getName(), volume.getSecret().getSecretName());
      }
    }
    assertEquals(configMaps, used);
    assertEquals(
        mount(pod, "password").getMountPath() + "/password",
        variables(pod).get("PGPASSWORD_FILE"),
        "the file named as the key of " + secret.getStringData());
    assertTrue(secret.getStringData().containsKey("password"));
    assertEquals(
        Set.of(pod.getServiceAccountName()), names(objects, ServiceAccount.class), "account");
    RoleBinding binding = Kustomize.one(objects, RoleBinding.class);
    assertEquals(pod.getServiceAccountName(), binding.getSubjects().get(0).getName());
    assertEquals(
        Kustomize.one(objects, Role.class).getMetadata().getName(), binding.getRoleRef().getName());
    assertTrue(pod.getAutomountServiceAccountToken());
  }

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Manifests#overlays")
  void mountTheRoutesAsTheyAre(Path overlay) throws IOException {
    List<HasMetadata> objects = Kustomize.render(overlay);
    PodSpec pod = Manifests.pod(objects);
    for (String folder : List.of("routes", "routes/alerts")) {
      Map<String, String> routes = new TreeMap<>();
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        for (Path file : files.filter(path -> path.toString().endsWith(".camel.yaml")).toList()) {
          routes.put(file.getFileName().toString(), Files.readString(file));
        }
      }
      String name = Path.of(folder).getFileName().toString();
      assertEquals(
          routes,
          new TreeMap<>(
              Manifests.configMap(objects, "postgres-endpoint-manager-" + name).getData()),
          folder + "/kustomization.yaml names every route");
      assertEquals("/opt/postgres-endpoint-manager/" + folder, mount(pod, name).getMountPath());
    }
  }

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Manifests#overlays")
  void passPodSecurityRestricted(Path overlay) {
    PodSpec pod = Manifests.pod(Kustomize.render(overlay));
    Container container = container(pod);

    assertTrue(pod.getSecurityContext().getRunAsNonRoot());
    assertEquals(1000, pod.getSecurityContext().getRunAsUser());
    assertEquals("RuntimeDefault", pod.getSecurityContext().getSeccompProfile().getType());
    assertFalse(container.getSecurityContext().getAllowPrivilegeEscalation());
    assertEquals(List.of("ALL"), container.getSecurityContext().getCapabilities().getDrop());
    assertTrue(container.getSecurityContext().getReadOnlyRootFilesystem());
    for (String of : List.of("cpu", "memory")) {
      assertTrue(container.getResources().getRequests().containsKey(of), of);
    }
    assertTrue(container.getResources().getLimits().containsKey("memory"));
    assertEquals(
        List.of("tmp"),
        pod.getVolumes().stream()
            .filter(volume -> volume.getConfigMap() == null && volume.getSecret() == null)
            .filter(volume -> volume.getEmptyDir() != null)
            .map(Volume::getName)
            .toList());
    assertEquals(4, pod.getVolumes().size(), "and nothing of the host");
  }

  /** Kubernetes itself writes the Endpoints of a Service with a selector. */
  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Manifests#overlays")
  void leaveTheServicesToTheProgram(Path overlay) {
    List<HasMetadata> objects = Kustomize.render(overlay);
    List<ServiceSpec> services =
        objects.stream()
            .filter(Service.class::isInstance)
            .map(service -> ((Service) service).getSpec())
            .toList();

    assertEquals(2, services.size());
    for (ServiceSpec service : services) {
      assertEquals(Map.of(), service.getSelector());
      assertEquals("None", service.getClusterIP());
      assertEquals("postgresql", service.getPorts().get(0).getName(), "the default of PORT_NAME");
    }
  }

  @Test
  void runTheSamePodEitherWay() {
    List<PodSpec> pods = Manifests.overlays().map(Kustomize::render).map(Manifests::pod).toList();
    for (PodSpec pod : pods) {
      pod.setRestartPolicy(null);
      pod.setTerminationGracePeriodSeconds(null);
      pod.setTopologySpreadConstraints(null);
      pod.setAffinity(null);
      pod.setTolerations(null);
      container(pod).setArgs(null);
      container(pod).setResources(null);
      container(pod).setPorts(null);
      container(pod).setStartupProbe(null);
      container(pod).setLivenessProbe(null);
      container(pod).setReadinessProbe(null);
      container(pod).getEnv().removeIf(variable -> OF_ONE_OVERLAY.contains(variable.getName()));
    }
    assertEquals(1, Set.copyOf(pods).size(), pods::toString);
  }

  @Test
  void giveEachRunOfTheCronJobAnEnd() {
    CronJobSpec job = Kustomize.one(Kustomize.render(CRON_JOB), CronJob.class).getSpec();

    assertEquals("Forbid", job.getConcurrencyPolicy());
    assertTrue(job.getStartingDeadlineSeconds() > 0);
    assertTrue(job.getSuccessfulJobsHistoryLimit() > 0);
    assertTrue(job.getFailedJobsHistoryLimit() > 0);
    assertEquals(0, job.getJobTemplate().getSpec().getBackoffLimit());
    assertTrue(job.getJobTemplate().getSpec().getActiveDeadlineSeconds() < 120, "its schedule");
    assertTrue(job.getJobTemplate().getSpec().getTtlSecondsAfterFinished() > 0);
    assertEquals(
        "Never", job.getJobTemplate().getSpec().getTemplate().getSpec().getRestartPolicy());
  }

  @Test
  void runTwoReplicasOfWhichOneIsAlwaysThere() {
    List<HasMetadata> objects = Kustomize.render(DEPLOYMENT);
    DeploymentSpec deployment = Kustomize.one(objects, Deployment.class).getSpec();
    PodDisruptionBudgetSpec budget = Kustomize.one(objects, PodDisruptionBudget.class).getSpec();

    assertEquals(2, deployment.getReplicas());
    assertEquals("RollingUpdate", deployment.getStrategy().getType());
    assertEquals(0, deployment.getStrategy().getRollingUpdate().getMaxUnavailable().getIntVal());
    assertEquals(1, budget.getMaxUnavailable().getIntVal());
    Map<String, String> labels = deployment.getTemplate().getMetadata().getLabels();
    Map<String, String> selected = deployment.getSelector().getMatchLabels();
    assertTrue(labels.entrySet().containsAll(selected.entrySet()), labels::toString);
    assertEquals(selected, budget.getSelector().getMatchLabels());
    for (TopologySpreadConstraint spread :
        deployment.getTemplate().getSpec().getTopologySpreadConstraints()) {
      assertEquals(selected, spread.getLabelSelector().getMatchLabels());
      assertEquals("ScheduleAnyway", spread.getWhenUnsatisfiable(), "one machine is enough");
    }
  }

  /** The scheduler ignores every constraint on a node that lacks the key of one of them. */
  @Test
  void spreadOverNodesThatHaveNoZone() {
    List<HasMetadata> objects = Kustomize.render(DEPLOYMENT);
    PodSpec pod = Manifests.pod(objects);

    assertEquals(
        List.of("kubernetes.io/hostname"),
        pod.getTopologySpreadConstraints().stream()
            .map(TopologySpreadConstraint::getTopologyKey)
            .toList());
    PodAffinityTerm zone =
        pod.getAffinity()
            .getPodAntiAffinity()
            .getPreferredDuringSchedulingIgnoredDuringExecution()
            .get(0)
            .getPodAffinityTerm();
    assertEquals("topology.kubernetes.io/zone", zone.getTopologyKey());
    assertEquals(
        Kustomize.one(objects, Deployment.class).getSpec().getSelector().getMatchLabels(),
        zone.getLabelSelector().getMatchLabels());
  }

  @Test
  void replaceAReplicaOfALostNodeSoon() {
    assertEquals(
        Map.of("node.kubernetes.io/not-ready", 30L, "node.kubernetes.io/unreachable", 30L),
        Manifests.pod(Kustomize.render(DEPLOYMENT)).getTolerations().stream()
            .filter(toleration -> toleration.getEffect().equals("NoExecute"))
            .collect(Collectors.toMap(Toleration::getKey, Toleration::getTolerationSeconds)));
  }

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Manifests#overlays")
  void showTheLogOfAFailedContainerInItsStatus(Path overlay) {
    assertEquals(
        "FallbackToLogsOnError",
        container(Manifests.pod(Kustomize.render(overlay))).getTerminationMessagePolicy());
  }

  @Test
  void probeReadinessAndLiveness() {
    PodSpec pod = Manifests.pod(Kustomize.render(DEPLOYMENT));
    ContainerPort port = container(pod).getPorts().get(0);

    assertEquals(String.valueOf(port.getContainerPort()), variables(pod).get("MANAGEMENT_PORT"));
    Map<String, Probe> probes =
        Map.of(
            "/observe/health/ready", container(pod).getReadinessProbe(),
            "/observe/health/live", container(pod).getLivenessProbe());
    probes.forEach(
        (path, probe) -> {
          assertEquals(path, probe.getHttpGet().getPath());
          assertEquals(port.getName(), probe.getHttpGet().getPort().getStrVal());
        });
    assertEquals(
        container(pod).getLivenessProbe().getHttpGet(),
        container(pod).getStartupProbe().getHttpGet());
  }

  @Test
  void scrapeThePodsOfTheDeployment() throws IOException {
    Path copy = Manifests.copy();
    Path overlay = copy.resolve(DEPLOYMENT).resolve("kustomization.yaml");
    String without = Files.readString(overlay);
    String with =
        without.replace("  # - ../../components/monitoring", "  - ../../components/monitoring");
    assertFalse(with.equals(without), "it is there to be switched on");
    Files.writeString(overlay, with);
    List<HasMetadata> objects = Kustomize.render(copy.resolve(DEPLOYMENT));

    PodMonitorSpec monitor = Kustomize.one(objects, PodMonitor.class).getSpec();
    assertEquals(
        Kustomize.one(objects, Deployment.class).getSpec().getSelector().getMatchLabels(),
        monitor.getSelector().getMatchLabels());
    assertEquals(
        container(Manifests.pod(objects)).getPorts().get(0).getName(),
        monitor.getPodMetricsEndpoints().get(0).getPort());
    assertEquals("/observe/metrics", monitor.getPodMetricsEndpoints().get(0).getPath());
    assertEquals(1, objects.stream().filter(PrometheusRule.class::isInstance).count());
    List<ConfigMap> dashboards =
        objects.stream()
            .filter(ConfigMap.class::isInstance)
            .map(ConfigMap.class::cast)
            .filter(map -> "1".equals(map.getMetadata().getLabels().get("grafana_dashboard")))
            .toList();
    assertEquals(1, dashboards.size());
    assertEquals("postgres-endpoint-manager-dashboard", dashboards.get(0).getMetadata().getName());
  }

  @Test
  void electOverALeaseOfTheirOwn() throws IOException {
    Set<String> leases = new HashSet<>();
    for (String suffix : List.of("", "-two")) {
      Path copy = Manifests.copy();
      Path file = copy.resolve("k8s/cluster/kustomization.yaml");
      Files.writeString(
          file,
          Files.readString(file)
              .replace(
                  "namespace: postgresql\n", "namespace: other\nnameSuffix: " + suffix + "\n"));
      List<HasMetadata> objects = Kustomize.render(copy.resolve(DEPLOYMENT));

      String lease = variables(Manifests.pod(objects)).get("LEASE_NAME");
      assertEquals(List.of(lease), leaseNames(objects));
      assertEquals("postgres-endpoint-manager" + suffix + "-leader", lease);
      assertEquals(
          Map.of(
              "app.kubernetes.io/name",
              "postgres-endpoint-manager",
              "app.kubernetes.io/instance",
              "postgres-endpoint-manager" + suffix),
          Kustomize.one(objects, PodDisruptionBudget.class)
              .getSpec()
              .getSelector()
              .getMatchLabels());
      leases.add(lease);
    }
    assertEquals(2, leases.size());
    assertEquals(List.of(), leaseNames(Kustomize.render(CRON_JOB)), "it elects nobody");
  }

  /** A restarted container uses POD_UID to recognize the Lease of its dead predecessor. */
  @Test
  void tellTheProgramWhichPodItIs() {
    List<String> fields =
        container(Manifests.pod(Kustomize.render(DEPLOYMENT))).getEnv().stream()
            .filter(variable -> variable.getName().equals("POD_UID"))
            .map(variable -> variable.getValueFrom().getFieldRef().getFieldPath())
            .toList();
    assertEquals(List.of("metadata.uid"), fields);
  }

  @Test
  void keepTheirStateInAConfigMapOfTheirOwn() throws IOException {
    for (Path overlay : List.of(CRON_JOB, DEPLOYMENT)) {
      for (String suffix : List.of("", "-two")) {
        keepTheirState(overlay, suffix);
      }
    }
  }

  private static void keepTheirState(Path overlay, String suffix) throws IOException {
    Path copy = Manifests.copy();
    Path file = copy.resolve("k8s/cluster/kustomization.yaml");
    Files.writeString(
        file,
        Files.readString(file)
            .replace("namespace: postgresql\n", "namespace: other\nnameSuffix: " + suffix + "\n"));
    List<HasMetadata> objects = Kustomize.render(copy.resolve(overlay));

    String state = variables(Manifests.pod(objects)).get("STATE");
    assertEquals("postgres-endpoint-manager" + suffix + "-state", state);
    assertEquals(
        List.of(state),
        Kustomize.one(objects, Role.class).getRules().stream()
            .filter(rule -> rule.getResources().contains("configmaps"))
            .flatMap(rule -> rule.getResourceNames().stream())
            .toList());
    assertEquals(
        Set.of("get", "patch", "create"),
        Kustomize.one(objects, Role.class).getRules().stream()
            .filter(rule -> rule.getResources().contains("configmaps"))
            .flatMap(rule -> rule.getVerbs().stream())
            .collect(Collectors.toSet()));
    assertFalse(names(objects, ConfigMap.class).contains(state), "the run makes it");
  }

  private static List<String> leaseNames(List<HasMetadata> objects) {
    return Kustomize.one(objects, Role.class).getRules().stream()
        .filter(rule -> rule.getApiGroups().contains("coordination.k8s.io"))
        .flatMap(rule -> rule.getResourceNames().stream())
        .toList();
  }

  /** Returns the variables that the container sets, which override the ConfigMap. */
  private static Map<String, String> variables(PodSpec pod) {
    return container(pod).getEnv().stream()
        .filter(variable -> variable.getValue() != null)
        .collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue));
  }

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Manifests#overlays")
  void tellAPlaceholderThatWasLeft(Path overlay) {
    Map<String, String> settings = Manifests.settings(Kustomize.render(overlay));
    List<String> names =
        SettingsReference.all()
            .flatMap(
                setting -> Stream.concat(Stream.of(setting.name()), setting.aliases().stream()))
            .toList();
    assertTrue(names.containsAll(settings.keySet()), settings::toString);

    List<String> faults =
        assertThrows(InvalidSettingsException.class, () -> SettingsReader.read(settings, false))
            .faults();

    assertEquals(1, faults.size(), faults::toString);
    assertTrue(faults.get(0).startsWith("PG_NODES='REPLACE-ME' is a placeholder"), faults.get(0));
  }

  @ParameterizedTest
  @MethodSource("io.github.pgendpoints.support.Manifests#overlays")
  void takeEveryNameFromTheOneFile(Path overlay) throws IOException {
    Path edited = Manifests.copy();
    Path file = edited.resolve("k8s/cluster/kustomization.yaml");
    Files.writeString(
        file,
        Files.readString(file)
            .replace("namespace: postgresql\n", "namespace: other\nnameSuffix: -two\n")
            .replace("newName: REPLACE-ME/", "newName: registry.example/")
            .replace("PG_NODES=REPLACE-ME", "PG_NODES=10.0.0.1,10.0.0.2:5433,db3.example")
            .replace("postgresql-external-rw", "orders-rw")
            .replace("postgresql-external-ro", "orders-ro"));

    List<HasMetadata> objects = Kustomize.render(edited.resolve(overlay));

    assertEquals(
        Set.of("other"),
        objects.stream()
            .map(HasMetadata::getMetadata)
            .map(ObjectMeta::getNamespace)
            .collect(Collectors.toSet()));
    assertEquals(Set.of("orders-rw", "orders-ro"), names(objects, Service.class));
    assertEquals(
        Set.of("orders-rw", "orders-ro"),
        Kustomize.one(objects, Role.class).getRules().stream()
            .filter(rule -> !rule.getApiGroups().contains("coordination.k8s.io"))
            .filter(rule -> !rule.getResources().contains("configmaps"))
            .flatMap(rule -> rule.getResourceNames().stream())
            .collect(Collectors.toSet()));
    String image = container(Manifests.pod(objects)).getImage();
    assertEquals("registry.example/postgres-endpoint-manager:" + Build.current().version(), image);
    assertEquals(Set.of("postgres-endpoint-manager-two"), names(objects, ServiceAccount.class));
    Map<String, String> settings = new HashMap<>(Manifests.settings(objects));
    assertEquals("10.0.0.1,10.0.0.2:5433,db3.example", settings.get("PG_NODES"));
    String all = objects.stream().map(Serialization::asYaml).collect(Collectors.joining());
    assertFalse(all.contains("REPLACE-ME"), all);
    assertFalse(all.contains("postgresql-external"), all);
  }

  @Test
  void sayWhatEachRuleOfTheRoleIsFor() throws IOException {
    List<Path> roles;
    try (Stream<Path> files = Files.walk(Path.of("k8s"))) {
      roles =
          files
              .filter(path -> path.getFileName().toString().matches("role(?!-binding).*\\.yaml"))
              .toList();
    }
    assertTrue(roles.size() >= 4, roles::toString);
    for (Path role : roles) {
      List<String> lines = Files.readAllLines(role);
      assertTrue(lines.get(0).startsWith("# "), role::toString);
      for (int i = 1; i < lines.size(); i++) {
        boolean isAdded = lines.get(i).equals("  path: /rules/-");
        if (isAdded || lines.get(i).startsWith("  - apiGroups")) {
          String above = lines.get(isAdded ? i - 2 : i - 1);
          assertTrue(above.strip().startsWith("# "), role + ": " + above);
        }
      }
    }
  }

  @Test
  void findInTheImageWhatTheyMountOver() throws IOException {
    String dockerfile = Files.readString(Path.of("Dockerfile"));
    String home = "/opt/postgres-endpoint-manager";

    assertTrue(dockerfile.contains("\nCOPY target/postgres-endpoint-manager " + home + "\n"));
    int trained =
        dockerfile.indexOf("\nRUN [\"" + home + "/bin/postgres-endpoint-manager\", \"--train\"]\n");
    assertTrue(trained > dockerfile.indexOf("\nCOPY "), "trains what was copied");
    assertTrue(dockerfile.indexOf("\nUSER 1000:1000\n") > trained, "as root, who owns the folder");
    assertTrue(
        dockerfile.contains("\nENTRYPOINT [\"" + home + "/bin/postgres-endpoint-manager\"]\n"));
    assertTrue(Files.isRegularFile(Path.of("src/main/dist/bin/postgres-endpoint-manager")));
  }

  private static Stream<Path> renderings() throws IOException {
    Path copy = Manifests.copy();
    List<Path> components;
    try (Stream<Path> folders = Files.list(Path.of("k8s/components"))) {
      components = folders.sorted().toList();
    }
    for (Path overlay : Manifests.overlays().toList()) {
      for (Path component : components) {
        Path both =
            copy.resolve("k8s/with-" + overlay.getFileName() + "-" + component.getFileName());
        Files.createDirectories(both);
        Files.writeString(
            both.resolve("kustomization.yaml"),
            "resources: [../overlays/%s]\ncomponents: [../components/%s]\n"
                .formatted(overlay.getFileName(), component.getFileName()));
      }
    }
    try (Stream<Path> folders = Files.list(copy.resolve("k8s"))) {
      return Stream.concat(
          Manifests.overlays(),
          folders
              .filter(folder -> folder.getFileName().toString().startsWith("with-"))
              .toList()
              .stream());
    }
  }

  private static Container container(PodSpec pod) {
    assertEquals(1, pod.getContainers().size());
    return pod.getContainers().get(0);
  }

  private static VolumeMount mount(PodSpec pod, String name) {
    return container(pod).getVolumeMounts().stream()
        .filter(mount -> mount.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static Set<String> names(List<HasMetadata> objects, Class<?> type) {
    return objects.stream()
        .filter(type::isInstance)
        .map(object -> object.getMetadata().getName())
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
