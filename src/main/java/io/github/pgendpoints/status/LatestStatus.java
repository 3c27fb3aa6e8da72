package io.github.pgendpoints.status;

import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.cycle.ResultListener;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.status.Status.Source;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;

/** The status of a manager that runs on, by its last cycle. Made only when asked for. */
public final class LatestStatus implements ResultListener {
  /** What is older, by more than the time between two cycles, is no status. */
  private static final Duration MAX_AGE = Duration.ofSeconds(30);

  private record Ended(Result result, Supplier<List<String>> reasons, Instant at) {}

  private final Publisher publisher;
  private final String replica;
  private final boolean elects;
  private final Duration maxAge;
  private final Clock clock;
  private volatile Ended last;

  /**
   * @param replica the name of this host or pod
   * @param interval the longest time from one cycle to the next
   * @param elects whether a Lease elects the replica that writes
   */
  public LatestStatus(
      Publisher publisher, String replica, Duration interval, boolean elects, Clock clock) {
    this.publisher = publisher;
    this.replica = replica;
    this.elects = elects;
    this.maxAge = MAX_AGE.plus(interval);
    this.clock = clock;
  }

  @Override
  public void ended(Result result, Supplier<List<String>> reasons) {
    last = new Ended(result, reasons, clock.instant());
  }

  /** The status; null if no cycle has ended of late. */
  public Status status() {
    Ended ended = last;
    if (ended == null || ended.at().isBefore(clock.instant().minus(maxAge))) {
      return null;
    }
    return Status.of(
        ended.result(),
        ended.reasons().get(),
        publisher,
        Source.manager(replica, elects ? ended.result().leading() : null, ended.at()));
  }
}
