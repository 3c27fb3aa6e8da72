package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That the ids of routes are names for people: no code depends on one. */
class RenamedRoutesIT {
  private static final Path ROUTES = Path.of("routes");
  private static final Pattern ROUTE_ID = Pattern.compile("(?m)^(- route:\\n    id: .*)$");

  /**
   * What a first run does.
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
