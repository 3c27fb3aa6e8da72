package io.github.pgendpoints.cycle;

/** What the cycles of one cluster leave to those after them. Used by one cycle at a time. */
public final class CycleHistory {
  private long term;
  private int successions = -1;
  private int conflicts;

  /** Runs {@code begin} when this cycle is the first one in a term of leadership. */
  void inTerm(long current, Runnable begin) {
    if (current != term) {
      begin.run();
      term = current;
    }
  }

  /**
   * Runs {@code takeOver} when this cycle is the first one that leads, or this process has taken
   * over the Lease of another one since.
   *
   * @param now how often it has done so
   */
  void afterSuccession(int now, Runnable takeOver) {
    if (now != successions) {
      takeOver.run();
      successions = now;
    }
  }

  /**
   * Notes how a cycle ended.
   *
   * @param again whether it met a conflict, and the next one begins afresh
   */
  void concluded(boolean again) {
    conflicts = again ? conflicts + 1 : 0;
  }

  /** How many cycles in a row have ended in a conflict. */
  int conflicts() {
    return conflicts;
  }
}
