package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import org.apache.camel.CamelContext;
import org.apache.camel.Variable;

/** The steps that decide, and remember the decision. */
public final class RuleSteps {

  /**
   * Decides on a topology.
   *
   * @return null when the program stops: interrupted probes show nothing about their nodes
   */
  public Verdict decide(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology,
      CamelContext context) {
    if (context.isStopping()) {
      return null;
    }
    return cycle.isLeading()
        ? cluster.memory().decide(published, topology)
        : cluster.memory().judge(published, topology);
  }

  /**
   * Returns the verdict of a refusal, which is never verified: a user's rule that only sends the
   * exchange to the route of refusals refuses, too.
   */
  public Verdict refuse(@Variable("verdict") Verdict verdict) {
    return verdict.isVerified()
        ? verdict.refuse("NoReason", "a rule of routes/ refuses and gives no reason")
        : verdict;
  }

  /** Writes to STATE what the next leader must know before a Service changes. */
  public void rememberRivals(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("verdict") Verdict verdict)
      throws OutdatedTopologyException {
    if (verdict != null && cycle.isLeading()) {
      save(cluster, cycle, verdict);
    }
  }

  /** Remembers the published line, now that clients see it. */
  public void rememberPublished(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("verdict") Verdict verdict)
      throws OutdatedTopologyException {
    cycle.markPublished();
    if (cluster.mode().writes() && !cycle.isPaused() && !cycle.isFailed()) {
      cluster.memory().rememberPublished(verdict);
      save(cluster, cycle, verdict);
    }
  }

  /** Saves the memory. A failure is reported, and does not block either Service. */
  private static void save(Cluster cluster, Cycle cycle, Verdict verdict)
      throws OutdatedTopologyException {
    cluster.age().check(cycle.begun());
    try {
      cluster.memory().save();
    } catch (KubernetesClientException e) {
      // A refusal keeps its exit code.
      cycle.addFailure(verdict.isVerified() ? e : new UnsavedStateException(e));
    }
  }
}
