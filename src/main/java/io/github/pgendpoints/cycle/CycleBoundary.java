package io.github.pgendpoints.cycle;

import io.github.pgendpoints.alert.FailureText;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Marks the start and the end of each cycle, whatever the steps of its route do: a step that a user
 * adds may fail or stop the exchange anywhere. The route configuration {@code one-cycle} marks the
 * route.
 */
public final class CycleBoundary extends RoutePolicySupport implements RoutePolicyFactory {
  private static final Logger LOG = LoggerFactory.getLogger("io.github.pgendpoints.cycle");

  private final Cluster cluster;
  private final Runnable abort;

  /**
   * @param abort runs when a step of the route failed, and the cycle does not report it
   */
  public CycleBoundary(Cluster cluster, Runnable abort) {
    this.cluster = cluster;
    this.abort = abort;
  }

  @Override
  public RoutePolicy createRoutePolicy(CamelContext context, String id, NamedNode route) {
    return route instanceof RouteDefinition definition
            && "one-cycle".equals(definition.getRouteConfigurationId())
        ? this
        : null;
  }

  @Override
  public void onExchangeBegin(Route route, Exchange exchange) {
    cluster.schedule().begin();
  }

  @Override
  public void onExchangeDone(Route route, Exchange exchange) {
    // Null if a step before the first one of the cycle failed.
    Cycle cycle = exchange.getVariable("cycle") instanceof Cycle begun ? begun : null;
    if (cycle == null || cycle.result() == null) {
      cluster.schedule().conclude(null, false);
    }
    cluster.schedule().end();
    Exception failure = exchange.getException();
    if (cycle != null && cycle.isEnded()) {
      if (failure != null) {
        LOG.error("cycle failed after its alerts were sent: {}", FailureText.of(failure));
        abort.run();
      }
    } else if (!exchange.getContext().isStopping()) {
      LOG.error(
          "cycle failed, its alerts may be lost: {}",
          failure == null ? "a route stopped its exchange" : FailureText.of(failure));
      abort.run();
    }
    // Otherwise the timer logs the exception with a stack trace.
    exchange.setException(null);
  }
}
