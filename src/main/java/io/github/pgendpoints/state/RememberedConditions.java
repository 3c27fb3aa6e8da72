package io.github.pgendpoints.state;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.ConditionsSnapshot;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what was alerted of from one run of {@code --once} to the next. It is a comfort: whatever
 * goes wrong with it is told, and the run goes on as if there were none.
 */
public final class RememberedConditions {
  private static final Logger LOG = LoggerFactory.getLogger(RememberedConditions.class);

  private final ConfigMapStateStore store;
  private final KubernetesErrors errors;
  private final Conditions conditions;

  /**
   * @param store null to keep nothing, as a process that stays needs to
   */
  public RememberedConditions(
      ConfigMapStateStore store, KubernetesErrors errors, Conditions conditions) {
    this.store = store;
    this.errors = errors;
    this.conditions = conditions;
  }

  /** Before the cycle. */
  public void recall() {
    String recalled = store == null ? null : store.conditions();
    if (recalled == null) {
      return;
    }
    try {
      conditions.restore(ConditionsSnapshot.of(recalled));
    } catch (RuntimeException e) {
      LOG.warn(
          "STATE has unreadable conditions ({}); this run alerts as if it were the first",
          e.getMessage());
    }
  }

  /** After the cycle. */
  public void remember() {
    if (store == null) {
      return;
    }
    try {
      store.write(conditions.snapshot().json());
    } catch (KubernetesClientException e) {
      LOG.warn(
          "STATE cannot be written; the next run may repeat these alerts: {}", errors.describe(e));
    } catch (OutdatedTopologyException | RuntimeException e) {
      LOG.warn("STATE cannot be written; the next run may repeat these alerts: {}", e.getMessage());
    }
  }
}
