package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusDetails;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.FailureText;
import io.github.pgendpoints.kubernetes.election.NotLeaderException;
import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.publish.Actual;
import io.github.pgendpoints.publish.Mismatch;
import io.github.pgendpoints.publish.NoNodesException;
import io.github.pgendpoints.publish.ObjectWrite;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.StaleTopologyException;
import io.github.pgendpoints.publish.UnusableServiceException;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.List;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Ordered;
import org.apache.camel.Variable;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps that begin a cycle, and that say how it ended. */
public final class Conclusion {
  private static final Logger LOG = LoggerFactory.getLogger("io.github.pgendpoints.cycle");
  private static final Logger LEADER = LoggerFactory.getLogger("io.github.pgendpoints.leader");

  /** So many cycles in a row end in a conflict before it is an error. */
  static final int MAX_CONFLICTS = 3;

  private final ResultListener listener;
  private final Runnable end;
  private final Runnable abort;
  private int conflicts;
  private int successions;

  /**
   * @param listener is told of each cycle
   * @param end runs when the alerts of a cycle have gone out
   * @param abort runs when an error kept the alerts of a cycle from going out
   */
  public Conclusion(ResultListener listener, Runnable end, Runnable abort) {
    this.listener = listener;
    this.end = end;
    this.abort = abort;
  }

  /** Begins a cycle. */
  public Cycle begin(@Variable("cluster") Cluster cluster, Exchange exchange) {
    cluster.schedule().begun();
    Cycle cycle = new Cycle(cluster.age().now(), cluster.leadership().isHeld(), conflicts);
    exchange.getExchangeExtension().addOnCompletion(new End(cluster, cycle));
    cluster.budget().renew();
    cluster.remembered().recall();
    return cycle;
  }

  /** Ends a cycle, also one that nothing has concluded, such as one that met a stopped route. */
  private final class End extends SynchronizationAdapter {
    private final Cluster cluster;
    private final Cycle cycle;

    private End(Cluster cluster, Cycle cycle) {
      this.cluster = cluster;
      this.cycle = cycle;
    }

    /** Last: the routes may be stopped as soon as the cycle is done. */
    @Override
    public int getOrder() {
      return Ordered.LOWEST;
    }

    @Override
    public void onDone(Exchange exchange) {
      if (!cycle.conclude()) {
        cluster.schedule().concluded(null, false);
      }
      cluster.schedule().done();
      boolean stopping = exchange.getContext().isStopping();
      if (exchange.getException() != null && !cycle.isEnded() && !stopping) {
        LOG.error("cycle failed, its alerts are lost: {}", FailureText.of(exchange.getException()));
        abort.run();
      }
    }
  }

  /** Records a write. */
  public void written(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("write") ObjectWrite write,
      @Body Object answer) {
    cycle.addWrite(write, answer);
    cluster.clients().written(write.service());
  }

  /**
   * Whether what failed concerns one Service alone. Where another writer was first, the whole cycle
   * begins afresh; but an object that stays in the way must not hold up the other Service for ever.
   */
  public boolean concernsOneService(Exchange exchange) {
    Throwable failure = exchange.getException();
    Cycle cycle = exchange.getVariable("cycle", Cycle.class);
    return failure != null
        && (Outcome.of(failure) != Outcome.CONFLICT || cycle.conflictsBefore() >= MAX_CONFLICTS);
  }

  /** Records that a part of the cycle, or all of it, has failed. */
  public void failed(@Variable("cycle") Cycle cycle, Exchange exchange) {
    cycle.addFailure(
        Outcome.cause(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class)));
  }

  /**
   * Ends a cycle, however far it has come, and sets the variable {@code result}.
   *
   * @return the alerts that are new, in the order in which things happened; none of a replica that
   *     does not lead
   */
  public List<Alert> conclude(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("rw") Actual readWrite,
      @Variable("ro") Actual readOnly,
      @Variable("published") Published published,
      @Variable("topology") Topology topology,
      @Variable("verdict") Verdict verdict,
      Exchange exchange) {
    if (cycle.conclude()) {
      // An error on the way from here to the sinks: it must not begin all this again.
      return List.of();
    }
    Result result =
        new Result(
            outcome(cluster, cycle, verdict),
            cycle.isLeading(),
            Duration.ofMillis(exchange.getClock().elapsed()),
            readWrite,
            readOnly,
            published,
            topology,
            verdict,
            cycle.isLeading() ? cluster.clients().mismatches() : List.of());
    cycle.end(result);
    boolean again = result.outcome() == Outcome.CONFLICT && cycle.conflictsBefore() < MAX_CONFLICTS;
    conflicts = again ? cycle.conflictsBefore() + 1 : 0;
    cluster.schedule().concluded(topology, result.isRefused());
    if (topology != null || !cycle.isLeading()) {
      boolean urgent = cluster.schedule().isUnstable();
      cluster.prober().watchRoles(cycle.isLeading(), topology, urgent);
    }
    // What the next leader decides counts: this is no error.
    cycle.failures().stream()
        .filter(NotLeaderException.class::isInstance)
        .forEach(failure -> LEADER.info(failure.getMessage()));
    boolean leading = cycle.isLeading() && cluster.leadership().isHeld();
    if (leading && successions != cluster.leadership().successions()) {
      successions = cluster.leadership().successions();
      cluster.conditions().forget();
    }
    List<Alert> alerts = leading ? reported(cluster, cycle, result, again) : List.of();
    if (again) {
      cluster.schedule().repeat();
      cycle.repeat();
    } else {
      listener.ended(result, () -> reasons(cluster, cycle, result));
    }
    return alerts;
  }

  /** Ends the run where it is one of a single cycle, now that the alerts have gone out. */
  public void end(@Variable("cluster") Cluster cluster, @Variable("cycle") Cycle cycle) {
    cycle.markEnded();
    if (!cycle.isRepeated()) {
      cluster.remembered().remember();
      end.run();
    }
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
        cluster.mode() == CycleMode.OVERRULE
            ? cycle.isPublished()
            : verdict != null && verdict.isVerified();
    if (verified && cycle.isLeading() && !cluster.clients().mismatches().isEmpty()) {
      return Outcome.MISMATCH;
    }
    boolean hasErrors = cluster.mode() != CycleMode.OVERRULE && verified && verdict.hasErrors();
    return verified && !hasErrors ? Outcome.VERIFIED : Outcome.REFUSED;
  }

  private static List<Alert> reported(Cluster cluster, Cycle cycle, Result result, boolean again) {
    if (again) {
      cycle.writes().forEach(cluster.conditions()::reportWrite);
      cycle.failures().forEach(failure -> logStale(cycle, failure));
      return List.of();
    }
    return isCutShort(cluster, cycle, result)
        ? List.of()
        : report(cluster.conditions(), cluster, cycle, result);
  }

  /** What is wrong by this cycle alone, whoever leads and whatever was reported before. */
  private static List<String> reasons(Cluster cluster, Cycle cycle, Result result) {
    Conditions conditions = cluster.conditions().afresh();
    report(conditions, cluster, cycle, result);
    return conditions.openMessages();
  }

  private static List<Alert> report(
      Conditions conditions, Cluster cluster, Cycle cycle, Result result) {
    if (result.published() != null) {
      conditions.recordPublished(result.published());
    }
    if (cycle.isPaused()) {
      conditions.reportPause(cycle.pausedBy());
    }
    if (result.topology() != null) {
      conditions.reportNodes(result.topology());
    }
    Verdict verdict = result.verdict();
    if (verdict != null) {
      conditions.reportVerdict(verdict, effect(cluster, cycle, verdict));
      if (isRepaired(cluster, cycle, verdict)) {
        conditions.reportRepair(verdict, result.published());
      }
    }
    cycle.writes().forEach(conditions::reportWrite);
    cycle.failures().forEach(failure -> report(conditions, cluster, failure));
    if (cycle.isPublished() && !cycle.isPaused()) {
      conditions.recordPublication();
    }
    result.mismatches().forEach(mismatch -> report(conditions, cluster, mismatch));
    return conditions.endCycle();
  }

  /** The program stops: a cycle that decided nothing does not show that anything is over. */
  private static boolean isCutShort(Cluster cluster, Cycle cycle, Result result) {
    return result.topology() != null
        && result.verdict() == null
        && !cycle.isFailed()
        && cluster.mode() != CycleMode.OVERRULE;
  }

  private static void logStale(Cycle cycle, Throwable failure) {
    if (failure instanceof StaleTopologyException && cycle.conflictsBefore() == 0) {
      LOG.warn(failure.getMessage());
    }
  }

  private static void report(Conditions conditions, Cluster cluster, Throwable failure) {
    if (failure instanceof UnsavedStateException unsaved) {
      conditions.reportPublishFailure(cluster.errors().describe(unsaved.getCause()));
    } else if (failure instanceof KubernetesClientException api) {
      conditions.reportPublishFailure(
          api.getCode() == HttpURLConnection.HTTP_CONFLICT
              ? conflict(cluster, api)
              : cluster.errors().describe(api));
    } else if (failure instanceof UnusableServiceException
        || failure instanceof OutdatedTopologyException) {
      conditions.reportPublishFailure(failure.getMessage());
    } else if (failure instanceof NoNodesException) {
      conditions.reportNoNodes(failure.getMessage());
    } else if (!(failure instanceof NotLeaderException)) {
      conditions.reportCycleFailure(failure);
    }
  }

  private static void report(Conditions conditions, Cluster cluster, Mismatch mismatch) {
    boolean readWrite = mismatch.service().equals(cluster.publisher().rwService());
    conditions.reportMismatch(mismatch.service(), readWrite, mismatch.message());
  }

  private static String conflict(Cluster cluster, KubernetesClientException failure) {
    Status status = failure.getStatus();
    StatusDetails details =
        status == null || status.getDetails() == null ? new StatusDetails() : status.getDetails();
    if (status != null
        && "AlreadyExists".equals(status.getReason())
        && "endpointslices".equals(details.getKind())) {
      // Whatever is ours was read at the beginning of the cycle, and would have been patched.
      return "Service %s is left as it is: the EndpointSlice %s has the name of ours, and is not ours"
          .formatted(service(cluster, details), ForeignText.clean(details.getName()));
    }
    return "%s was changed while the nodes were probed, %d times in a row"
        .formatted(
            ForeignText.clean("%s %s".formatted(details.getKind(), details.getName())),
            MAX_CONFLICTS + 1);
  }

  /** The Service whose slices have names such as this, {@code SERVICE-ipv4}. */
  private static String service(Cluster cluster, StatusDetails slice) {
    String name = String.valueOf(slice.getName());
    String ro = cluster.publisher().roService();
    String rw = cluster.publisher().rwService();
    boolean readOnly = name.startsWith(ro + "-ipv");
    return readOnly ? ro : rw;
  }

  private static boolean isRepaired(Cluster cluster, Cycle cycle, Verdict verdict) {
    return !verdict.isVerified()
        && verdict.repair() != null
        && cluster.mode().writes()
        && !cycle.isPaused();
  }

  /** What a verdict does to the Services, for the line that reports it; empty when verified. */
  private static String effect(Cluster cluster, Cycle cycle, Verdict verdict) {
    if (verdict.isVerified()) {
      return "";
    }
    if (verdict.rule() != Rule.SPLIT_BRAIN
        || !cluster.clearsOnSplitBrain()
        || !verdict.isQuorate()) {
      return "nothing is written";
    }
    String service = cluster.publisher().rwService();
    if (cycle.isPaused()) {
      return service + " is not emptied while paused";
    }
    if (!cluster.mode().writes()) {
      return "nothing is written";
    }
    return service + (cycle.hasFailedWrite() ? " could not be emptied" : " is emptied");
  }
}
