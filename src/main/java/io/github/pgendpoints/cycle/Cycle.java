package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.github.pgendpoints.postgres.Deadline;
import io.github.pgendpoints.postgres.NodeAddresses;
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
 * The state of one cycle, in addition to the variables of its routes. Used by one thread at a time.
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
  private boolean ended;
  private Result result;
  private Instant probedAt;
  private Deadline deadline;
  private NodeAddresses places;
  private List<NodeState> unprobed = List.of();

  /**
   * @param begun when the cycle began
   * @param leading whether this replica is the leader; a cycle keeps the role in which it began
   * @param conflictsBefore how many consecutive cycles before this one ended in a conflict
   */
  Cycle(CycleAge.Moment begun, boolean leading, int conflictsBefore) {
    this.begun = begun;
    this.leading = leading;
    this.conflictsBefore = conflictsBefore;
  }

  public CycleAge.Moment begun() {
    return begun;
  }

  public boolean isLeading() {
    return leading;
  }

  int conflictsBefore() {
    return conflictsBefore;
  }

  /** Whether a setting or an annotation pauses every write. */
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

  /** Records the start of the probes of the nodes that are not known to be DOWN. */
  void probe(NodeAddresses where, List<NodeState> down, Instant at, Deadline by) {
    places = where;
    unprobed = Stream.concat(down.stream(), where.unresolved().stream()).toList();
    probedAt = at;
    deadline = by;
  }

  /** Every node that gets a state in this cycle; a node may be one address of a name. */
  List<Node> expected() {
    return Stream.concat(places.nodes().stream(), places.unresolved().stream().map(NodeState::node))
        .toList();
  }

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
   * @param answer the response of the API server: the current object, unless it was deleted
   */
  void addWrite(ObjectWrite write, Object answer) {
    writes.add(write);
    if (!write.isSlice()) {
      endpoints.put(write.service(), answer instanceof Endpoints now ? now : null);
    }
  }

  /** Returns what is behind a Service: what was read, with the Endpoints written since. */
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

  /** Records that clients could not be compared, which affects no write. */
  void addComparisonFailure(Throwable failure) {
    comparisonFailure = failure;
    failures.add(failure);
  }

  /** Whether a Service could not be written, regardless of other failures. */
  boolean hasFailedWrite() {
    return failures.stream()
        .anyMatch(
            failure -> failure != comparisonFailure && !(failure instanceof UnsavedStateException));
  }

  /** Whether the cycle, or a part of it, has failed. */
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

  /** Whether the next tick repeats the cycle, because another writer was first. */
  boolean isRepeated() {
    return result.outcome() == Outcome.CONFLICT && conflictsBefore < CycleSteps.MAX_CONFLICTS;
  }

  /** Records that the alerts of the cycle have been sent. */
  void markEnded() {
    ended = true;
  }

  boolean isEnded() {
    return ended;
  }

  void end(Result itsResult) {
    result = itsResult;
  }

  /** What the cycle found and did; null until it is concluded. */
  public Result result() {
    return result;
  }
}
