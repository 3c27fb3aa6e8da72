package io.github.pgendpoints.cycle;

import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.Overruling;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import java.io.PrintStream;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps of the subcommand overrule. */
public final class OverruleCommand {
  private static final Logger LOG = LoggerFactory.getLogger("io.github.pgendpoints.overrule");

  private final PrintStream console;

  /**
   * @param console where people see what is to be written
   */
  public OverruleCommand(PrintStream console) {
    this.console = console;
  }

  /** The primary that a person has chosen, and what is written and forgotten for it. */
  public Overruling choose(
      @Variable("cluster") Cluster cluster,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology,
      @Variable("rw") ObservedService readWrite,
      @Variable("ro") ObservedService readOnly) {
    return cluster.overrule().choose(topology, published, readWrite, readOnly);
  }

  /** Shows it, or why there is none. */
  public void show(@Variable("overruling") Overruling overruling) {
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
      @Variable("overruling") Overruling overruling)
      throws OutdatedTopologyException {
    if (!cycle.isFailed()) {
      cluster.overrule().remember(overruling);
      cycle.markPublished();
    }
  }
}
