package io.github.pgendpoints.cycle;

import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.OverruleProposal;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import java.io.PrintStream;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps of the subcommand overrule. */
public final class OverruleSteps {
  private static final Logger LOG = LoggerFactory.getLogger("io.github.pgendpoints.overrule");

  private final PrintStream console;

  /**
   * @param console where the operator sees what will be written
   */
  public OverruleSteps(PrintStream console) {
    this.console = console;
  }

  /** Returns the primary that an operator has chosen, and what is written and forgotten for it. */
  public OverruleProposal choose(
      @Variable("cluster") Cluster cluster,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology,
      @Variable("rw") ObservedService readWrite,
      @Variable("ro") ObservedService readOnly) {
    return cluster.overrule().choose(topology, published, readWrite, readOnly);
  }

  /** Shows the proposal, or why there is none. */
  public void show(@Variable("overruling") OverruleProposal overruling) {
    if (overruling.problem() == null) {
      console.println(overruling.text());
    } else {
      LOG.error(overruling.problem());
    }
  }

  /** Writes to STATE what was published. */
  public void remember(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("overruling") OverruleProposal overruling)
      throws OutdatedTopologyException {
    if (!cycle.isFailed()) {
      cluster.memory().overrule(overruling.memory());
      cycle.markPublished();
    }
  }
}
