package io.github.pgendpoints.alert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.github.pgendpoints.topology.State;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * What was reported, and about which nodes: all that {@link Conditions} keeps from one run to the
 * next.
 *
 * @param signature of the topology that was verified last; empty if a topology was refused since
 * @param verified the same signature, which a refusal does not clear, so that the next change is
 *     reported; null if none is known
 * @param states of the nodes, by name
 * @param lasting conditions of the cluster, by kind, subject, and details
 * @param troubles nodes that are DOWN or UNKNOWN, by name
 * @param leftOut standbys that are not read from, by name
 * @param degradations checks that were off in the last run
 */
public record ConditionsSnapshot(
    String signature,
    String verified,
    Map<String, State> states,
    Map<String, OpenCondition> lasting,
    Map<String, OpenCondition> troubles,
    Map<String, OpenCondition> leftOut,
    Set<String> degradations) {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .addModule(new JavaTimeModule())
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .build();

  public ConditionsSnapshot {
    Objects.requireNonNull(signature, "signature");
    states = new LinkedHashMap<>(states);
    lasting = new LinkedHashMap<>(lasting);
    troubles = new LinkedHashMap<>(troubles);
    leftOut = new LinkedHashMap<>(leftOut);
    degradations = new TreeSet<>(degradations);
    for (Map<String, ?> map : List.of(states, lasting, troubles, leftOut)) {
      map.values().forEach(Objects::requireNonNull);
    }
  }

  /** Returns the snapshot of a process that has reported nothing. */
  static ConditionsSnapshot empty() {
    return new ConditionsSnapshot("", null, Map.of(), Map.of(), Map.of(), Map.of(), Set.of());
  }

  /** Returns this snapshot without the checks that were off. */
  public ConditionsSnapshot withoutDegradations() {
    return new ConditionsSnapshot(
        signature, verified, states, lasting, troubles, leftOut, Set.of());
  }

  /**
   * Parses what {@link #json} returned.
   *
   * @throws IllegalArgumentException if it is anything else
   */
  public static ConditionsSnapshot of(String json) {
    try {
      return Objects.requireNonNull(JSON.readValue(json, ConditionsSnapshot.class));
    } catch (JsonProcessingException | NullPointerException e) {
      throw new IllegalArgumentException("not what an earlier run left", e);
    }
  }

  public String json() {
    return JSON.valueToTree(this).toString();
  }
}
