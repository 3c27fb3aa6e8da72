package io.github.pgendpoints.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What this process holds at a moment: the manager's own, and that of the harness around it, which
 * is the same at the start and at the end.
 *
 * @param threads that live
 * @param files open file descriptors, sockets among them
 * @param sockets of these
 * @param backends sessions of the manager's role on the three servers
 * @param heapBytes used, after a collection
 */
record Usage(int threads, int files, int sockets, int backends, long heapBytes) {
  /** A JVM that has compiled more and cached more is not one that leaks. */
  private static final long HEAP_ALLOWANCE = 16L << 20;

  static Usage now(World world) throws SQLException {
    System.gc();
    System.gc();
    return new Usage(
        ManagementFactory.getThreadMXBean().getThreadCount(),
        descriptors(""),
        descriptors("socket:"),
        world.backends(),
        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
  }

  private static int descriptors(String kind) {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return (int) descriptors.filter(descriptor -> target(descriptor).startsWith(kind)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException e) {
      return "closed";
    }
  }

  /** Whether nothing has grown. */
  boolean isWithin(Usage start, int allowance) {
    return threads <= start.threads + allowance
        && files <= start.files + allowance
        && sockets <= start.sockets + allowance
        && backends <= start.backends
        && heapBytes <= start.heapBytes + HEAP_ALLOWANCE;
  }

  /** How many threads there are of each name, numbers left out. */
  static String threadNames() {
    Map<String, Long> names =
        Thread.getAllStackTraces().keySet().stream()
            .collect(
                Collectors.groupingBy(
                    thread -> thread.getName().replaceAll("[0-9]+", "#"),
                    TreeMap::new,
                    Collectors.counting()));
    return names.toString();
  }
}
