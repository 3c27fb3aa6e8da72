package io.github.pgendpoints;

import io.github.pgendpoints.cycle.Mode;

/**
 * What the command line requests.
 *
 * @param force whether {@code --once} writes although another process holds the Lease
 * @param entry of overrule: the primary to publish; null if it is not given
 * @param confirmed of overrule: whether to write
 */
public record Invocation(Mode mode, boolean force, String entry, boolean confirmed) {
  /** Returns an invocation with a mode and no options. */
  public static Invocation of(Mode mode) {
    return new Invocation(mode, false, null, false);
  }

  /** Whether anything may be written. */
  boolean writes() {
    return mode.writes() && (mode != Mode.OVERRULE || confirmed);
  }
}
