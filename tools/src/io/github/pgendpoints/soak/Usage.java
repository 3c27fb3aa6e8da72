package io.github.pgendpoints.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The resources that this process holds at a moment. They include those of the harness, which are
 * the same at the start and at the end.
 *
 * @param threads the number of live threads by name, without the digits of the name
 * @param files open file descriptors, including sockets
 * @param sockets the sockets among them
 * @param backends sessions of the manager's role on the three servers
 * @param heapBytes the heap in use after a collection
 */
record Usage(Map<String, Long> threads, int files, int sockets, int backends, long heapBytes) {
  /** Allowed growth: a JVM that has compiled and cached more does not leak. */
  private static final long HEAP_ALLOWANCE = 16L << 20;

  /**
   * A pool of the API client may have one more thread now. The JDK starts some threads on first
   * use, and Camel starts one when a route stops.
   */
  private static final int POOLED_THREADS = 4;

  static Usage now(World world) throws SQLException {
    System.gc();
    System.gc();
    // First: on a slow machine, the cycles create much garbage while the rest is read.
    long heapBytes = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    return new Usage(
        threadNames(), descriptors(""), descriptors("socket:"), world.backends(), heapBytes);
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

  /** Whether nothing has grown. A leak in thousands of cycles would exceed this allowance. */
  boolean isWithin(Usage start, int allowance) {
    return count() <= start.count() + Math.max(allowance, POOLED_THREADS)
        && files <= start.files + allowance
        && sockets <= start.sockets + allowance
        && backends <= start.backends
        && heapBytes <= start.heapBytes + HEAP_ALLOWANCE;
  }

  /** Returns the number of live threads. */
  long count() {
    return threads.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Returns the thread names that have more or fewer threads than at the start. */
  Map<String, String> threadsUnlike(Usage start) {
    Map<String, String> unlike = new TreeMap<>();
    Stream.concat(threads.keySet().stream(), start.threads.keySet().stream())
        .filter(name -> !Objects.equals(threads.get(name), start.threads.get(name)))
        .forEach(
            name ->
                unlike.put(
                    name,
                    "%d, was %d"
                        .formatted(
                            threads.getOrDefault(name, 0L), start.threads.getOrDefault(name, 0L))));
    return unlike;
  }

  private static Map<String, Long> threadNames() {
    return Thread.getAllStackTraces().keySet().stream()
        .collect(
            Collectors.groupingBy(
                thread -> thread.getName().replaceAll("[0-9]+", "#"),
                TreeMap::new,
                Collectors.counting()));
  }
}
