package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.github.pgendpoints.support.RouteFiles;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What users may do with the folder of the routes. The node is down. */
@Timeout(60)
class OwnRoutesTest {
  private static final String NO_PRIMARY =
      "ERROR no primary, nothing is written: 127.0.0.1 is DOWN (Connection refused)";

  @TempDir private Path home;
  private final FakeApiServer api = new FakeApiServer("db", true).start();
  private RouteFiles files;
  private Run run;

  @BeforeEach
  void copyRoutes() throws IOException {
    files = RouteFiles.copiedTo(home);
    run = new Run(api).in(home).with("PG_NODES", "127.0.0.1").with("PGPORT", "1");
  }

  @AfterEach
  void stop() {
    run.close();
    api.close();
  }

  private Path routes() {
    return home.resolve("routes");
  }

  @Test
  void aLinkToTheFolderIsFollowed() throws IOException {
    Path elsewhere = Files.move(routes(), home.resolve("elsewhere"));
    Files.createSymbolicLink(routes(), elsewhere);

    assertEquals(1, run.once());
    assertEquals(List.of(NO_PRIMARY), run.logged("no primary"));
  }

  @Test
  void aFolderThatIsMissingIsNamed() throws IOException {
    Files.move(routes(), home.resolve("elsewhere"));

    assertEquals(2, run.once());
    assertEquals(
        List.of("ERROR cannot start: there is no folder " + routes()), run.logged("cannot start"));
  }

  @Test
  void aFolderThatMayNotBeReadIsNamedWithTheReason() throws IOException {
    Files.setPosixFilePermissions(routes(), Set.of());
    assumeFalse(Files.isReadable(routes()), "this user may read every folder");

    try {
      assertEquals(2, run.once());
    } finally {
      Files.setPosixFilePermissions(routes(), PosixFilePermissions.fromString("rwx------"));
    }
    assertEquals(
        List.of("ERROR cannot start: %s cannot be read: permission denied".formatted(routes())),
        run.logged("cannot start"));
  }

  @Test
  void aFileWithAnotherNameIsNamed() throws IOException {
    Files.createDirectory(routes().resolve("alerts"));
    for (String file :
        List.of("60-own.yaml", "alerts/own.camel.yml", "alerts/X.camel.YAML", "alerts/README.md")) {
      Files.writeString(routes().resolve(file), "- route: {}");
    }
    Files.createDirectory(routes().resolve("alerts/folder.camel.yaml"));
    Files.createSymbolicLink(routes().resolve("alerts/link.camel.yaml"), Path.of("nothing"));

    assertEquals(1, run.once());
    assertEquals(
        List.of(
            "WARN %s/60-own.yaml is not read: route files end with .camel.yaml",
            "WARN %s/alerts/X.camel.YAML is not read: route files end with .camel.yaml",
            "WARN %s/alerts/folder.camel.yaml is not read: it is a folder, or a link to no file",
            "WARN %s/alerts/link.camel.yaml is not read: it is a folder, or a link to no file",
            "WARN %s/alerts/own.camel.yml is not read: route files end with .camel.yaml"),
        run.logged("is not read").stream()
            .map(line -> line.replace(routes().toString(), "%s"))
            .toList());
  }

  @Test
  void aRunNeedsARouteForItsAlerts() throws IOException {
    Files.delete(routes().resolve("50-alert.camel.yaml"));

    assertEquals(2, run.once());
    assertEquals(
        1, run.logged(": route cycle sends to direct:alert, but no route starts from it; ").size());
  }

  @Test
  void aRunEndsThoughAStepStopsItsCycle() throws IOException {
    files.addBefore("read-rule-name", "stop: {}");

    assertEquals(1, run.once());
    assertEquals(
        List.of("ERROR cycle failed, its alerts may be lost: a route stopped its exchange"),
        run.logged("cycle failed"));
  }

  @ParameterizedTest
  @CsvSource({
    "'stop: {}', a route stopped its exchange",
    "'throwException: {message: boom, exceptionType: java.lang.Exception}', boom",
  })
  void aRunEndsThoughItsFirstStepEndsTheCycle(String step, String reason) throws IOException {
    files.addBefore("take-cluster", step);

    assertEquals(1, run.once());
    List<String> errors = run.logged("cycle failed");
    assertEquals(1, errors.size());
    assertTrue(errors.get(0).startsWith("ERROR cycle failed, its alerts may be lost: "));
    assertTrue(errors.get(0).contains(reason), errors.get(0));
    assertEquals(List.of(), run.logged("Error processing exchange"));
  }

  @Test
  void aStepThatFailsAfterASinkIsLogged() throws IOException {
    files.addAfter(
        "send-to-sinks", "throwException: {message: boom, exceptionType: java.lang.Exception}");

    assertEquals(1, run.once());
    assertEquals(List.of(NO_PRIMARY), run.logged("no primary"));
    assertEquals(1, run.logged("ERROR cycle failed, its alerts may be lost: ").size());
    assertEquals(List.of(), run.logged("Error processing exchange"));
  }

  @Test
  void aStepThatFailsAfterTheCycleIsLogged() throws IOException {
    files.addAfter(
        "end-cycle", "throwException: {message: boom, exceptionType: java.lang.Exception}");

    assertEquals(1, run.once());
    assertEquals(1, run.logged("ERROR cycle failed after its alerts were sent: ").size());
  }

  @Test
  void aStepThatRemovesTheVerdictIsReported() throws IOException {
    files.addAfter("verify-topology", "removeVariable: {name: verdict}");

    assertEquals(1, run.once());
    assertEquals(1, run.logged("ERROR cycle failed: ").size());
  }

  @Test
  void anotherRouteMayNotBeTheCycle() throws IOException {
    files.set("check-down", "/routeConfigurationId", "one-cycle");

    assertEquals(2, run.once());
    assertEquals(1, run.logged("route check-down has the routeConfigurationId one-cycle").size());
  }

  @Test
  void aRunEndsThoughARouteSpoilsTheVerdict() throws IOException {
    files.addBefore(
        "read-rule-name",
        """
        setVariable:
          name: verdict
          expression: {constant: {expression: "refused"}}
        """);

    assertEquals(1, run.once());
    assertEquals(1, run.logged("ERROR cycle failed, its alerts may be lost: ").size());
  }
}
