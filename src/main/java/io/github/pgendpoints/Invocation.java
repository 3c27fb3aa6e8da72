package io.github.pgendpoints;

import io.github.pgendpoints.cycle.Mode;

/**
 * What the command line asks for.
 *
 * @param force whether {@code --once} writes although another process holds the Lease
 * @param entry of overrule: which primary; null where it is not said
 * @param confirmed of overrule: whether it is to be written
 */
public record Invocation(Mode mode, boolean force, String entry, boolean confirmed) {
  /** A mode and nothing else. */
  public static Invocation of(Mode mode) {
    return new Invocation(mode, false, null, false);
  }

  /** Whether anything may be written. */
  boolean writes() {
    return mode.writes() && (mode != Mode.OVERRULE || confirmed);
  }
}
