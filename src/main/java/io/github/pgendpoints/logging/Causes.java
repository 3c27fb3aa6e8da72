package io.github.pgendpoints.logging;

import java.util.stream.Stream;

/** The causes of an error. Java allows errors that cause each other, so their number is limited. */
public final class Causes {
  private static final int MAX = 20;

  private Causes() {}

  /** Returns an error, its cause, the cause of that, and so on. */
  public static Stream<Throwable> of(Throwable failure) {
    return Stream.iterate(failure, cause -> cause != null, Throwable::getCause).limit(MAX);
  }

  /** Returns the innermost cause, or the error itself if it has no cause. */
  public static Throwable root(Throwable failure) {
    return of(failure).reduce(failure, (outer, inner) -> inner);
  }
}
