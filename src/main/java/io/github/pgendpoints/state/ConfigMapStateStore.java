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
 * Keeps what outlives the process in a ConfigMap, a key a cluster: the memory of the decision, and
 * from one run of {@code --once} to the next what was alerted of. Every write is a compare-and-swap
 * against what this object read or wrote last. Used by one cycle at a time.
 */
public final class ConfigMapStateStore implements StateStore {
  /** What ALERT_STATE, the older name of STATE, kept there. */
  private static final String OLD_KEY = "conditions.json";

  /** A Role is mended, a newer version is rolled back: it is looked at again after a while. */
  private static final Duration AGAIN = Duration.ofSeconds(30);

  /** How often a write goes round when others write other keys of the ConfigMap. */
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

  /** The memory that the document stands for, where that is not all of it. */
  private Memory last;

  /**
   * Our key's value, and the version it is of, as last read or written; null when there is none.
   */
  private String text;

  private String resourceVersion;
  private boolean holdsOldKey;

  /** Whether what is there has been read, and may be replaced. */
  private boolean isKnown;

  /** Whether it has been read in this cycle, for {@link #read} to give. */
  private boolean isPrefetched;

  private Long refusedAt;

  /**
   * @param name STATE: the ConfigMap
   * @param key RW_SERVICE: one ConfigMap may serve several clusters
   * @param errors for the words of a failure
   * @param rights told when the Role does not let us read or write it
   * @param conditions told what else keeps us from it
   * @param budget of the cycle
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

  // --- reading ----------------------------------------------------------------------------------

  @Override
  public Memory read() throws UnreadableStateException {
    if (!isPrefetched) {
      load();
    }
    isPrefetched = false;
    return isKnown ? document.memory() : null;
  }

  /** Also when it was loaded for its conditions: a write would swap it for a memory without it. */
  @Override
  public boolean isReadDue() {
    return refusedAt == null
        ? isPrefetched || !isKnown
        : nanoTime.getAsLong() - refusedAt >= AGAIN.toNanos();
  }

  /** What was alerted of, as JSON; null when nothing is kept, or nothing can be read. */
  String conditions() {
    try {
      load();
      isPrefetched = true;
      return document.conditions();
    } catch (UnreadableStateException e) {
      // The cycle is about to find the same, and tells of it.
      return null;
    }
  }

  private void load() throws UnreadableStateException {
    isKnown = false;
    isPrefetched = false;
    refusedAt = null;
    document = StateDocument.empty();
    accept(null);
    ConfigMap map;
    try {
      map = budget.within(this::get);
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
        notGranted(e);
        return;
      }
      throw new UnreadableStateException(
          "STATE %s cannot be read: %s".formatted(name, errors.describe(e)), e);
    }
    accept(map);
    if (text == null) {
      if (holdsOldKey) {
        conditions.reportDegradation(
            "STATE %s holds %s, which an earlier version wrote: it is not read, and the next write takes it away"
                .formatted(name, OLD_KEY));
      }
    } else if (!parse()) {
      refusedAt = nanoTime.getAsLong();
      conditions.reportDegradation(
          "STATE %s cannot be read, only this process remembers a split brain and the published line: its key %s is of another version of this program"
              .formatted(name, key));
      return;
    }
    isKnown = true;
    last = document.memory();
  }

  /** Notes an answer of the API server. */
  private void accept(ConfigMap map) {
    Map<String, String> data = map == null || map.getData() == null ? Map.of() : map.getData();
    resourceVersion = map == null ? null : map.getMetadata().getResourceVersion();
    text = data.get(key);
    holdsOldKey = data.containsKey(OLD_KEY);
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
          "STATE: ConfigMap %s has a key %s that cannot be read, %s; to replace it: postgres-endpoint-manager overrule, or delete the key to have everything in it forgotten"
              .formatted(name, key, e.getMessage()),
          e);
    }
  }

  private void notGranted(KubernetesClientException refusal) {
    refusedAt = nanoTime.getAsLong();
    rights.refused(ApiRight.STATE, refusal);
  }

  // --- writing ----------------------------------------------------------------------------------

  @Override
  public void write(Memory memory) throws OutdatedTopologyException {
    if (!isKnown || refusedAt != null || memory.isSameForOthers(last)) {
      return;
    }
    swap(bounded(memory, document.conditions()));
    last = memory;
  }

  /**
   * Stores what was alerted of.
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
        // What is there cannot be read, and is replaced.
      }
      try {
        swap(bounded(memory, document.conditions()));
        last = memory;
        isKnown = true;
        return;
      } catch (OutdatedTopologyException e) {
        // Once more, against what is there now.
      }
    }
    throw new OutdatedTopologyException(
        "STATE %s is written by others again and again: nothing is overruled there"
            .formatted(name));
  }

  private StateDocument bounded(Memory memory, String json) {
    StateDocument.Bounded bounded = StateDocument.bounded(memory, json);
    if (!bounded.dropped().isEmpty()) {
      conditions.reportDegradation(
          "STATE %s does not keep all there is to remember: without %s"
              .formatted(name, String.join(", ", bounded.dropped())));
    }
    return bounded.document();
  }

  /** Others may write other keys of the ConfigMap; a change of ours is a conflict. */
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
        accept(budget.within(this::get));
        boolean isOurs = json.equals(text);
        if (!isOurs && (!Objects.equals(before, text) || attempt == MAX_CONFLICTS)) {
          isKnown = false;
          throw new OutdatedTopologyException(
              "STATE %s was written by another process while the nodes were probed"
                  .formatted(name));
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
    // A new object has nothing to remove, and its metadata names neither labels nor annotations.
    map.getMetadata().setLabels(null);
    map.getMetadata().setAnnotations(null);
    if (resourceVersion == null) {
      return client.create(map);
    }
    if (holdsOldKey) {
      map.getData().put(OLD_KEY, null);
    }
    return client.patch(map);
  }

  // --- requests ---------------------------------------------------------------------------------

  /** Null when it does not exist. */
  private ConfigMap get() {
    return client.get(name);
  }
}
