package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Memory;
import java.util.List;

/**
 * What an operator decides against the rules: which primary is published, and what is forgotten for
 * it.
 *
 * @param problem why there is no primary to publish: one sentence; null if there is one
 * @param text what would be written and forgotten, for people; empty if there is a problem
 * @param plans of the Services, the read-write one first; empty if there is a problem
 * @param memory what STATE is to hold; null if there is a problem
 * @param confirmed whether the operator has confirmed it
 */
public record OverruleProposal(
    String problem, String text, List<Plan> plans, Memory memory, boolean confirmed) {
  static OverruleProposal impossible(String problem) {
    return new OverruleProposal(problem, "", List.of(), null, false);
  }
}
