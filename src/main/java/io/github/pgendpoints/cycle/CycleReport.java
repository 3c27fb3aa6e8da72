package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusDetails;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.FailureMessage;
import io.github.pgendpoints.kubernetes.election.NotLeaderException;
import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.publish.Mismatch;
import io.github.pgendpoints.publish.NoNodesException;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.StaleTopologyException;
import io.github.pgendpoints.publish.UnusableServiceException;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.Verdict;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reports a completed cycle: the conditions that it found, and what it did. */
record CycleReport(Cluster cluster, Cycle cycle, Result result) {
  private static final Logger LOG = LoggerFactory.getLogger("io.github.pgendpoints.cycle");

  /**
   * Reports the cycle.
   *
   * @return the new alerts, in the order of the events
   */
  List<Alert> alerts() {
    return isCutShort()
        ? List.of()
        : report(cluster.conditions(), cluster.remembered().isRecalled());
  }

  /** Reports only the writes of a cycle that met a conflict; the next cycle reports the rest. */
  List<Alert> ofConflict() {
    reportWrites(cluster.conditions());
    cycle.failures().forEach(this::logStale);
    return List.of();
  }

  /** What is wrong in this cycle alone, regardless of leadership and of earlier reports. */
  List<String> reasons() {
    Conditions conditions = cluster.conditions().afresh();
    report(conditions, true);
    return conditions.openMessages();
  }

  /**
   * @param all false to leave out nodes, mismatches, and a pause: STATE, which is not read yet, may
   *     show that they were reported
   */
  private List<Alert> report(Conditions conditions, boolean all) {
    if (result.published() != null) {
      conditions.recordPublished(result.published());
    }
    if (cycle.isPaused() && all) {
      conditions.reportPause(cycle.pausedBy());
    }
    if (result.topology() != null) {
      if (all) {
        conditions.reportNodes(result.topology());
      } else {
        conditions.recordNodes(result.topology());
      }
    }
    Verdict verdict = result.verdict();
    if (verdict != null) {
      conditions.reportVerdict(verdict, effect(verdict));
      if (isRepaired(verdict)) {
        conditions.reportRepair(verdict, result.published());
      }
    }
    reportWrites(conditions);
    cycle.failures().forEach(failure -> report(conditions, failure));
    if (cycle.isPublished() && !cycle.isPaused()) {
      conditions.recordPublication();
    }
    if (all) {
      result.mismatches().forEach(mismatch -> report(conditions, mismatch));
    }
    Stream.of(cluster.publisher().rwService(), cluster.publisher().roService())
        .filter(cluster.clients()::mayDiffer)
        .forEach(service -> conditions.keepMismatch(service, isReadWrite(service)));
    return conditions.endCycle();
  }

  private void reportWrites(Conditions conditions) {
    cycle.writes().forEach(write -> conditions.reportWrite(write.service(), write.summary()));
  }

  /** Whether the program is stopping: a cycle without a decision does not end any condition. */
  private boolean isCutShort() {
    return result.topology() != null
        && result.verdict() == null
        && !cycle.isFailed()
        && cluster.mode() != Mode.OVERRULE;
  }

  private void logStale(Throwable failure) {
    if (failure instanceof StaleTopologyException && cycle.conflictsBefore() == 0) {
      LOG.warn(failure.getMessage());
    }
  }

  private void report(Conditions conditions, Throwable failure) {
    if (failure instanceof UnsavedStateException unsaved) {
      conditions.reportPublishFailure(cluster.errors().message(unsaved.getCause()));
    } else if (failure instanceof KubernetesClientException api) {
      conditions.reportPublishFailure(
          api.getCode() == HttpURLConnection.HTTP_CONFLICT
              ? conflict(api)
              : cluster.errors().message(api));
    } else if (failure instanceof UnusableServiceException service) {
      conditions.reportPublishFailure(service.failure());
    } else if (failure instanceof OutdatedTopologyException outdated) {
      conditions.reportPublishFailure(outdated.failure());
    } else if (failure instanceof NoNodesException) {
      conditions.reportNoNodes(failure.getMessage());
    } else if (!(failure instanceof NotLeaderException)) {
      conditions.reportCycleFailure(failure);
    }
  }

  private void report(Conditions conditions, Mismatch mismatch) {
    String service = mismatch.service();
    conditions.reportMismatch(service, isReadWrite(service), mismatch.failure());
  }

  private boolean isReadWrite(String service) {
    return service.equals(cluster.publisher().rwService());
  }

  private FailureMessage conflict(KubernetesClientException failure) {
    Status status = failure.getStatus();
    StatusDetails details =
        status == null || status.getDetails() == null ? new StatusDetails() : status.getDetails();
    if (status != null
        && "AlreadyExists".equals(status.getReason())
        && "endpointslices".equals(details.getKind())) {
      // The program's own slices were read when the cycle began, and would have been patched.
      return new FailureMessage(
          "Service %s is unchanged".formatted(service(details)),
          "EndpointSlice %s has a name that this program uses, but another owner"
              .formatted(ForeignText.clean(details.getName())));
    }
    return new FailureMessage(
        "%s was changed while the nodes were probed, %d times in a row"
            .formatted(
                ForeignText.clean("%s %s".formatted(details.getKind(), details.getName())),
                CycleSteps.MAX_CONFLICTS + 1),
        "");
  }

  /** Returns the Service whose slices have names such as this, {@code SERVICE-ipv4}. */
  private String service(StatusDetails slice) {
    String name = String.valueOf(slice.getName());
    String readOnly = cluster.publisher().roService();
    return name.startsWith(readOnly + "-ipv") ? readOnly : cluster.publisher().rwService();
  }

  private boolean isRepaired(Verdict verdict) {
    return !verdict.isVerified()
        && verdict.repair() != null
        && cluster.mode().writes()
        && !cycle.isPaused()
        && !cycle.hasFailedWrite();
  }

  /** The effect of a verdict on the Services, for the line that reports it; empty when verified. */
  private String effect(Verdict verdict) {
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
