package io.github.pgendpoints.state;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.AlertLog;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.ConditionsSnapshot;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores the reported conditions for the next run of {@code --once}, or for the next leader. This
 * is optional: each failure is reported, and the program continues as if nothing were stored.
 */
public final class RememberedConditions {
  private static final Logger LOG = LoggerFactory.getLogger(RememberedConditions.class);

  private final ConfigMapStateStore store;
  private final KubernetesErrors errors;
  private final Conditions conditions;
  private final boolean once;

  /** What was last stored, or could not be stored; null before that. */
  private ConditionsSnapshot kept;

  private boolean isFirstCycle;
  private boolean isRecalled = true;

  /**
   * @param store null to store nothing
   * @param once whether this is a run of one cycle; a manager reports again which checks are off
   */
  public RememberedConditions(
      ConfigMapStateStore store, KubernetesErrors errors, Conditions conditions, boolean once) {
    this.store = store;
    this.errors = errors;
    this.conditions = conditions;
    this.once = once;
  }

  /** Restores the conditions of an earlier process, before the first cycle. */
  public void recall() {
    kept = null;
    isFirstCycle = true;
    if (store != null) {
      isRecalled = false;
      restore(store.conditions());
    }
  }

  /** Restores the conditions if STATE could not be read before the first cycle, but is read now. */
  public void recallLate() {
    if (!isRecalled) {
      restore(store.lastConditions());
    }
  }

  /** Whether what STATE holds is restored: what is reported before that may be open already. */
  public boolean isRecalled() {
    return isRecalled;
  }

  private void restore(String recalled) {
    isRecalled = store.isRead();
    if (recalled == null) {
      return;
    }
    try {
      ConditionsSnapshot snapshot = ConditionsSnapshot.of(recalled);
      conditions.restore(once ? snapshot : snapshot.withoutDegradations());
    } catch (RuntimeException e) {
      LOG.warn(
          "STATE has unreadable conditions ({}); this run alerts as if it were the first",
          e.getMessage());
    }
  }

  /** Stores the conditions of a cycle if they are new, and logs what the first one found again. */
  public void remember() {
    if (store == null || !isRecalled) {
      return;
    }
    if (isFirstCycle) {
      AlertLog.logRepeated(conditions.repeated());
      isFirstCycle = false;
    }
    ConditionsSnapshot now = conditions.snapshot();
    if (now.equals(kept)) {
      return;
    }
    kept = now;
    try {
      store.write(now.json());
    } catch (KubernetesClientException e) {
      LOG.warn(
          "STATE cannot be written; the next run may repeat these alerts: {}", errors.describe(e));
    } catch (OutdatedTopologyException | RuntimeException e) {
      LOG.warn("STATE cannot be written; the next run may repeat these alerts: {}", e.getMessage());
    }
  }
}
