package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.cycle.Cluster;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.kubernetes.election.NotLeaderException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import org.junit.jupiter.api.Test;

/** A write requires the leadership of the cluster that its exchange is about. */
class WriteGuardOfClusterTest {
  private static final String CREATE =
      "kubernetes-endpoints:local?operation=createEndpoints&namespace=db";

  @Test
  void writeNeedsLeadershipOfItsCluster() {
    try (FakeApiServer api = new FakeApiServer("db", true).start();
        RoutesContext leader = new RoutesContext(api).start();
        RoutesContext follower =
            new RoutesContext(api).in(Mode.CONTINUOUS).with("LEASE_NAME", "pg").start()) {
      assertInstanceOf(
          NotLeaderException.class, failureOfCreating("theirs", leader, follower.cluster()));
      assertNull(failureOfCreating("ours", follower, leader.cluster()));

      assertNull(api.endpoints("theirs"));
      assertNotNull(api.endpoints("ours"));
    }
  }

  @Test
  void routeWithoutClusterUsesTheOnlyCluster() {
    try (FakeApiServer api = new FakeApiServer("db", true).start();
        RoutesContext leader = new RoutesContext(api).start();
        RoutesContext follower =
            new RoutesContext(api).in(Mode.CONTINUOUS).with("LEASE_NAME", "pg").start()) {
      assertNull(failureOfCreating("own", leader, null));
      assertInstanceOf(NotLeaderException.class, failureOfCreating("own", follower, null));

      assertEquals(1, api.calls().stream().filter(call -> call.startsWith("POST")).count());
    }
  }

  private static Exception failureOfCreating(String name, RoutesContext routes, Cluster cluster) {
    return routes
        .camel()
        .createProducerTemplate()
        .send(
            CREATE,
            exchange -> {
              exchange.setVariable("cluster", cluster);
              exchange
                  .getMessage()
                  .setBody(
                      new EndpointsBuilder()
                          .withNewMetadata()
                          .withName(name)
                          .endMetadata()
                          .build());
            })
        .getException();
  }
}
