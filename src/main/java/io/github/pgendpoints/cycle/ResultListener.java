package io.github.pgendpoints.cycle;

import java.util.List;
import java.util.function.Supplier;

/** Receives the result of each completed cycle. */
@FunctionalInterface
public interface ResultListener {
  /**
   * Receives the result of a cycle.
   *
   * @param reasons what it found wrong, one sentence each; computed on demand, on any thread
   */
  void ended(Result result, Supplier<List<String>> reasons);
}
