package io.github.pgendpoints.logging;

import java.util.stream.Stream;

/** The causes of an error. Java allows errors that cause each other, so that there is a bound. */
public final class Causes {
  private static final int MAX = 20;

  private Causes() {}

  /** An error, its cause, the cause of that, and so on. */
  public static Stream<Throwable> of(Throwable failure) {
    return Stream.iterate(failure, cause -> cause != null, Throwable::getCause).limit(MAX);
  }

  /** The innermost one. */
  public static Throwable root(Throwable failure) {
    return of(failure).reduce(failure, (outer, inner) -> inner);
  }
}
