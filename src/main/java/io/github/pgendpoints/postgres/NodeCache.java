package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * A cache of values of nodes, which are not queried again while they are valid. Thread-safe.
 *
 * @param <V> the value of one node; a new value replaces the last one
 */
final class NodeCache<V> {
  /**
   * A cached value.
   *
   * @param server the properties of the node at that time, which must stay the same
   * @param until when the value expires, as {@link System#nanoTime}; null for never
   */
  private record Entry<V>(Object server, V value, Long until) {}

  private final LongSupplier nanoTime;
  private final Map<Node, Entry<V>> entries = new ConcurrentHashMap<>();

  NodeCache(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /**
   * Returns the value of a node, if it is still valid.
   *
   * @param server the properties of the node; the value is valid only while they stay equal
   */
  Optional<V> of(Node node, Object server) {
    return Optional.ofNullable(entries.get(node))
        .filter(entry -> entry.server().equals(server))
        .filter(entry -> entry.until() == null || entry.until() - nanoTime.getAsLong() > 0)
        .map(Entry::value);
  }

  /**
   * Caches a value.
   *
   * @param server the properties of the node that must stay the same
   * @param time how long the value is valid; null for as long as the properties stay the same
   */
  void put(Node node, Object server, V value, Duration time) {
    Long until = time == null ? null : nanoTime.getAsLong() + time.toNanos();
    entries.put(node, new Entry<>(server, value, until));
  }

  /** Drops the values of nodes. */
  void removeIf(Predicate<Node> hasLeft) {
    entries.keySet().removeIf(hasLeft);
  }
}
