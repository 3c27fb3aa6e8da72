package io.github.pgendpoints.settings;

/** What the read-only Service holds while no standby may serve. */
public enum ReadOnlyFallback {
  NONE,
  PRIMARY
}
