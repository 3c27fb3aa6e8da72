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
 * What this process holds at a moment: the manager's own, and that of the harness around it, which
 * is the same at the start and at the end.
 *
 * @param threads that live: how many there are of each name, numbers left out
 * @param files open file descriptors, sockets among them
 * @param sockets of these
 * @param backends sessions of the manager's role on the three servers
 * @param heapBytes used, after a collection
 */
record Usage(Map<String, Long> threads, int files, int sockets, int backends, long heapBytes) {
  /** A JVM that has compiled more and cached more is not one that leaks. */
  private static final long HEAP_ALLOWANCE = 16L << 20;

  /**
   * A pool of the API's client may have one more just now, the JDK starts some when first used, and
   * Camel one when a route is stopped.
   */
  private static final int POOLED_THREADS = 4;

  static Usage now(World world) throws SQLException {
    System.gc();
    System.gc();
    // At once: on a slow machine the cycles make much garbage while the rest is looked at.
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

  /** Whether nothing has grown. Thousands of cycles would leave more than these threads. */
  boolean isWithin(Usage start, int allowance) {
    return count() <= start.count() + Math.max(allowance, POOLED_THREADS)
        && files <= start.files + allowance
        && sockets <= start.sockets + allowance
        && backends <= start.backends
        && heapBytes <= start.heapBytes + HEAP_ALLOWANCE;
  }

  /** How many threads live. */
  long count() {
    return threads.values().stream().mapToLong(Long::longValue).sum();
  }

  /** The names of which there are more or fewer threads than there were at the start. */
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
