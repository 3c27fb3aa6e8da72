package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Memory;
import java.util.List;
import java.util.stream.Stream;

/**
 * What an operator decides against the rules: which primary is published, and what is forgotten for
 * it.
 *
 * @param problem why there is no primary to publish: one sentence; null if there is one
 * @param text what would be written and forgotten, for people; empty if there is a problem
 * @param readWrite of the read-write Service; null if there is a problem
 * @param readOnly of the read-only Service; null if there is a problem, or no such object
 * @param memory what STATE is to hold; null if there is a problem
 * @param confirmed whether the operator has confirmed it
 */
public record OverruleProposal(
    String problem, String text, Plan readWrite, Plan readOnly, Memory memory, boolean confirmed) {
  /** The plans of the Services, the read-write one first. */
  public List<Plan> plans() {
    return Stream.of(readWrite, readOnly).filter(plan -> plan != null).toList();
  }

  static OverruleProposal impossible(String problem) {
    return new OverruleProposal(problem, "", null, null, null, false);
  }
}
