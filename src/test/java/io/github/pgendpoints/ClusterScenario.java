package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.github.pgendpoints.support.Manifests;
import io.github.pgendpoints.support.PackagedProgram;
import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.Kustomize;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged program with an API server, and only with the rights that the deployment overlay
 * grants, in a separate namespace that is deleted at the end. PostgreSQL runs on this machine, at
 * an address that may be published.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ClusterScenario {
  @TempDir private static Path folder;

  private static final Set<Class<?>> APPLIED =
      Set.of(ServiceAccount.class, Role.class, RoleBinding.class, Service.class);

  private static final String RW = "postgresql-external-rw";
  private static final String RO = "postgresql-external-ro";

  private final String namespace = "pgendpoints-it-" + UUID.randomUUID().toString().substring(0, 8);
  private final String address = publishable();
  private KubernetesClient admin;
  private Path kubeconfig;
  private PostgresCluster cluster;

  /** Returns access that may create and delete a namespace, and everything in it. */
  abstract Config access() throws IOException;

  /** Returns a token of the ServiceAccount of the program. */
  abstract String token(KubernetesClient asAdmin, String inNamespace, String account);

  /** Runs after all other cleanup. */
  void end() {}

  @BeforeAll
  void apply() throws IOException, SQLException {
    Config access = access();
    assumeTrue(address != null, "this machine has no address that Kubernetes would publish");
    admin = new KubernetesClientBuilder().withConfig(access).build();
    admin
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
        .create();
    Path copy = Manifests.copy();
    Path file = copy.resolve("k8s/cluster/kustomization.yaml");
    Files.writeString(
        file,
        Files.readString(file)
            .replace("namespace: postgresql\n", "namespace: " + namespace + "\n"));
    List<HasMetadata> objects = Kustomize.render(copy.resolve("k8s/overlays/deployment"));
    objects.stream()
        .filter(object -> APPLIED.contains(object.getClass()))
        .forEach(object -> admin.resource(object).create());
    String account = Kustomize.one(objects, ServiceAccount.class).getMetadata().getName();
    kubeconfig = kubeconfig(access, token(admin, namespace, account));
    cluster =
        PostgresCluster.start(
            new PostgresCluster.Options().standbys(0).addresses(address).subnets(address + "/32"));
    // The program recommends these rights, and warns if they are missing.
    cluster.primary().sql("GRANT pg_monitor TO " + PostgresCluster.USER);
    cluster.primary().sql("ALTER ROLE " + PostgresCluster.USER + " REPLICATION");
  }

  @AfterAll
  void cleanUp() {
    if (cluster != null) {
      cluster.close();
    }
    if (admin != null) {
      admin.namespaces().withName(namespace).delete();
      admin.close();
    }
    end();
  }

  @Test
  void endpointsAreMadeMirroredKeptAndRepaired() {
    once();
    assertEquals(List.of(address), addresses(RW));
    assertEquals(List.of(address), addresses(RO), "by RO_FALLBACK");
    for (String service : List.of(RW, RO)) {
      until(() -> visible(service).equals(Set.of(address)));
      EndpointSlice mirrored = slices(service).get(0);
      assertEquals(
          "endpointslicemirroring-controller.k8s.io",
          mirrored.getMetadata().getLabels().get("endpointslice.kubernetes.io/managed-by"));
    }

    String version = endpoints(RW).getMetadata().getResourceVersion();
    once();
    assertEquals(version, endpoints(RW).getMetadata().getResourceVersion(), "nothing to write");

    admin.endpoints().inNamespace(namespace).withName(RW).delete();
    once();
    assertEquals(List.of(address), addresses(RW));
    assertNotEquals(version, endpoints(RW).getMetadata().getResourceVersion());
    until(() -> visible(RW).equals(Set.of(address)));
  }

  @Test
  void aSliceOfAnotherWriterIsReportedUntilItIsGone() {
    once();
    EndpointSlice other =
        new EndpointSliceBuilder()
            .withNewMetadata()
            .withNamespace(namespace)
            .withName("other")
            .addToLabels("kubernetes.io/service-name", RW)
            .endMetadata()
            .withAddressType("IPv4")
            .addNewEndpoint()
            .withAddresses("192.0.2.1")
            .endEndpoint()
            .addNewPort()
            .withName("postgresql")
            .withPort(cluster.port())
            .endPort()
            .build();
    admin.resource(other).create();

    try (Program program = program("once")) {
      assertEquals(3, program.run("--once"), program::err);
      assertTrue(
          program.err().contains("kubectl delete endpointslice other -n " + namespace),
          program::err);
    }

    admin.resource(other).delete();
    once();
  }

  @Test
  void oneOfTwoReplicasLeadsAndTheOtherTakesOver() {
    try (Program first = program("first");
        Program second = program("second")) {
      first.start();
      until(() -> first.err().contains("INFO topology verified"));
      second.start();
      until(() -> second.err().contains("INFO this replica stands by: "));
      assertTrue(lease().getSpec().getHolderIdentity().startsWith("first_"), () -> "" + lease());

      assertEquals(143, first.terminate().exitCode(10), first::err);
      admin.endpoints().inNamespace(namespace).withName(RW).delete();
      until(() -> endpoints(RW) != null && addresses(RW).equals(List.of(address)));

      assertTrue(lease().getSpec().getHolderIdentity().startsWith("second_"), () -> "" + lease());
      for (Program replica : List.of(first, second)) {
        assertFalse(replica.err().matches("(?s).*( ERROR |does not grant).*"), replica::err);
      }
    }
  }

  private void once() {
    try (Program program = program("once")) {
      assertEquals(0, program.run("--once"), program::err);
      assertFalse(program.err().matches("(?s).* (WARN|ERROR) .*"), program::err);
    }
  }

  private Program program(String name) {
    return PackagedProgram.original()
        .program(cluster, kubeconfig)
        .with("HOSTNAME", name)
        .with("MANAGEMENT_PORT", "off")
        .with("JOLOKIA_PORT", "off")
        .with("LEASE_NAME", "postgres-endpoint-manager-leader")
        .with("PROBE_INTERVAL", "500ms")
        .with("RO_FALLBACK", "primary")
        .with("PG_NODES", address)
        .with("RW_SERVICE", RW)
        .with("RO_SERVICE", RO);
  }

  private Path kubeconfig(Config access, String token) throws IOException {
    String trust =
        access.getCaCertData() != null
            ? "certificate-authority-data: " + access.getCaCertData()
            : access.getCaCertFile() != null
                ? "certificate-authority: " + access.getCaCertFile()
                : "insecure-skip-tls-verify: " + access.isTrustCerts();
    return Files.writeString(
        folder.resolve("kubeconfig"),
        """
        apiVersion: v1
        kind: Config
        current-context: it
        clusters: [{name: it, cluster: {server: %s, %s}}]
        users: [{name: it, user: {token: %s}}]
        contexts: [{name: it, context: {cluster: it, user: it, namespace: %s}}]
        """
            .formatted(access.getMasterUrl(), trust, token, namespace));
  }

  private Lease lease() {
    Lease lease =
        admin.leases().inNamespace(namespace).withName("postgres-endpoint-manager-leader").get();
    assertNotNull(lease);
    return lease;
  }

  private Endpoints endpoints(String name) {
    return admin.endpoints().inNamespace(namespace).withName(name).get();
  }

  private List<String> addresses(String name) {
    return endpoints(name).getSubsets().stream()
        .flatMap(subset -> subset.getAddresses().stream().map(EndpointAddress::getIp))
        .toList();
  }

  private List<EndpointSlice> slices(String service) {
    return admin
        .discovery()
        .v1()
        .endpointSlices()
        .inNamespace(namespace)
        .withLabel("kubernetes.io/service-name", service)
        .list()
        .getItems();
  }

  /** Returns the addresses that clients of the Service see. */
  private Set<String> visible(String service) {
    return slices(service).stream()
        .flatMap(slice -> FakeApiServer.endpoints(slice).stream())
        .flatMap(endpoint -> endpoint.getAddresses().stream())
        .collect(Collectors.toSet());
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(100)).until(condition);
  }

  /** Returns an address that is not loopback, which Kubernetes refuses; null if there is none. */
  private static String publishable() {
    try {
      return NetworkInterface.networkInterfaces()
          .flatMap(NetworkInterface::inetAddresses)
          .filter(Inet4Address.class::isInstance)
          .filter(found -> !found.isLoopbackAddress() && !found.isLinkLocalAddress())
          .map(InetAddress::getHostAddress)
          .findFirst()
          .orElse(null);
    } catch (SocketException e) {
      return null;
    }
  }
}
