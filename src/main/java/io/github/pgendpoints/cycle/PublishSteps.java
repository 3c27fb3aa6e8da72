package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.publish.ClientCheck;
import io.github.pgendpoints.publish.ObjectWrite;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.publish.Plan;
import io.github.pgendpoints.publish.UnusableServiceException;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.Body;
import org.apache.camel.Variable;

/** The steps that plan the contents of each Service. */
public final class PublishSteps {

  /** Returns the plans by which both Services follow the verdict; the read-write one first. */
  public List<Plan> planServices(
      @Variable("cluster") Cluster cluster,
      @Variable("published") LastPublished published,
      @Variable("topology") Topology topology,
      @Variable("verdict") Verdict verdict,
      @Variable("rw") ObservedService readWrite,
      @Variable("ro") ObservedService readOnly) {
    return cluster.publisher().plans(topology, verdict, published, readWrite, readOnly);
  }

  /** Returns the plan that removes every address from the read-write Service. */
  public Plan planClear(
      @Variable("cluster") Cluster cluster, @Variable("rw") ObservedService readWrite) {
    return cluster.publisher().cleared(readWrite);
  }

  /** Returns the plan that restores the last verified primary in the read-write Service. */
  public Plan planRepair(
      @Variable("cluster") Cluster cluster,
      @Variable("verdict") Verdict verdict,
      @Variable("rw") ObservedService readWrite) {
    return cluster.publisher().repaired(verdict, readWrite);
  }

  /** Checks the Service of a plan, in the first cycle and before each write. */
  public void checkService(@Variable("cluster") Cluster cluster, @Body Plan plan)
      throws UnusableServiceException {
    cluster.services().check(plan);
  }

  /** Returns the writes of a plan that are due now, in their order. */
  public List<ObjectWrite> nextWrites(@Body Plan plan) throws UnusableServiceException {
    return plan.nextWrites();
  }

  /** Compares what the clients of both Services see with what was written; only on the leader. */
  public void compareClients(
      @Variable("cluster") Cluster cluster,
      @Variable("cycle") Cycle cycle,
      @Variable("rw") ObservedService readWrite,
      @Variable("ro") ObservedService readOnly) {
    if (!cycle.isLeading()) {
      return;
    }
    Set<String> unusable = cycle.unusableServices();
    unusable.forEach(cluster.clients()::skip);
    try {
      cluster
          .clients()
          .compare(
              Stream.of(
                      observation(cycle, cluster.publisher().rwService(), readWrite),
                      observation(cycle, cluster.publisher().roService(), readOnly))
                  .filter(observation -> !unusable.contains(observation.service()))
                  .toList());
    } catch (KubernetesClientException e) {
      // One report of a failing API is enough.
      if (cycle.failures().stream().noneMatch(KubernetesClientException.class::isInstance)) {
        cycle.addComparisonFailure(e);
      }
    }
  }

  private static ClientCheck.Observation observation(
      Cycle cycle, String service, ObservedService read) {
    return new ClientCheck.Observation(service, cycle.afterWrites(service, read));
  }
}
