package io.github.pgendpoints.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The resources that a process has used so far, as Linux counts them.
 *
 * @param cpuSeconds the CPU time of all its threads
 * @param rssMiB the resident memory now
 * @param peakMiB the largest resident memory so far
 */
public record Use(double cpuSeconds, double rssMiB, double peakMiB) {
  private static final double TICKS_A_SECOND = 100;
  private static final double KIB_A_MIB = 1024;

  /** Returns the use of a process; {@code last} if the process has gone. */
  public static Use of(long pid, Use last) {
    try {
      // The fields after the name, which is in parentheses and may contain blanks.
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      double ticks = Double.parseDouble(fields[11]) + Double.parseDouble(fields[12]);
      String status = Files.readString(Path.of("/proc/" + pid + "/status"));
      double peak = mib(status, "VmHWM");
      // A process that has ended but is still listed holds no memory.
      return new Use(ticks / TICKS_A_SECOND, mib(status, "VmRSS"), peak == 0 ? last.peakMiB : peak);
    } catch (IOException e) {
      return last;
    }
  }

  /** Returns the use before the first measurement. */
  public static Use none() {
    return new Use(0, 0, 0);
  }

  private static double mib(String status, String key) {
    return status
        .lines()
        .filter(line -> line.startsWith(key + ":"))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) / KIB_A_MIB)
        .findFirst()
        .orElse(0);
  }
}
