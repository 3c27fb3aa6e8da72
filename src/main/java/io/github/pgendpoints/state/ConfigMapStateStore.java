package io.github.pgendpoints.state;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.ApiRight;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.kubernetes.ObjectClient;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.StateStore;
import io.github.pgendpoints.publish.UnreadableStateException;
import io.github.pgendpoints.topology.Memory;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * Stores in a ConfigMap what must outlive the process, with one key per cluster: the memory of the
 * decision, and what one run of {@code --once} reported, for the next run. Each write is a
 * compare-and-swap against the value last read or written here. Used by one cycle at a time.
 */
public final class ConfigMapStateStore implements StateStore {
  /** The time until the next read: an operator may fix the Role, or roll back a newer version. */
  private static final Duration AGAIN = Duration.ofSeconds(30);

  /** How often a write is retried while other writers change other keys of the ConfigMap. */
  private static final int MAX_CONFLICTS = 5;

  private final ObjectClient<ConfigMap> client;
  private final String name;
  private final String key;
  private final KubernetesErrors errors;
  private final ApiRights rights;
  private final Conditions conditions;
  private final ApiBudget budget;
  private final Runnable guard;
  private final LongSupplier nanoTime;

  private StateDocument document = StateDocument.empty();

  /** The memory that the document was made from, which may be more than the document holds. */
  private Memory last;

  /** The key's value and the object's version, as last read or written; null when there is none. */
  private String text;

  private String resourceVersion;

  /** Whether the stored value has been read, and may be replaced. */
  private boolean isKnown;

  /** Whether the value has been read in this cycle, for {@link #read} to return. */
  private boolean isPrefetched;

  private Long refusedAt;

  /**
   * @param name STATE: the ConfigMap
   * @param key RW_SERVICE: one ConfigMap may serve several clusters
   * @param errors describes failures
   * @param rights records that the Role does not allow reading or writing the ConfigMap
   * @param conditions records any other reason why STATE cannot be used
   * @param budget the API budget of the cycle
   * @param guard throws when this process may not write
   * @param nanoTime as {@link System#nanoTime}
   */
  public ConfigMapStateStore(
      KubernetesClient client,
      String namespace,
      String name,
      String key,
      KubernetesErrors errors,
      ApiRights rights,
      Conditions conditions,
      ApiBudget budget,
      Runnable guard,
      LongSupplier nanoTime) {
    this.client =
        new ObjectClient<>(client, ObjectKind.CONFIG_MAPS, namespace, RequestListener.NONE);
    this.name = name;
    this.key = key;
    this.errors = errors;
    this.rights = rights;
    this.conditions = conditions;
    this.budget = budget;
    this.guard = guard;
    this.nanoTime = nanoTime;
  }

  @Override
  public Memory read() throws UnreadableStateException {
    if (!isPrefetched) {
      load();
    }
    isPrefetched = false;
    return isKnown ? document.memory() : null;
  }

  /** Also due after a load for the conditions: a write before the read would lose the memory. */
  @Override
  public boolean isReadDue() {
    return refusedAt == null
        ? isPrefetched || !isKnown
        : nanoTime.getAsLong() - refusedAt >= AGAIN.toNanos();
  }

  /** The reported conditions as JSON; null when none are stored, or STATE cannot be read. */
  String conditions() {
    try {
      load();
      isPrefetched = true;
    } catch (UnreadableStateException e) {
      // The cycle finds the same error next, and reports it.
    }
    return lastConditions();
  }

  /** The same as last read, by whatever method. */
  String lastConditions() {
    return document.conditions();
  }

  /** Whether the last read has shown what STATE holds, or that it cannot be used. */
  boolean isRead() {
    return isKnown || refusedAt != null;
  }

  private void load() throws UnreadableStateException {
    isKnown = false;
    isPrefetched = false;
    refusedAt = null;
    document = StateDocument.empty();
    accept(null);
    ConfigMap map;
    try {
      map = budget.within(() -> client.get(name));
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
        notGranted(e);
        return;
      }
      throw new UnreadableStateException(
          "STATE %s cannot be read: %s".formatted(name, errors.describe(e)), e);
    }
    accept(map);
    if (text != null && !parse()) {
      refusedAt = nanoTime.getAsLong();
      conditions.reportDegradation(
          "STATE %s cannot be read, only this process remembers a split brain and the published line: its key %s is of another version of this program"
              .formatted(name, key));
      return;
    }
    isKnown = true;
    last = document.memory();
  }

  /** Records a response of the API server. */
  private void accept(ConfigMap map) {
    Map<String, String> data = map == null || map.getData() == null ? Map.of() : map.getData();
    resourceVersion = map == null ? null : map.getMetadata().getResourceVersion();
    text = data.get(key);
  }

  private boolean parse() throws UnreadableStateException {
    try {
      document = StateDocument.of(text).orElse(null);
      if (document != null) {
        return true;
      }
      document = StateDocument.empty();
      return false;
    } catch (IllegalArgumentException e) {
      throw new UnreadableStateException(
          "STATE: ConfigMap %s has a key %s that cannot be read, %s; to replace it: postgres-endpoint-manager overrule, or delete the key, which discards its contents"
              .formatted(name, key, e.getMessage()),
          e);
    }
  }

  private void notGranted(KubernetesClientException refusal) {
    refusedAt = nanoTime.getAsLong();
    rights.refused(ApiRight.STATE, refusal);
  }

  @Override
  public void write(Memory memory) throws OutdatedTopologyException {
    if (!isKnown || refusedAt != null || memory.isSameForOthers(last)) {
      return;
    }
    swap(bounded(memory, document.conditions()));
    last = memory;
  }

  /**
   * Stores the reported conditions.
   *
   * @param json null to store none
   */
  void write(String json) throws OutdatedTopologyException {
    if (isKnown && refusedAt == null && !Objects.equals(json, document.conditions())) {
      swap(bounded(last, json));
    }
  }

  @Override
  public void overwrite(Memory memory) throws OutdatedTopologyException {
    for (int attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      try {
        load();
        if (!isKnown) {
          return;
        }
      } catch (UnreadableStateException e) {
        if (e.getCause() instanceof KubernetesClientException failure) {
          throw failure;
        }
        // The stored value cannot be read, and is replaced.
      }
      try {
        swap(bounded(memory, document.conditions()));
        last = memory;
        isKnown = true;
        return;
      } catch (OutdatedTopologyException e) {
        // Retries against the current value.
      }
    }
    throw new OutdatedTopologyException(
        "other writers keep changing STATE %s, so it does not hold the overrule".formatted(name),
        "");
  }

  private StateDocument bounded(Memory memory, String json) {
    StateDocument all = new StateDocument(memory, json);
    if (!all.isTooLarge()) {
      return all;
    }
    conditions.reportDegradation(
        "STATE %s has no room for the reported conditions: the next run may repeat their alerts"
            .formatted(name));
    return new StateDocument(memory, null);
  }

  /** Other writers may change other keys of the ConfigMap; a change of this key is a conflict. */
  private void swap(StateDocument wanted) throws OutdatedTopologyException {
    String json = wanted.json();
    for (int attempt = 0; !json.equals(text); attempt++) {
      String before = text;
      try {
        accept(budget.within(() -> put(json)));
      } catch (KubernetesClientException e) {
        if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
          notGranted(e);
          return;
        }
        if (e.getCode() != HttpURLConnection.HTTP_CONFLICT
            && e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
          throw e;
        }
        accept(budget.within(() -> client.get(name)));
        boolean isOurs = json.equals(text);
        if (!isOurs && (!Objects.equals(before, text) || attempt == MAX_CONFLICTS)) {
          isKnown = false;
          throw new OutdatedTopologyException(
              "STATE %s was written by another process while the nodes were probed".formatted(name),
              "");
        }
      }
    }
    document = wanted;
  }

  private ConfigMap put(String json) {
    guard.run();
    ConfigMap map =
        new ConfigMapBuilder()
            .withNewMetadata()
            .withName(name)
            .withResourceVersion(resourceVersion)
            .endMetadata()
            .addToData(key, json)
            .build();
    // The metadata has neither labels nor annotations.
    map.getMetadata().setLabels(null);
    map.getMetadata().setAnnotations(null);
    return resourceVersion == null ? client.create(map) : client.patch(map);
  }
}
