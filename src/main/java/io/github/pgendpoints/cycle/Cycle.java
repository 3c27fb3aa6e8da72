package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.postgres.Deadline;
import io.github.pgendpoints.postgres.Places;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.ObjectWrite;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.publish.UnusableServiceException;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What happens in one cycle besides the values that its routes carry. Used by one thread at a time.
 */
public final class Cycle {
  private final CycleAge.Moment begun;
  private final boolean leading;
  private final int conflictsBefore;
  private final List<Throwable> failures = new ArrayList<>();
  private final List<ObjectWrite> writes = new ArrayList<>();
  private final Map<String, Endpoints> endpoints = new HashMap<>();
  private Throwable comparisonFailure;
  private String pausedBy;
  private boolean published;
  private boolean repeated;
  private boolean ended;
  private Result result;
  private Instant probedAt;
  private Deadline deadline;
  private Places places;
  private List<NodeState> unprobed = List.of();

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

  /** Begins the probes of the nodes that are not known to be DOWN. */
  void probe(Places where, List<NodeState> down, Instant at, Deadline by) {
    places = where;
    unprobed = Stream.concat(down.stream(), where.unresolved().stream()).toList();
    probedAt = at;
    deadline = by;
  }

  /** Every node that has a state in this cycle: an address of a name may be one. */
  List<Node> expected() {
    return Stream.concat(places.nodes().stream(), places.unresolved().stream().map(NodeState::node))
        .toList();
  }

  /** The states of the nodes that are not probed. */
  List<NodeState> unprobed() {
    return unprobed;
  }

  Instant probedAt() {
    return probedAt;
  }

  Deadline deadline() {
    return deadline;
  }

  /**
   * Records a write.
   *
   * @param answer of the API server: the object as it is now, unless it was deleted
   */
  void addWrite(ObjectWrite write, Object answer) {
    writes.add(write);
    if (!write.isSlice()) {
      endpoints.put(write.service(), answer instanceof Endpoints now ? now : null);
    }
  }

  /** What there is behind a Service: what was read, with the Endpoints as written since. */
  ObservedService afterWrites(String service, ObservedService read) {
    return endpoints.containsKey(service)
        ? new ObservedService(endpoints.get(service), read.slices())
        : read;
  }

  List<ObjectWrite> writes() {
    return writes;
  }

  void addFailure(Throwable failure) {
    failures.add(failure);
  }

  /** Records that clients could not be compared, which concerns no write. */
  void addComparisonFailure(Throwable failure) {
    comparisonFailure = failure;
    failures.add(failure);
  }

  /** Whether a Service could not be written; whatever else has failed. */
  boolean hasFailedWrite() {
    return failures.stream()
        .anyMatch(
            failure -> failure != comparisonFailure && !(failure instanceof UnsavedStateException));
  }

  /** Whether a part of it has failed. */
  public boolean isFailed() {
    return !failures.isEmpty();
  }

  List<Throwable> failures() {
    return failures;
  }

  /** The Services that are reported as unusable. */
  Set<String> unusableServices() {
    return failures.stream()
        .filter(UnusableServiceException.class::isInstance)
        .map(failure -> ((UnusableServiceException) failure).service())
        .collect(Collectors.toSet());
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

  /** Records that its alerts have gone out. */
  void markEnded() {
    ended = true;
  }

  boolean isEnded() {
    return ended;
  }

  void end(Result itsResult) {
    result = itsResult;
  }

  /** What it found and did; null until it is concluded. */
  public Result result() {
    return result;
  }
}
