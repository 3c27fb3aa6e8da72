package io.github.pgendpoints.cycle;

import io.github.pgendpoints.postgres.Deadline;
import io.github.pgendpoints.postgres.DownNodes;
import io.github.pgendpoints.publish.CycleAge;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What happens in one cycle besides the values that its routes carry. Used by one thread at a time.
 */
public final class Cycle {
  private final CycleAge.Moment begun;
  private final boolean leading;
  private final int conflictsBefore;
  private final List<Throwable> failures = new ArrayList<>();
  private final List<String> writes = new ArrayList<>();
  private String pausedBy;
  private boolean published;
  private boolean concluded;
  private boolean repeated;
  private Result result;
  private Instant probedAt;
  private Deadline deadline;
  private DownNodes.Split nodes;

  /**
   * @param begun when it began
   * @param leading whether this replica leads; a cycle that begins as a follower's ends as one
   * @param conflictsBefore how many cycles just before this one ended in a conflict
   */
  Cycle(CycleAge.Moment begun, boolean leading, int conflictsBefore) {
    this.begun = begun;
    this.leading = leading;
    this.conflictsBefore = conflictsBefore;
  }

  /** When it began. */
  public CycleAge.Moment begun() {
    return begun;
  }

  /** Whether it is the cycle of a replica that leads. */
  public boolean isLeading() {
    return leading;
  }

  int conflictsBefore() {
    return conflictsBefore;
  }

  /** Whether somebody has paused every write. */
  public boolean isPaused() {
    return pausedBy != null;
  }

  /** The setting or annotation that pauses; null when none does. */
  String pausedBy() {
    return pausedBy;
  }

  void pausedBy(String by) {
    pausedBy = by;
  }

  /** Begins the probes. */
  void probe(DownNodes.Split these, Instant at, Deadline by) {
    nodes = these;
    probedAt = at;
    deadline = by;
  }

  DownNodes.Split nodes() {
    return nodes;
  }

  Instant probedAt() {
    return probedAt;
  }

  Deadline deadline() {
    return deadline;
  }

  void addWrite(String summary) {
    writes.add(summary);
  }

  List<String> writes() {
    return writes;
  }

  void addFailure(Throwable failure) {
    failures.add(failure);
  }

  /** Whether a part of it has failed. */
  public boolean isFailed() {
    return !failures.isEmpty();
  }

  List<Throwable> failures() {
    return failures;
  }

  /** Records that both Services follow the verdict. */
  void markPublished() {
    published = true;
  }

  boolean isPublished() {
    return published;
  }

  /** Records that the next tick runs it afresh. */
  void repeat() {
    repeated = true;
  }

  boolean isRepeated() {
    return repeated;
  }

  void end(Result itsResult) {
    result = itsResult;
  }

  /** What it found and did; null until it is concluded. */
  public Result result() {
    return result;
  }

  /** Whether the cycle has been concluded already; it is from now on. */
  boolean conclude() {
    boolean before = concluded;
    concluded = true;
    return before;
  }
}
