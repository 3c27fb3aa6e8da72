package io.github.pgendpoints.topology;

/** What the program does with a value that a server may withhold; without the value, it is off. */
public enum Protection {
  FOREIGN_NODES("the recognition of foreign nodes", true, true),
  ALIASES("the recognition of two entries of one server", true, true),
  STALE_PRIMARY("the comparison of timelines", true, false),
  PRIMARY_POSITION("the comparison of WAL positions", true, false),
  STANDBY_POSITION("the comparison of WAL positions", false, true),
  STREAMING("the search for a missing WAL receiver", false, true),
  STANDBY_TIMELINE("the comparison of timelines", false, true),
  SOURCE("the search for the server that a standby streams from", false, true),
  REPLICAS("the search for the standbys of a primary", true, false),
  READ_ONLY("the recognition of a primary that is read-only by default", true, false);

  private final String name;
  private final boolean ofPrimary;
  private final boolean ofStandby;

  Protection(String name, boolean ofPrimary, boolean ofStandby) {
    this.name = name;
    this.ofPrimary = ofPrimary;
    this.ofStandby = ofStandby;
  }

  /** Whether the protection applies to a server in this role. */
  public boolean isOf(boolean inRecovery) {
    return inRecovery ? ofStandby : ofPrimary;
  }

  /** Returns the name for use in a sentence, such as {@code the comparison of timelines}. */
  @Override
  public String toString() {
    return name;
  }
}
