package io.github.pgendpoints.cycle;

import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.kubernetes.election.NotLeaderException;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.ObjectWrite;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Duration;
import java.util.List;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps that begin a cycle and conclude it. */
public final class CycleSteps {
  private static final Logger LEADER = LoggerFactory.getLogger("io.github.pgendpoints.leader");

  /** How many consecutive cycles may end in a conflict before it is an error. */
  static final int MAX_CONFLICTS = 3;

  private final ResultListener listener;
  private final Runnable end;

  /**
   * @param listener receives the result of each cycle
   * @param end runs after the alerts of a cycle have been sent
   */
  public CycleSteps(ResultListener listener, Runnable end) {
    this.listener = listener;
    this.end = end;
  }

  public Cycle begin(@Variable("cluster") Cluster cluster) {
    CycleAge.Moment now = cluster.age().now();
    cluster.history().inTerm(now.term(), cluster::beginTerm);
    Cycle cycle = new Cycle(now, cluster.leadership().isHeld(), cluster.history().conflicts());
    cluster.budget().renew();
    if (cycle.isLeading()) {
      cluster.history().afterSuccession(cluster.leadership().successions(), cluster::takeOver);
    }
    return cycle;
  }

  public void recordWrite(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("write") ObjectWrite write,
      @Body Object answer) {
    cycle.addWrite(write, answer);
    cluster.clients().recordWrite(write.service());
  }

  /**
   * Whether a failure concerns only one Service. If another writer was first, the whole cycle
   * starts over, but an object that stays in the way must not block the other Service forever.
   */
  public boolean concernsOneService(Exchange exchange) {
    Throwable failure = exchange.getException();
    Cycle cycle = exchange.getVariable("cycle", Cycle.class);
    return failure != null
        && (Outcome.of(failure) != Outcome.CONFLICT || cycle.conflictsBefore() >= MAX_CONFLICTS);
  }

  /** Records that a part of the cycle, or all of it, has failed. */
  public void recordFailure(@Variable("cycle") Cycle cycle, Exchange exchange) {
    cycle.addFailure(
        Outcome.cause(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class)));
  }

  /**
   * Concludes a cycle, at whatever step it ended, and records its {@link Result} in the cycle.
   *
   * @return the new alerts, in the order of the events; none on a replica that is not the leader
   */
  public List<Alert> conclude(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("rw") ObservedService readWrite,
      @Variable("ro") ObservedService readOnly,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology,
      @Variable("verdict") Verdict verdict,
      Exchange exchange) {
    boolean stopping = exchange.getContext().isStopping();
    boolean isDecided = verdict != null || stopping || cluster.mode() == Mode.OVERRULE;
    if (topology != null && !isDecided && !cycle.isFailed()) {
      cycle.addFailure(new IllegalStateException("a step removed the variable verdict"));
    }
    Result result =
        new Result(
            outcome(cluster, cycle, verdict),
            cycle.isLeading(),
            cycle.isPaused(),
            Duration.ofMillis(exchange.getClock().elapsed()),
            readWrite,
            readOnly,
            published,
            topology,
            decided(cycle, verdict),
            cycle.isLeading() ? cluster.clients().mismatches() : List.of());
    cycle.end(result);
    boolean again = cycle.isRepeated();
    cluster.history().conclude(again);
    cluster.schedule().conclude(topology, result.isRefused());
    if (topology != null || !cycle.isLeading()) {
      boolean urgent = cluster.schedule().isUnstable();
      cluster.prober().watchRoles(cycle.isLeading(), topology, urgent);
    }
    // The decision of the next leader applies, so this is not an error.
    cycle.failures().stream()
        .filter(NotLeaderException.class::isInstance)
        .forEach(failure -> LEADER.info(failure.getMessage()));
    boolean leading = cycle.isLeading() && cluster.leadership().isHeld();
    CycleReport report = new CycleReport(cluster, cycle, result);
    List<Alert> alerts = !leading ? List.of() : again ? report.ofConflict() : report.alerts();
    if (again) {
      cluster.schedule().repeat();
    } else {
      listener.ended(result, report::reasons);
    }
    return alerts;
  }

  /** Ends a run of a single cycle, after the alerts have been sent. */
  public void end(@Variable("cluster") Cluster cluster, @Variable("cycle") Cycle cycle) {
    if (!cycle.isRepeated()) {
      if (cycle.isLeading() && cluster.leadership().isHeld()) {
        cluster.remembered().remember();
      }
      end.run();
    }
    cycle.markEnded();
  }

  /** Returns null if a rule failed: it might have refused, so nothing is verified. */
  private static Verdict decided(Cycle cycle, Verdict verdict) {
    boolean failed =
        cycle.failures().stream().anyMatch(failure -> Outcome.of(failure) == Outcome.FAILED);
    return failed && verdict != null && verdict.isVerified() ? null : verdict;
  }

  private static Outcome outcome(Cluster cluster, Cycle cycle, Verdict verdict) {
    Outcome worst = Outcome.VERIFIED;
    for (Throwable failure : cycle.failures()) {
      Outcome outcome = Outcome.of(failure);
      if (outcome == Outcome.CONFLICT || outcome == Outcome.NOT_LEADER) {
        return outcome;
      }
      worst = outcome.exitCode() > worst.exitCode() ? outcome : worst;
    }
    if (worst != Outcome.VERIFIED) {
      return worst;
    }
    boolean verified =
        cluster.mode() == Mode.OVERRULE
            ? cycle.isPublished()
            : verdict != null && verdict.isVerified();
    if (verified && cycle.isLeading() && !cluster.clients().mismatches().isEmpty()) {
      return Outcome.MISMATCH;
    }
    boolean hasErrors = cluster.mode() != Mode.OVERRULE && verified && verdict.hasErrors();
    return verified && !hasErrors ? Outcome.VERIFIED : Outcome.REFUSED;
  }
}
