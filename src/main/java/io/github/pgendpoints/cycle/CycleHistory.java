package io.github.pgendpoints.cycle;

/** What a cycle of one cluster passes on to later cycles. Used by one cycle at a time. */
public final class CycleHistory {
  private long term;
  private int successions = -1;
  private int conflicts;

  /** Runs {@code begin} if this cycle is the first one in a term of leadership. */
  void inTerm(long current, Runnable begin) {
    if (current != term) {
      begin.run();
      term = current;
    }
  }

  /**
   * Runs {@code takeOver} if this is the first cycle of this process as the leader, or the first
   * one after it took over the Lease from another process.
   *
   * @param now how often this process has taken over the Lease
   */
  void afterSuccession(int now, Runnable takeOver) {
    if (now != successions) {
      takeOver.run();
      successions = now;
    }
  }

  /**
   * Records how a cycle ended.
   *
   * @param again whether it ended in a conflict, and the next cycle starts over
   */
  void conclude(boolean again) {
    conflicts = again ? conflicts + 1 : 0;
  }

  /** How many consecutive cycles have ended in a conflict. */
  int conflicts() {
    return conflicts;
  }
}
