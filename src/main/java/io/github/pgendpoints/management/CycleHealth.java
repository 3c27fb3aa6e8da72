package io.github.pgendpoints.management;

import io.github.pgendpoints.cycle.Heartbeat;
import io.github.pgendpoints.kubernetes.election.Leadership;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * The two health checks of the cycles. Neither depends on the state of the nodes: a restart of this
 * program repairs no node, and stops a working manager when it is needed most.
 */
public record CycleHealth(CamelContext context, Heartbeat heartbeat, Leadership leadership) {
  /** Each route of a cycle uses one of these configurations; a user's route does not. */
  private static final Set<String> CONFIGURATIONS =
      Set.of("one-cycle", "step", "kubernetes", "query");

  /** Returns a check that is down when no cycle has ended for too long; only a restart helps. */
  public AbstractHealthCheck liveness() {
    return new AbstractHealthCheck("pgendpoints", "live") {
      @Override
      public boolean isLiveness() {
        return true;
      }

      @Override
      public boolean isReadiness() {
        return false;
      }

      @Override
      protected void doCall(HealthCheckResultBuilder result, Map<String, Object> options) {
        long age = heartbeat.age().toSeconds();
        long limit = heartbeat.limit(isRunning()).toSeconds();
        result.detail("lastCycleSecondsAgo", age).detail("limitSeconds", limit);
        if (age <= limit) {
          result.up();
        } else {
          result.down().message("no cycle has ended for %d s".formatted(age));
        }
      }
    };
  }

  /**
   * Returns a check that is down while a route of the cycles is stopped, the Kubernetes API is not
   * reached, or another installation holds the Lease.
   */
  public AbstractHealthCheck readiness() {
    return new AbstractHealthCheck("pgendpoints", "ready") {
      @Override
      protected void doCall(HealthCheckResultBuilder result, Map<String, Object> options) {
        List<String> stopped = stopped();
        if (!stopped.isEmpty()) {
          result
              .down()
              .message("stopped: %s; there is no failover".formatted(String.join(", ", stopped)));
        } else if (isStandingBy() && !leadership.isObserved()) {
          result.down().message("the Lease cannot be read");
        } else if (isStandingBy() && leadership.sharedWith() != null) {
          result.down().message("another installation holds the Lease");
        } else if (!heartbeat.isApiReached()) {
          result.down().message("the last cycle could not read the Endpoints");
        } else if (isStandingBy()) {
          result.up().message("standing by");
        } else {
          result.up();
        }
      }
    };
  }

  /** Whether another process is the leader, or none is. */
  boolean isStandingBy() {
    return !leadership.isHeld();
  }

  /** Whether every route of the cycles is started: each is needed sooner or later. */
  public boolean isRunning() {
    return stopped().isEmpty();
  }

  /** The routes of the cycles that are not started. */
  List<String> stopped() {
    return context.getRoutes().stream()
        .filter(route -> CONFIGURATIONS.contains(String.valueOf(route.getConfigurationId())))
        .map(Route::getRouteId)
        .filter(route -> !status(route).isStarted())
        .sorted()
        .toList();
  }

  private ServiceStatus status(String route) {
    ServiceStatus status = context.getRouteController().getRouteStatus(route);
    return status == null ? ServiceStatus.Stopped : status;
  }
}
