package io.github.pgendpoints;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ids of routes are only names for people: no code depends on them. */
class RenamedRoutesIT {
  private static final Path ROUTES = Path.of("routes");
  private static final Pattern ROUTE_ID = Pattern.compile("(?m)^(- route:\\n    id: .*)$");

  private static final String READY = "/observe/health/ready";

  /**
   * The effects of a first run.
   *
   * @param exitCode of the program
   * @param requests to the API
   * @param endpoints of both Services, without their version and the time of the write
   * @param log from INFO on
   */
  private record Behaviour(
      int exitCode, List<String> requests, List<String> endpoints, List<String> log) {}

  @Test
  void doTheSameUnderOtherIds(@TempDir Path home) throws Exception {
    assertTrue(rename(home) > 0);
    try (PostgresCluster cluster = PostgresCluster.start()) {
      Behaviour shipped = firstRun(cluster, Path.of("").toAbsolutePath());
      Behaviour renamed = firstRun(cluster, home);

      assertEquals(0, shipped.exitCode(), shipped.toString());
      assertFalse(shipped.requests().isEmpty());
      assertEquals(shipped, renamed);
    }
  }

  @Test
  void followAFailoverAndAreNamedWhenStopped(@TempDir Path home) throws Exception {
    rename(home);
    int port = Http.freePort();
    Http management = new Http(port);
    try (PostgresCluster cluster = PostgresCluster.start();
        FakeApiServer api = new FakeApiServer("db", true).start();
        Run run = new Run(cluster, api).in(home)) {
      api.createService("pg-rw", "postgresql", 5432);
      api.createService("pg-ro", "postgresql", 5432);
      run.with("PROBE_INTERVAL", "100ms").with("MANAGEMENT_PORT", String.valueOf(port));
      cluster.waitUntilStreaming();
      run.start(Mode.CONTINUOUS);
      until(() -> addresses(api).equals(List.of("127.0.0.1")));
      until(() -> ready(management) == 200);

      cluster.primary().kill();
      cluster.servers().get(1).promote();
      until(() -> addresses(api).equals(List.of("127.0.0.2")));
      until(() -> ready(management) == 200);

      run.manager().getCamelContext().getRouteController().stopRoute("verify-renamed");
      assertEquals(503, ready(management));
      String body = management.get(READY).body();
      assertTrue(body.contains("stopped: verify-renamed; there is no failover"), body);
    }
  }

  private static int ready(Http management) {
    return management.status("GET", READY);
  }

  /** Returns the addresses of the read-write Service; empty before the first write. */
  private static List<String> addresses(FakeApiServer api) {
    Endpoints found = api.endpoints("pg-rw");
    return found == null
        ? List.of()
        : found.getSubsets().stream()
            .flatMap(subset -> subset.getAddresses().stream())
            .map(EndpointAddress::getIp)
            .toList();
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).until(condition);
  }

  private static int rename(Path home) throws IOException {
    int renamed = 0;
    try (Stream<Path> files = Files.walk(ROUTES)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".camel.yaml")).toList()) {
        String yaml = Files.readString(file);
        renamed += (int) ROUTE_ID.matcher(yaml).results().count();
        Path copy = home.resolve(file);
        Files.createDirectories(copy.getParent());
        Files.writeString(copy, ROUTE_ID.matcher(yaml).replaceAll("$1-renamed"));
      }
    }
    return renamed;
  }

  private static Behaviour firstRun(PostgresCluster cluster, Path home) {
    try (FakeApiServer api = new FakeApiServer("db", true).start();
        Run run = new Run(cluster, api).in(home)) {
      api.createService("pg-rw", "postgresql", 5432);
      api.createService("pg-ro", "postgresql", 5432);
      int exitCode = run.with("PGCONNECT_TIMEOUT", "20").once();
      List<String> endpoints = new ArrayList<>();
      for (String service : List.of("pg-rw", "pg-ro")) {
        Endpoints found = api.endpoints(service);
        Map<String, String> annotations = new TreeMap<>(found.getMetadata().getAnnotations());
        annotations.remove("postgres.discovery/last-update");
        endpoints.add("%s %s %s".formatted(service, found.getSubsets(), annotations));
      }
      return new Behaviour(exitCode, api.calls(), endpoints, run.log());
    }
  }
}
