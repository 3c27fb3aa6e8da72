package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import org.apache.camel.CamelContext;
import org.apache.camel.Variable;

/** The steps that decide, and remember what was decided. */
public final class Rules {

  /**
   * The verdict on a topology.
   *
   * @return null when the program stops: probes that it interrupted say nothing about their nodes
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
   * The verdict of a refusal, which is never a verified one: a rule of a user's own that only goes
   * to the route of refusals means to refuse.
   */
  public Verdict refused(@Variable("verdict") Verdict verdict) {
    return verdict.isVerified()
        ? verdict.refuse("NoReason", "a rule of routes/ refuses and gives no reason")
        : verdict;
  }

  /** Writes to STATE what the next leader must know before anything moves. */
  public void remember(
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
      cluster.memory().published(verdict);
      save(cluster, cycle, verdict);
    }
  }

  /** A failure is reported and holds up neither Service. */
  private static void save(Cluster cluster, Cycle cycle, Verdict verdict)
      throws OutdatedTopologyException {
    cluster.age().check(cycle.begun());
    try {
      cluster.memory().save();
    } catch (KubernetesClientException e) {
      // The exit code of a refusal says that it is one.
      cycle.addFailure(verdict.isVerified() ? e : new UnsavedStateException(e));
    }
  }
}
