package io.github.pgendpoints.settings;

/** What happens to the read-write Service while there is more than one primary. */
public enum SplitBrainPolicy {
  /** Its Endpoints stay as they are. */
  HOLD,
  /** Its Endpoints are emptied, so that nobody writes. */
  CLEAR
}
