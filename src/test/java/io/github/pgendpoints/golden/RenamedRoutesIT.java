package io.github.pgendpoints.golden;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.RouteFiles;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every scenario of {@link GoldenIT} sends the same requests and logs the same lines if each route
 * has another id: no code depends on one.
 */
@Tag("long")
class RenamedRoutesIT extends GoldenIT {
  @TempDir private static Path renamed;

  @BeforeAll
  static void renameRoutes() throws IOException {
    RouteFiles.copiedWithSinksTo(renamed).renameRoutes("-renamed");
  }

  @Override
  Path home() {
    return renamed;
  }

  @Test
  void areNamedWhenStopped() throws Exception {
    int port = Http.freePort();
    Http management = new Http(port);
    try (FakeApiServer api = new FakeApiServer("db", true).start();
        Run run = new Run(api).in(renamed).with("PG_NODES", "127.0.0.1").with("PGPORT", "1")) {
      run.with("MANAGEMENT_PORT", String.valueOf(port)).start(Mode.CONTINUOUS);
      await().atMost(Duration.ofSeconds(30)).until(() -> !run.logged("no primary").isEmpty());
      run.manager().getCamelContext().getRouteController().stopRoute("verify-renamed");
      String body = management.get("/observe/health/ready").body();
      assertTrue(body.contains("stopped: verify-renamed; there is no failover"), body);
    }
  }
}
