package io.github.pgendpoints.cycle;

import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.kubernetes.election.Leadership;
import io.github.pgendpoints.postgres.Prober;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.ClientCheck;
import io.github.pgendpoints.publish.ClusterMemory;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.KnownNodes;
import io.github.pgendpoints.publish.OverrulePlanner;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.publish.ServiceCheck;
import io.github.pgendpoints.publish.ServiceReader;
import io.github.pgendpoints.publish.StoredTopologyReader;
import io.github.pgendpoints.state.RememberedConditions;
import java.time.InstantSource;

/**
 * One managed PostgreSQL cluster: all that its cycles use and that the cycles of another cluster
 * must not share. Routes pass it on in the variable {@code cluster}.
 *
 * @param namespace the namespace of both Services
 * @param mode what a cycle may do
 * @param paused whether the setting PAUSED stops every write
 * @param clearsOnSplitBrain whether ON_SPLIT_BRAIN is {@code clear}
 * @param reader reads what is behind a Service
 * @param publisher plans the contents of each Service
 * @param services checks the Services themselves
 * @param clients compares what clients see with what was written
 * @param age how long the result of a cycle is valid
 * @param conditions what has been reported
 * @param remembered what earlier runs have reported
 * @param clock the clock of the topologies, which does not follow changes of the system time
 */
public record Cluster(
    String namespace,
    Mode mode,
    boolean paused,
    boolean clearsOnSplitBrain,
    ProbeSchedule schedule,
    Leadership leadership,
    ServiceReader reader,
    StoredTopologyReader stored,
    KnownNodes nodes,
    Prober prober,
    ClusterMemory memory,
    Publisher publisher,
    ServiceCheck services,
    ClientCheck clients,
    OverrulePlanner overrule,
    ApiBudget budget,
    CycleAge age,
    Conditions conditions,
    RememberedConditions remembered,
    CycleHistory history,
    KubernetesErrors errors,
    InstantSource clock) {

  /** Takes over from another process. STATE may contain what that process has reported. */
  void takeOver() {
    conditions.forget();
    remembered.recall();
  }

  /** Begins a term of leadership: other processes may have written since the last term. */
  void beginTerm() {
    reader.forget();
    clients.forget();
    prober.downNodes().forget();
    memory.beginTerm();
  }
}
