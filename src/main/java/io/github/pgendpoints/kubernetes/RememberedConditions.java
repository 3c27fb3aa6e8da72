package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.Memory;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what was alerted of in a ConfigMap, from one run of {@code --once} to the next. It is a
 * comfort: whatever goes wrong with it is told, and the run goes on as if there were none.
 */
public final class RememberedConditions {
  private static final Logger LOG = LoggerFactory.getLogger(RememberedConditions.class);
  private static final String KEY = "conditions.json";

  private final KubernetesClient client;
  private final String namespace;
  private final String name;
  private final KubernetesErrors errors;
  private final Conditions conditions;
  private boolean known;
  private String resourceVersion;
  private String recalled;

  /**
   * @param name ALERT_STATE: the ConfigMap
   */
  public RememberedConditions(
      KubernetesClient client,
      String namespace,
      String name,
      KubernetesErrors errors,
      Conditions conditions) {
    this.client = client;
    this.namespace = namespace;
    this.name = name;
    this.errors = errors;
    this.conditions = conditions;
  }

  /** Before the cycle. */
  public void recall() {
    try {
      ConfigMap map = configMap().get();
      known = true;
      if (map != null) {
        resourceVersion = map.getMetadata().getResourceVersion();
        recalled = map.getData() == null ? null : map.getData().get(KEY);
      }
      if (recalled != null) {
        conditions.recall(Memory.of(recalled));
      }
    } catch (KubernetesClientException e) {
      LOG.warn(
          "ALERT_STATE {} cannot be read, this run alerts as if it were the first: {}",
          name,
          errors.describe(e));
    } catch (RuntimeException e) {
      LOG.warn(
          "ALERT_STATE {} cannot be read, this run alerts as if it were the first: {} of it is {}",
          name,
          KEY,
          e.getMessage());
    }
  }

  /** After the cycle. */
  public void remember() {
    String json = conditions.memory().json();
    // What could not be read is not overwritten blindly.
    if (!known || json.equals(recalled)) {
      return;
    }
    try {
      if (resourceVersion == null) {
        configMap().create();
      } else {
        configMap()
            .patch(
                PatchContext.of(PatchType.JSON_MERGE),
                Serialization.asJson(
                    Map.of(
                        "metadata",
                        Map.of("resourceVersion", resourceVersion),
                        "data",
                        Map.of(KEY, json))));
      }
    } catch (KubernetesClientException e) {
      LOG.warn(
          "ALERT_STATE {} cannot be written, the next run may alert again of the same: {}",
          name,
          errors.describe(e));
    } catch (RuntimeException e) {
      LOG.warn(
          "ALERT_STATE {} cannot be written, the next run may alert again of the same: {}",
          name,
          e.toString());
    }
  }

  private Resource<ConfigMap> configMap() {
    return client
        .configMaps()
        .inNamespace(namespace)
        .resource(
            new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .endMetadata()
                .addToData(KEY, conditions.memory().json())
                .build());
  }
}
