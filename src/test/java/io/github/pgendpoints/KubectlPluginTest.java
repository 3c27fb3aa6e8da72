package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.support.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command that the kubectl plugin passes to kubectl; a fake kubectl prints its arguments. */
class KubectlPluginTest {
  private static final String COMMAND =
      " -- /opt/postgres-endpoint-manager/bin/postgres-endpoint-manager status --output ";

  @TempDir Path bin;

  @BeforeEach
  void createKubectl() throws IOException {
    Path kubectl = bin.resolve("kubectl");
    Files.writeString(kubectl, "#!/bin/sh\nfor each; do printf '%s ' \"$each\"; done\nexit 3\n");
    Files.setPosixFilePermissions(kubectl, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Program plugin() {
    return new Program("src/main/dist/bin/kubectl-pgendpoints")
        .with("PATH", bin + ":" + System.getenv("PATH"));
  }

  @ParameterizedTest
  @CsvSource({
    "status, '', postgres-endpoint-manager, text",
    "status -n db, -n db, postgres-endpoint-manager, text",
    "-n db status -o json, -n db, postgres-endpoint-manager, json",
    "status --namespace=db --output=json, --namespace=db, postgres-endpoint-manager, json",
    "--context c --deployment pem status --user=u, --context c --user=u, pem, text",
    "--deployment=pem status --cluster x --kubeconfig f, --cluster x --kubeconfig f, pem, text"
  })
  void runsTheCommandInThePod(String arguments, String options, String name, String output) {
    try (Program plugin = plugin()) {
      assertEquals(3, plugin.run(arguments.split(" ")), plugin.err());
      assertEquals(
          "exec "
              + (options.isEmpty() ? "" : options + " ")
              + "deployment/"
              + name
              + COMMAND
              + output,
          plugin.out().strip());
    }
  }

  @Test
  void keepsBlanksInAValue() {
    try (Program plugin = plugin()) {
      plugin.run("status", "--context", "a b");
      assertTrue(plugin.out().startsWith("exec --context a b deployment/"), plugin.out());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "overrule",
        "status status",
        "status -n",
        "status --output xml",
        "status --yes",
        "-n status"
      })
  void refusesWhatItDoesNotKnow(String arguments) {
    try (Program plugin = plugin()) {
      String[] words = arguments.isEmpty() ? new String[0] : arguments.split(" ");
      assertEquals(2, plugin.run(words), plugin.out());
      assertTrue(plugin.err().startsWith("kubectl-pgendpoints: "), plugin.err());
      assertEquals("", plugin.out());
    }
  }

  @Test
  void showsItsUsage() {
    try (Program plugin = plugin()) {
      assertEquals(0, plugin.run("--help"));
      assertTrue(plugin.out().startsWith("Usage: kubectl pgendpoints status"), plugin.out());
    }
  }
}
