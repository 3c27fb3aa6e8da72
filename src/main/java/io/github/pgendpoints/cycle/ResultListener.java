package io.github.pgendpoints.cycle;

import java.util.List;
import java.util.function.Supplier;

/** Is told of each cycle that has ended. */
@FunctionalInterface
public interface ResultListener {
  /**
   * A cycle has ended.
   *
   * @param reasons what it found wrong, one sentence each; made when asked for, by any thread
   */
  void ended(Result result, Supplier<List<String>> reasons);
}
