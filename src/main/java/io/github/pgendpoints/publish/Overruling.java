package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Memory;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a person decides against the rules: which primary is published, and all that is forgotten
 * for it.
 *
 * @param problem why there is no primary to publish: one sentence; null when there is one
 * @param text what would be written and forgotten, for people; empty when there is a problem
 * @param readWrite of the read-write Service; null when there is a problem
 * @param readOnly of the read-only Service; null when there is a problem, or no such object
 * @param memory what STATE is to hold; null when there is a problem
 * @param confirmed whether the person has seen it and said yes
 */
public record Overruling(
    String problem, String text, Plan readWrite, Plan readOnly, Memory memory, boolean confirmed) {
  /** The plans of the Services, the read-write one first. */
  public List<Plan> plans() {
    return Stream.of(readWrite, readOnly).filter(plan -> plan != null).toList();
  }

  static Overruling impossible(String problem) {
    return new Overruling(problem, "", null, null, null, false);
  }
}
