package io.github.pgendpoints.status;

import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.status.Status.Source;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** The status of a running manager after its last cycle. It is computed only on request. */
public final class LatestStatus {
  /** A status is valid for this time plus the time between two cycles. */
  private static final Duration MAX_AGE = Duration.ofSeconds(30);

  private record Ended(Result result, Supplier<List<String>> reasons, Instant at) {}

  private final Publisher publisher;
  private final String replica;
  private final BooleanSupplier leads;
  private final Supplier<String> leader;
  private final Duration maxAge;
  private final Clock clock;
  private volatile Ended last;

  /**
   * @param replica the name of this host or pod
   * @param interval the longest time from one cycle to the next
   * @param leads whether this replica is the leader now
   * @param leader returns the holder of the Lease if it is known; null if there is no Lease
   */
  public LatestStatus(
      Publisher publisher,
      String replica,
      Duration interval,
      BooleanSupplier leads,
      Supplier<String> leader,
      Clock clock) {
    this.publisher = publisher;
    this.replica = replica;
    this.leads = leads;
    this.leader = leader;
    this.maxAge = MAX_AGE.plus(interval);
    this.clock = clock;
  }

  /**
   * Records a completed cycle.
   *
   * @param reasons what it found wrong; computed on demand
   */
  public void ended(Result result, Supplier<List<String>> reasons) {
    last = new Ended(result, reasons, clock.instant());
  }

  /** The status; null if no cycle has ended recently. */
  public Status status() {
    Ended ended = last;
    if (ended == null || ended.at().isBefore(clock.instant().minus(maxAge))) {
      return null;
    }
    return Status.of(
        ended.result(), ended.reasons().get(), publisher, source(isLeading(ended), ended.at()));
  }

  /** Returns a status that only contains why there is none. */
  public Status missing() {
    Ended ended = last;
    Instant now = clock.instant();
    String reason =
        ended == null
            ? "no cycle has ended since this manager started"
            : "the last cycle ended %d s ago; the log of this manager has the reason"
                .formatted(Duration.between(ended.at(), now).toSeconds());
    return Status.missing(reason, source(isLeading(ended), ended == null ? now : ended.at()));
  }

  /** The role of the last cycle, unless this replica has lost the Lease since. */
  private Boolean isLeading(Ended ended) {
    return ended == null || leader == null
        ? null
        : ended.result().leading() && leads.getAsBoolean();
  }

  private Source source(Boolean leading, Instant at) {
    String holder = leader == null ? null : leader.get();
    return Source.manager(replica, leading, holder, at, clock.instant());
  }
}
