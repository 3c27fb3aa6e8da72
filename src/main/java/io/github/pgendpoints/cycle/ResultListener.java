package io.github.pgendpoints.cycle;

/** Is told of each cycle that has ended. */
@FunctionalInterface
public interface ResultListener {
  /** A cycle has ended. */
  void ended(Result result);
}
