package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pgendpoints.support.Program;
import io.github.pgendpoints.support.Use;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How much CPU and memory the packaged program takes with three nodes: what the manifests' requests
 * and limits come from. Not one of the timed tests; {@code docs/kubernetes.md} has the command.
 *
 * <p>{@code -Dfootprint.wrapper} is put before the program, such as {@code systemd-run --scope -q
 * -p MemoryMax=256M -p CPUQuota=100%}, to see that it lives within limits.
 */
class Footprint {
  private static final Duration WARM_UP = Duration.ofSeconds(30);
  private static final Duration MEASURED = Duration.ofSeconds(60);

  @Test
  void ofOneCycleAndOfContinuousMode(@TempDir Path folder) throws Exception {
    try (PostgresCluster cluster = PostgresCluster.start();
        FakeApiServer api = new FakeApiServer("db", true).start()) {
      cluster.waitUntilStreaming();
      api.createService("pg-rw", "postgresql", 5432);
      api.createService("pg-ro", "postgresql", 5432);
      Path options = Files.createFile(folder.resolve("options"));
      Files.writeString(options, "-Dpostgres-endpoint-manager.allow-loopback=true\n");
      System.out.println("Java " + Runtime.version());
      once(cluster, api, folder);
      continuous(cluster, api, folder);
    }
  }

  private static void once(PostgresCluster cluster, FakeApiServer api, Path folder)
      throws Exception {
    List<Double> seconds = new ArrayList<>();
    List<Double> cpu = new ArrayList<>();
    List<Double> peaks = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      long start = System.nanoTime();
      Use last = Use.none();
      try (Program program = program(cluster, api, folder).start("--once")) {
        while (program.process().isAlive()) {
          last = Use.of(program.process().pid(), last);
          Thread.sleep(10);
        }
        seconds.add((System.nanoTime() - start) / 1e9);
        assertEquals(0, program.exitCode(1), program::err);
      }
      cpu.add(last.cpuSeconds());
      peaks.add(last.peakMiB());
    }
    System.out.printf(
        "--once, median of 5: %.1f s, %.1f CPU s; at most %.0f MiB%n",
        median(seconds), median(cpu), Collections.max(peaks));
  }

  private static void continuous(PostgresCluster cluster, FakeApiServer api, Path folder)
      throws Exception {
    try (Program program = program(cluster, api, folder).start()) {
      Thread.sleep(WARM_UP.toMillis());
      Use before = Use.of(program.process().pid(), Use.none());
      Thread.sleep(MEASURED.toMillis());
      Use after = Use.of(program.process().pid(), Use.none());
      System.out.printf(
          "continuous, a cycle a second: %.2f %% of a core, start and first %d s %.1f CPU s, %.0f MiB, at most %.0f MiB%n",
          100 * (after.cpuSeconds() - before.cpuSeconds()) / MEASURED.toSeconds(),
          WARM_UP.toSeconds(),
          before.cpuSeconds(),
          after.rssMiB(),
          after.peakMiB());
      assertEquals(143, program.terminate().exitCode(5), program::err);
    }
  }

  private static Program program(PostgresCluster cluster, FakeApiServer api, Path folder)
      throws IOException, SQLException {
    List<String> command = new ArrayList<>();
    String wrapper = System.getProperty("footprint.wrapper", "");
    if (!wrapper.isEmpty()) {
      command.addAll(List.of(wrapper.split(" ")));
    }
    command.add("target/postgres-endpoint-manager/bin/postgres-endpoint-manager");
    return new Program(command.toArray(String[]::new))
        .with("JDK_JAVA_OPTIONS", "@" + folder.resolve("options"))
        .with("KUBECONFIG", api.kubeconfig(folder.resolve("kubeconfig")).toString())
        .with(
            "PG_NODES",
            cluster.servers().stream().map(PostgresServer::host).collect(Collectors.joining(",")))
        .with("JOLOKIA_PORT", "off")
        .with("PGPORT", String.valueOf(cluster.port()))
        .with("PGPASSWORD", PostgresCluster.PASSWORD)
        .with("RW_SERVICE", "pg-rw")
        .with("RO_SERVICE", "pg-ro");
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }
}
