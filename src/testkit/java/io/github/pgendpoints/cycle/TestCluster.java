package io.github.pgendpoints.cycle;

import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.kubernetes.election.Leadership;
import io.github.pgendpoints.postgres.Prober;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.ClientCheck;
import io.github.pgendpoints.publish.ClusterMemory;
import io.github.pgendpoints.publish.CycleAge;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.publish.ServiceCheck;
import io.github.pgendpoints.state.RememberedConditions;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.StandbyHysteresis;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/** Creates clusters that have only what a test needs. */
public final class TestCluster {
  private TestCluster() {}

  /** Returns a cluster that can probe. */
  public static Cluster with(Prober prober) {
    return new Cluster(
        "db",
        Mode.ONCE,
        false,
        false,
        null,
        null,
        null,
        null,
        null,
        prober,
        new ClusterMemory(Memory.empty(StandbyHysteresis.none()), null, null, null),
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        Clock.systemUTC());
  }

  /** Returns a cluster that always leads and runs cycles up to the topology. */
  public static Cluster probing(ProbeSchedule schedule, Prober prober, Conditions conditions) {
    return new Cluster(
        "db",
        Mode.ONCE,
        false,
        false,
        schedule,
        Leadership.withoutElection(),
        null,
        null,
        null,
        prober,
        new ClusterMemory(Memory.empty(StandbyHysteresis.none()), null, null, null),
        new Publisher("pg-rw", "pg-ro", "postgresql", 5432, false, Clock.systemUTC()),
        new ServiceCheck(
            null,
            null,
            null,
            new ApiRights(List.of(), null, missing -> {}, System::nanoTime),
            conditions,
            null,
            Runnable::run),
        new ClientCheck(null, null, null, true, System::nanoTime, time -> {}),
        null,
        new ApiBudget(Duration.ofSeconds(5), System::nanoTime),
        CycleAge.of(Duration.ofSeconds(5), () -> 0),
        conditions,
        new RememberedConditions(null, null, conditions, true),
        new CycleHistory(),
        null,
        Clock.systemUTC());
  }
}
