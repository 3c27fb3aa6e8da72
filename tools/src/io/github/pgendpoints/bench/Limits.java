package io.github.pgendpoints.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The limits of a pod, set by a Linux control group. Creating one requires root. */
final class Limits implements AutoCloseable {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");
  private static final String NAME = "postgres-endpoint-manager-bench";

  private final List<Path> groups;

  private Limits(List<Path> groups) {
    this.groups = groups;
  }

  /**
   * Returns limits of 200m CPU and 128Mi; null if no group can be created.
   *
   * <p>In version 1 of control groups, each resource has a separate hierarchy.
   */
  static Limits ofTheCronJob() {
    boolean unified = Files.exists(ROOT.resolve("cgroup.controllers"));
    Map<Path, Map<String, String>> settings =
        unified
            ? Map.of(
                ROOT.resolve(NAME),
                Map.of("cpu.max", "20000 100000", "memory.max", "128M", "memory.swap.max", "0"))
            : Map.of(
                ROOT.resolve("cpu").resolve(NAME),
                Map.of("cpu.cfs_period_us", "100000", "cpu.cfs_quota_us", "20000"),
                ROOT.resolve("memory").resolve(NAME),
                Map.of("memory.limit_in_bytes", "128M"));
    Limits limits = new Limits(List.copyOf(settings.keySet()));
    try {
      if (unified) {
        Files.writeString(ROOT.resolve("cgroup.subtree_control"), "+cpu +memory");
      }
      for (Path group : settings.keySet()) {
        Files.createDirectory(group);
        for (Map.Entry<String, String> setting : settings.get(group).entrySet()) {
          Files.writeString(group.resolve(setting.getKey()), setting.getValue());
        }
      }
      return limits;
    } catch (IOException e) {
      limits.close();
      return null;
    }
  }

  /** Returns a prefix for a command; it joins the group and then executes the command. */
  String[] command() {
    StringBuilder join = new StringBuilder();
    groups.forEach(group -> join.append("echo $$ >").append(group).append("/cgroup.procs && "));
    return new String[] {"sh", "-c", join + "exec \"$@\"", "sh"};
  }

  @Override
  public void close() {
    for (Path group : groups) {
      try {
        Files.deleteIfExists(group);
      } catch (IOException e) {
        System.err.println("stays behind: " + group);
      }
    }
  }
}
