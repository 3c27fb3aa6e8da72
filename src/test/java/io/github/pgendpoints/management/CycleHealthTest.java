package io.github.pgendpoints.management;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pgendpoints.cycle.Heartbeat;
import io.github.pgendpoints.kubernetes.election.Leadership;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Uses a fake clock. */
class CycleHealthTest {
  private final AtomicLong now = new AtomicLong();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final Heartbeat heartbeat =
      new Heartbeat(Duration.ofSeconds(1), Duration.ofSeconds(1), now::get);
  private final CycleHealth health =
      new CycleHealth(context, heartbeat, Leadership.withoutElection());

  @BeforeEach
  void start() throws Exception {
    context.addRoutes(
        new RouteConfigurationBuilder() {
          @Override
          public void configuration() {
            routeConfiguration("step").onException(Throwable.class).handled(false);
          }

          @Override
          public void configure() {
            for (String id : List.of("cycle", "read", "verify")) {
              from("direct:" + id).routeId(id).routeConfigurationId("step").log(id);
            }
            from("direct:users").routeId("users").log("users");
          }
        });
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  @ParameterizedTest
  @ValueSource(strings = {"cycle", "read", "verify"})
  void aStoppedRouteIsNotReadyAtOnceAndEndedAfterAMinute(String route) throws Exception {
    beat();
    assertEquals("UP UP", states());

    context.getRouteController().stopRoute(route);
    for (int second = 1; second <= 60; second++) {
      now.addAndGet(Duration.ofSeconds(1).toNanos());
      beat();
      assertEquals("UP DOWN", states(), "after " + second + " s");
    }
    now.addAndGet(Duration.ofSeconds(1).toNanos());
    beat();
    assertEquals("DOWN DOWN", states());

    context.getRouteController().startRoute(route);
    beat();
    assertEquals("UP UP", states());
  }

  @Test
  void aSuspendedRouteIsAStoppedOne() throws Exception {
    beat();
    context.getRouteController().suspendRoute("verify");

    assertEquals("UP DOWN", states());
  }

  @Test
  void aRouteOfAUserIsNoneOfTheCycles() throws Exception {
    beat();
    context.getRouteController().stopRoute("users");

    assertEquals("UP UP", states());
  }

  private void beat() {
    heartbeat.cycleEnded(true, health.isRunning());
  }

  private String states() {
    HealthCheck.State live = health.liveness().call().getState();
    return live + " " + health.readiness().call().getState();
  }
}
