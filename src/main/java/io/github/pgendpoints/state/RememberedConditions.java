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
 * Keeps what was alerted of for the next run of {@code --once}, or for the next leader. It is a
 * comfort: whatever goes wrong with it is told, and the program goes on as if there were none.
 */
public final class RememberedConditions {
  private static final Logger LOG = LoggerFactory.getLogger(RememberedConditions.class);

  private final ConfigMapStateStore store;
  private final KubernetesErrors errors;
  private final Conditions conditions;
  private final boolean once;

  /** What was kept last, or could not be: null before that. */
  private ConditionsSnapshot kept;

  private boolean isFirstCycle;

  /**
   * @param store null to keep nothing
   * @param once whether this is a run of one cycle; one that stays says again which checks are off
   */
  public RememberedConditions(
      ConfigMapStateStore store, KubernetesErrors errors, Conditions conditions, boolean once) {
    this.store = store;
    this.errors = errors;
    this.conditions = conditions;
    this.once = once;
  }

  /** Goes on where another process ended, before the first cycle. */
  public void recall() {
    kept = null;
    isFirstCycle = true;
    String recalled = store == null ? null : store.conditions();
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

  /** Keeps what a cycle has left, where that is news, and logs what the first one found again. */
  public void remember() {
    if (store == null) {
      return;
    }
    if (isFirstCycle) {
      AlertLog.logUnreported(conditions.unreported());
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
