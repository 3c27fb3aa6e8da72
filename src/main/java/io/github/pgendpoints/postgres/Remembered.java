package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * What was learned of nodes, which is not asked again for a time. Thread-safe.
 *
 * @param <V> what was learned of one node, the last counts
 */
final class Remembered<V> {
  /**
   * What was learned.
   *
   * @param server what the node was then
   * @param until when it counts, as {@link System#nanoTime}; null for ever
   */
  private record Entry<V>(Object server, V value, Long until) {}

  private final LongSupplier nanoTime;
  private final Map<Node, Entry<V>> entries = new ConcurrentHashMap<>();

  Remembered(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /**
   * What still counts of a node.
   *
   * @param server equal to what the node was when that was learned; else it counts no more
   */
  Optional<V> of(Node node, Object server) {
    return Optional.ofNullable(entries.get(node))
        .filter(entry -> entry.server().equals(server))
        .filter(entry -> entry.until() == null || entry.until() - nanoTime.getAsLong() > 0)
        .map(Entry::value);
  }

  /**
   * Remembers what was learned now.
   *
   * @param server what the node is, as far as that must stay the same
   * @param time how long it counts; null for as long as the server is the same
   */
  void put(Node node, Object server, V value, Duration time) {
    Long until = time == null ? null : nanoTime.getAsLong() + time.toNanos();
    entries.put(node, new Entry<>(server, value, until));
  }

  /** Forgets nodes. */
  void removeIf(Predicate<Node> hasLeft) {
    entries.keySet().removeIf(hasLeft);
  }
}
